// Law 5, and calls that are concurrent with a re-authentication: their steps (writing without reading, reading,
// writing) come in any order. No time passes.
import type { SessionRecord } from '../../../src/session/record.ts'
import { horizonOf, keyOfRecord, oldRecord } from './ageing.ts'
import { anchorOf, childOf, LOGIN } from './paths.ts'
import type { Path } from './paths.ts'
import { compact, expand, NOW, R } from './record.ts'
import type { CompactRecord } from './record.ts'
import { advance, confirm, firstStep } from './refresh.ts'
import type { Outcome, Progress, Request, Rules, Step } from './refresh.ts'
import type { Emit, World } from './search.ts'
import { describeOutcome } from './words.ts'

export interface RaceOptions {
  /** The concurrent calls: refreshes with the login's token, re-authentications with its access token, and so on. */
  readonly calls: readonly Caller[]
  /** In steps. Default R. */
  readonly reuseInterval?: number
}

/** `confirmation`: of the login's first child. */
type Caller = Request['kind'] | 'confirmation' | 'revocation'

/** A call that has not ended takes its next step at any moment. Confirmations and revocations have a single one. */
interface Call {
  readonly caller: Caller
  readonly step: Step
}

interface RaceState {
  /** Null once the session is gone. */
  readonly record: CompactRecord | null
  /** Empty before the race. */
  readonly calls: readonly Call[]
  readonly isRevoked: boolean
  /** The anchor that the last re-authentication wrote; empty before. */
  readonly anchor: Path
}

const CHILD = childOf(LOGIN, 0)
const SECRETS = 'ABCDEFGH'
const DONE: Step = { kind: 'done', outcome: { kind: 'ended' } }

export function raceWorld({ calls, reuseInterval = R }: RaceOptions, rules: Rules): World<RaceState> {
  const horizon = horizonOf(reuseInterval, 0, 0, null)
  const starts: readonly [name: string, record: CompactRecord][] = [
    ['the login\'s token is current', oldRecord(LOGIN, horizon)],
    ['its child is current, old and not confirmed', { ...oldRecord(CHILD, horizon), isConfirmed: false }],
    ['its child is current and new', { current: CHILD, isConfirmed: false, rotated: 0, served: 0 }],
  ]

  function begin(state: RaceState, emit: Emit<RaceState>): void {
    for (const [name, record] of starts) {
      emit(name, {
        ...state, record, calls: calls.map((caller, index) => ({ caller, step: firstStepOf(caller, index) })),
      })
    }
  }

  function take({ record, calls, isRevoked, anchor }: RaceState, index: number, emit: Emit<RaceState>): void {
    const call = calls[index]
    if (call === undefined || call.step.kind === 'done') return
    const { caller, step } = call
    const full = record === null ? null : expand(record, reuseInterval)
    const after = progress(caller, step, full, index)
    const written = after.record === null ? null : compact(after.record)
    const outcome = after.step.kind === 'done' ? after.step.outcome : null
    const reached = {
      record: written,
      calls: calls.map((other, at) => (at === index ? { caller, step: after.step } : other)),
      isRevoked: isRevoked || (record !== null && written === null),
      anchor: caller === 'reauthentication' && outcome?.kind === 'answered' ? anchorOf(outcome.token) : anchor,
    }
    emit(`${caller} ${index + 1} ${describeStep(caller, step, outcome)}`, reached, brokenLaw(reached))
  }

  function progress(caller: Caller, step: Step, record: SessionRecord | null, index: number): Progress {
    if (caller === 'revocation') return { record: null, step: DONE }
    if (caller === 'confirmation') return { record: record === null ? null : confirm(record, CHILD), step: DONE }
    return advance(step, record, requestOf(caller, index), rules)
  }

  function brokenLaw({ record, calls, isRevoked, anchor }: RaceState): string | undefined {
    const answersTo = (caller: Caller): readonly Path[] => calls.flatMap(call => (
      call.caller === caller && call.step.kind === 'done' && call.step.outcome.kind === 'answered'
        ? [call.step.outcome.token]
        : []
    ))
    if (isRevoked && record !== null) return 'law 5: a session that was revoked is back'
    if (record !== null && anchorOf(record.current) !== anchor) return 'law 5: an older lineage takes the record back'
    const refreshed = answersTo('refresh')
    if (refreshed.some(token => anchorOf(token) !== '')) {
      return 'law 2: a token of an ended lineage is answered with one of the new lineage'
    }
    if (answersTo('reauthentication').length > 1) return 'law 2: two re-authentications at once are both answered'
    return reuseInterval > 0 && new Set(refreshed.filter(token => token !== LOGIN)).size > 1
      ? 'law 3: two concurrent refreshes with one token get different children'
      : undefined
  }

  return {
    start: { record: null, calls: [], isRevoked: false, anchor: '' },
    successors(state, emit) {
      if (state.calls.length === 0) begin(state, emit)
      state.calls.forEach((_, index) => take(state, index, emit))
    },
    simplify: state => state,
    // The prefix is not removed, because the login's token is presented again and again.
    tokensOf: () => [],
    rename: state => state,
    keyOf: ({ record, calls, isRevoked, anchor }) => (
      `${record === null ? '' : keyOfRecord(record)}|${isRevoked ? '!' : ''}${anchor}|${calls.map(keyOfCall).join('|')}`
    ),
  }
}

function firstStepOf(caller: Caller, index: number): Step {
  if (caller === 'confirmation' || caller === 'revocation') return { kind: 'read' }
  return firstStep(requestOf(caller, index))
}

function requestOf(kind: Request['kind'], index: number): Request {
  return { kind, token: LOGIN, now: NOW, secret: SECRETS[index] ?? '' }
}

function keyOfCall({ step }: Call): string {
  if (step.kind === 'write') return JSON.stringify([step.rotation.expected, step.rotation.next, step.how])
  return JSON.stringify(step)
}

function describeStep(caller: Caller, { kind }: Step, outcome: Outcome | null): string {
  if (caller === 'revocation') return 'removes the session'
  if (caller === 'confirmation') return `confirms {${CHILD}}, if that is current`
  if (kind === 'read') return `reads the record${outcome === null ? '' : `, ${describeOutcome(outcome)}`}`
  const attempt = kind === 'rotate unread' ? 'tries to rotate without reading' : 'tries to write what it decided'
  return `${attempt}, ${outcome === null ? 'and finds another record' : describeOutcome(outcome)}`
}
