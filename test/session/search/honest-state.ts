// The state of an honest client, reduced to what makes a difference.
import { canConfirm, cutOff, keyOfRecord, renameHeld, renameRecord } from './ageing.ts'
import type { Held, Horizon } from './ageing.ts'
import { cutOffMemory, keyOfMemory, renameMemory } from './memory.ts'
import type { Memory } from './memory.ts'
import { branchOf, renumberBranches } from './paths.ts'
import type { Path } from './paths.ts'
import type { CompactRecord } from './record.ts'

/** A call in flight: on its way to the server, or answered and on its way back. */
export interface Call {
  readonly kind: 'refresh' | 'reauthentication'
  readonly token: Path
  /** How many steps ago it was sent. */
  readonly sent: number
  readonly answer: Held | null
  /** The child that another call with the same token got while this one was on its way to the server; or empty. */
  readonly sibling: Path
}

/** What the jar held before. */
interface Overwritten extends Held {
  /** How many steps ago something else took its place. */
  readonly overwritten: number
}

export interface HonestState {
  readonly record: CompactRecord
  readonly memory: Memory
  readonly jar: Held
  /** What the jar held within the last R. */
  readonly earlier: readonly Overwritten[]
  readonly calls: readonly Call[]
  /** The token whose confirmation is queued; empty if none is. */
  readonly queued: Path
  /** How many re-authentications are left. */
  readonly reauthentications: number
  /** Whether the response to the last re-authentication was lost: the user may have to log in again. */
  readonly mayBeRefused: boolean
}

/**
 * Removes what can no longer make a difference: ages above every bound, access tokens that can confirm nothing, and a
 * queued confirmation that is too late.
 * @param forgets how many rotations the store may forget
 */
export function simplify(state: HonestState, horizon: Horizon, forgets: number): HonestState {
  const record = cutOff(state.record, horizon)
  const memory = cutOffMemory(state.memory, record, horizon, forgets)
  const matters = (token: Path): boolean => canConfirm(record, token) || canConfirm(memory.kept, token)
  const plain = <Some extends Held>(held: Some): Some => (
    held.age === horizon.accessToken || matters(held.token) ? held : { ...held, age: horizon.accessToken }
  )
  return {
    ...state,
    record,
    memory,
    jar: plain(state.jar),
    earlier: state.earlier.length === 0 ? state.earlier : state.earlier.map(plain),
    queued: state.queued !== '' && matters(state.queued) ? state.queued : '',
  }
}

/** Renumbers branches above 1 to the smallest numbers, if no rule uses them. */
export function withSmallBranches(state: HonestState): HonestState {
  if (branchOf(state.record.current) < 2) return state
  const renumber = renumberBranches(tokensOf(state), 1, state.record.current.length - 1)
  return renumber === null ? state : rename(state, renumber)
}

export function tokensOf({ record, memory, jar, earlier, calls, queued }: HonestState): readonly Path[] {
  const tokens = [record.current, jar.token]
  if (memory.kept !== null) tokens.push(memory.kept.current)
  if (queued !== '') tokens.push(queued)
  for (const { token } of earlier) tokens.push(token)
  for (const { token, answer, sibling } of calls) {
    tokens.push(token)
    if (answer !== null) tokens.push(answer.token)
    if (sibling !== '') tokens.push(sibling)
  }
  return tokens
}

export function rename(state: HonestState, name: (token: Path) => Path): HonestState {
  const { record, memory, jar, earlier, calls, queued } = state
  return {
    ...state,
    record: renameRecord(record, name),
    memory: renameMemory(memory, name),
    jar: renameHeld(jar, name),
    earlier: earlier.map(held => ({ ...held, token: name(held.token) })),
    calls: calls.map(call => ({
      ...call,
      token: name(call.token),
      answer: call.answer === null ? null : renameHeld(call.answer, name),
      sibling: call.sibling === '' ? '' : name(call.sibling),
    })),
    queued: queued === '' ? '' : name(queued),
  }
}

export function keyOf(state: HonestState): string {
  const { record, memory, jar, earlier, calls, queued, reauthentications, mayBeRefused } = state
  const callKeys = calls.map(keyOfCall)
  if (callKeys.length > 1) callKeys.sort()
  let key = `${keyOfRecord(record)}|${keyOfMemory(memory)}|${jar.token}.${jar.age}|`
  for (const { token, age, overwritten } of earlier) key += `${token}.${age}.${overwritten};`
  return `${key}|${callKeys.join(';')}|${queued}|${reauthentications}${mayBeRefused ? '!' : ''}`
}

function keyOfCall({ kind, token, sent, answer, sibling }: Call): string {
  const answered = answer === null ? '' : `>${answer.token}.${answer.age}`
  return `${kind === 'refresh' ? '' : 'A'}${token}.${sent}.${sibling}${answered}`
}
