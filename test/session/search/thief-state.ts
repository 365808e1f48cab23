// The state of an owner and a thief, reduced to what makes a difference.
import { canConfirm, cutOff, keyOfRecord, renameHeld, renameRecord } from './ageing.ts'
import type { Held, Horizon } from './ageing.ts'
import { cutOffMemory, keyOfMemory, renameMemory } from './memory.ts'
import type { Memory } from './memory.ts'
import { branchOf, isReauthenticated, parentOf, renumberBranches } from './paths.ts'
import type { Path } from './paths.ts'
import type { CompactRecord } from './record.ts'

export type Party = 'owner' | 'thief'

export interface ThiefState {
  readonly record: CompactRecord
  readonly memory: Memory
  /** The owner's tokens; null if using them would only reveal the theft, or if the user has to log in again. */
  readonly owner: Held | null
  /** The thief's tokens; null before the theft. */
  readonly thief: readonly Held[] | null
  /** The token whose confirmation is queued; empty if none is. */
  readonly queued: Path

  /** How often each has refreshed since the theft, as far as that is counted. */
  readonly ownerRefreshes: number
  readonly thiefRefreshes: number
  /** How many refreshes there were in alternation, from the thief's first one on, and whose the last was. */
  readonly turns: number
  readonly lastTurn: Party | null

  /** How many steps ago either party refreshed. */
  readonly sinceRefresh: number
  /** How many steps ago the owner did. */
  readonly sinceOwner: number
  /** For how many steps the thief has held a window open; -1 if not at all. */
  readonly held: number
  /** How many re-authentications the owner has left. */
  readonly reauthentications: number
  /** Whether the thief may copy the owner's tokens once more. */
  readonly mayCopyAgain: boolean
}

/** The highest branch that a rule compares with is 6. Above this one, only the order counts. */
const LARGEST_BRANCH = 7

/**
 * Removes what can no longer make a difference: ages above every bound, access tokens that can confirm nothing, and
 * tokens that would reveal the theft, because that ends the session.
 * @param forgets how many rotations the store may forget
 */
export function simplify(state: ThiefState, horizon: Horizon, forgets: number): ThiefState {
  const record = cutOff(state.record, horizon)
  const memory = cutOffMemory(state.memory, record, horizon, forgets)
  const { kept } = memory
  const { owner, thief, queued } = state
  const canWork = ({ token }: Held): boolean => isReauthenticated(record.current)
    || mayServe(record, token) || (kept !== null && mayServe(kept, token))
  const isLive = (token: Path): boolean => canConfirm(record, token) || canConfirm(kept, token)
  const plain = (held: Held): Held => (
    forgets > 0 || held.age > horizon.accessToken || isLive(held.token) ? held
      : { token: held.token, age: horizon.accessToken + 1 }
  )
  const simple = {
    ...state,
    record,
    memory,
    owner: owner !== null && canWork(owner) ? owner : null,
    thief: thief === null ? null : thief.filter(canWork).map(plain),
    queued: queued !== '' && isLive(queued) ? queued : '',
  }
  if (forgets > 0 || branchOf(record.current) <= LARGEST_BRANCH) return simple
  const renumber = renumberBranches(tokensOf(simple), LARGEST_BRANCH, record.current.length - 1)
  return renumber === null ? simple : rename(simple, renumber)
}

/** Whether the token is current, the parent of the current one, or ahead. */
function mayServe(record: CompactRecord, token: Path): boolean {
  return token === record.current || token === parentOf(record.current) || canConfirm(record, token)
}

export function tokensOf({ record, memory, owner, thief, queued }: ThiefState): readonly Path[] {
  const tokens = [record.current]
  if (memory.kept !== null) tokens.push(memory.kept.current)
  if (owner !== null) tokens.push(owner.token)
  if (thief !== null) for (const { token } of thief) tokens.push(token)
  if (queued !== '') tokens.push(queued)
  return tokens
}

export function rename(state: ThiefState, name: (token: Path) => Path): ThiefState {
  const { record, memory, owner, thief, queued } = state
  return {
    ...state,
    record: renameRecord(record, name),
    memory: renameMemory(memory, name),
    owner: owner === null ? null : renameHeld(owner, name),
    thief: thief === null ? null : thief.map(held => renameHeld(held, name)),
    queued: queued === '' ? '' : name(queued),
  }
}

export function keyOf(state: ThiefState): string {
  const { owner, thief } = state
  const thiefKey = thief === null ? '-' : thief.map(keyOfHeld).sort().join(';')
  return keyOfRecord(state.record) + '|' + keyOfMemory(state.memory)
    + '|' + (owner === null ? '-' : keyOfHeld(owner)) + '|' + thiefKey + '|' + state.queued
    + '|' + state.ownerRefreshes + ',' + state.thiefRefreshes + ',' + state.turns + (state.lastTurn ?? '')
    + '|' + state.sinceRefresh + ',' + state.sinceOwner + ',' + state.held
    + '|' + state.reauthentications + (state.mayCopyAgain ? '+' : '')
}

function keyOfHeld({ token, age }: Held): string {
  return token + '.' + age
}
