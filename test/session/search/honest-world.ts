// Laws 1, 3 and 6: one honest client. All of its tabs and server-side renders share one cookie jar and do not differ
// otherwise, so the state consists of the jar and the calls in flight.
import { atMost, horizonOf, older, oldRecord } from './ageing.ts'
import type { Held } from './ageing.ts'
import { keyOf, rename, simplify, tokensOf, withSmallBranches } from './honest-state.ts'
import type { Call, HonestState } from './honest-state.ts'
import { forgetsNothing, forgotten, hasForgotten, keeps, keepsAtLeast, mayForget, olderMemory } from './memory.ts'
import { anchorOf, branchOf, isLogin, LOGIN } from './paths.ts'
import { R } from './record.ts'
import type { CompactRecord } from './record.ts'
import type { Answered, Rules } from './refresh.ts'
import { TICK } from './search.ts'
import type { Emit, World } from './search.ts'
import { createServer } from './server.ts'
import { describeOutcome } from './words.ts'

/** An honest client and its surroundings. Times in steps. */
export interface HonestOptions {
  /** How many calls it may have in flight at once. */
  readonly calls: number
  /** How many responses to one refresh token may be lost in a row. */
  readonly lostAnswers: number
  /** Whether the jar may fall back to what it held, at most R ago, at a moment without a call in flight. */
  readonly fallsBack: boolean
  /**
   * What must not happen: `refusal` (law 1) and `divergence` (law 3), or `refusal` alone, or theft alone where
   * `UNAUTHORIZED` is allowed.
   */
  readonly never: readonly ('refusal' | 'theft' | 'divergence')[]
  /** Default R. */
  readonly reuseInterval?: number
  /** How many steps the clock of each process is ahead. Default: one process, whose clock is right. */
  readonly clocks?: readonly number[]
  readonly reauthentications?: number
  /**
   * Whether a re-authentication is answered only while no earlier response is on the way, and the jar never falls back
   * to before it.
   */
  readonly reauthenticatesAlone?: boolean
  /** How many of the newest rotations the store may lose at once. Default 0. */
  readonly forgets?: number
  /** Whether the store loses only the session's first rotations. */
  readonly forgetsFirst?: boolean
  /** Bound on `rotatedAt`, for rules that look further back than the real ones. */
  readonly horizon?: number | null
}

/** No answer takes longer than R/4. */
const LONGEST_CALL = R / 4

export function honestWorld(options: HonestOptions, rules: Rules): World<HonestState> {
  const { clocks = [0], reuseInterval = R, forgets = 0, reauthenticatesAlone = false } = options
  const server = createServer(rules, reuseInterval)
  const horizon = horizonOf(reuseInterval, Math.max(...clocks) - Math.min(...clocks), 0, options.horizon ?? null)
  const [neverRefused, neverTheft, neverDiverges] = (['refusal', 'theft', 'divergence'] as const)
    .map(what => options.never.includes(what))

  function passTime(state: HonestState, emit: Emit<HonestState>): void {
    if (!state.calls.every(call => call.sent < LONGEST_CALL)) return
    emit(TICK, {
      ...state,
      record: older(state.record),
      memory: olderMemory(state.memory),
      jar: olderHeld(state.jar),
      earlier: state.earlier.filter(({ overwritten }) => overwritten < R).map(({ token, age, overwritten }) => (
        { token, age: atMost(age + 1, horizon.accessToken), overwritten: overwritten + 1 }
      )),
      calls: state.calls.map(call => ({
        ...call,
        sent: call.sent + 1,
        answer: call.answer === null ? null : { token: call.answer.token, age: call.answer.age + 1 },
      })),
    })
  }

  function olderHeld({ token, age }: Held): Held {
    return { token, age: atMost(age + 1, horizon.accessToken) }
  }

  function send(state: HonestState, emit: Emit<HonestState>): void {
    const { calls, jar: { token }, reauthentications } = state
    if (calls.length >= options.calls) return
    if (reauthentications > 0) {
      emit(`the user authenticates again, with the access token of {${token}}`, {
        ...state,
        reauthentications: reauthentications - 1,
        calls: [...calls, { kind: 'reauthentication', token, sent: 0, answer: null, sibling: '' }],
      })
    }
    emit(`a page sends a refresh with {${token}}`, {
      ...state, calls: [...calls, { kind: 'refresh', token, sent: 0, answer: null, sibling: '' }],
    })
  }

  function serve(state: HonestState, call: Call, clock: number, emit: Emit<HonestState>): void {
    const { record, outcome } = server.serve(state.record, call.kind, call.token, clock)
    const by = clocks.length > 1 ? `a server whose clock is ${clock / R}R fast` : 'the server'
    const event = `${by} gets the ${call.kind} with {${call.token}}, ${describeOutcome(outcome)}`
    if (outcome.kind === 'busy') {
      emit(event, { ...state, calls: state.calls.filter(other => other !== call) })
    } else if (outcome.kind !== 'answered') {
      const isRefusal = neverRefused && !(state.mayBeRefused && outcome.kind !== 'theft')
      const isViolation = isRefusal || (neverTheft && outcome.kind === 'theft') || outcome.kind === 'forged'
      emit(event, state, isViolation ? `law 1: an honest client is refused (${outcome.kind})` : undefined)
    } else if (record !== null) {
      answer(state, call, record, outcome, clock, event, emit)
    }
  }

  /** Whether an earlier response is on the way that a re-authentication waits for. */
  function waits(call: Call, { calls }: HonestState): boolean {
    return reauthenticatesAlone && call.kind === 'reauthentication'
      && calls.some(other => other.kind === 'refresh' && other.answer !== null)
  }

  function answer(
    state: HonestState,
    call: Call,
    record: CompactRecord,
    { token, how }: Answered,
    clock: number,
    event: string,
    emit: Emit<HonestState>,
  ): void {
    const isChild = neverDiverges && call.kind === 'refresh' && token !== call.token
    const diverges = isChild && (call.sibling !== '' && call.sibling !== token
      || state.calls.some(other => other.token === call.token && other.kind === 'refresh' && other.answer !== null
        && other.answer.token !== call.token && other.answer.token !== token))
    if (branchOf(record.current) > options.lostAnswers && !diverges) return
    const { memory } = state
    emit(event, {
      ...state,
      record,
      memory: call.kind === 'reauthentication' ? keepsAtLeast(memory, record)
        : how === 'adopt' && memory.phase === 'forgot' ? forgetsNothing : memory,
      calls: state.calls.map(other => {
        if (other === call) return { ...call, answer: { token, age: -clock }, sibling: '' }
        return isChild && other.token === call.token && other.answer === null ? { ...other, sibling: token } : other
      }),
    }, diverges ? 'law 3: two concurrent refreshes with one token get different children' : undefined)
  }

  function deliver(state: HonestState, call: Call, { token, age }: Held, emit: Emit<HonestState>): void {
    const { record, jar } = state
    const calls = state.calls.filter(other => other !== call)
    const isReauthentication = call.kind === 'reauthentication'
    emit(`the answer with {${token}} arrives`, {
      ...state,
      calls,
      jar: { token, age },
      earlier: !options.fallsBack || (reauthenticatesAlone && isReauthentication) ? [] : [
        ...state.earlier.filter(other => other.token !== jar.token), { ...jar, overwritten: 0 },
      ].filter(other => other.token !== token || other.age !== age),
      mayBeRefused: state.mayBeRefused && anchorOf(token) !== anchorOf(record.current),
    })
    emit(`the answer with {${token}} is lost`, {
      ...state, calls, mayBeRefused: state.mayBeRefused || isReauthentication,
    })
  }

  function useAccessToken(state: HonestState, emit: Emit<HonestState>): void {
    const { record, jar: { token, age }, queued } = state
    if (queued !== token && clocks.some(clock => server.confirms(token, age + clock))) {
      emit(`the access token of {${token}} is used`, { ...state, queued: token })
    }
    if (queued === '') return
    const confirmed = server.confirm(record, queued)
    if (confirmed !== record) emit(`{${queued}} is confirmed`, { ...state, record: confirmed, queued: '' })
  }

  function fallBack(state: HonestState, emit: Emit<HonestState>): void {
    const { calls, memory, earlier } = state
    if (calls.length > 0 || memory.phase === 'volatile' || memory.phase === 'forgot') return
    for (const { token, age } of earlier) {
      emit(`the jar falls back to {${token}}`, { ...state, jar: { token, age }, earlier: [] })
    }
  }

  function forget(state: HonestState, emit: Emit<HonestState>): void {
    const { record, memory, calls } = state
    if (memory.phase === 'durable' && (!options.forgetsFirst || isLogin(record.current))) {
      emit('what the store writes from here on is not durable', { ...state, memory: keeps(record) })
    }
    const kept = forgotten(memory, record)
    if (kept !== null && calls.length === 0) {
      emit('the store forgets', { ...state, record: kept, memory: hasForgotten })
    }
  }

  return {
    start: {
      record: oldRecord(LOGIN, horizon),
      memory: forgets > 0 ? mayForget : forgetsNothing,
      jar: { token: LOGIN, age: horizon.accessToken },
      earlier: [],
      calls: [],
      queued: '',
      reauthentications: options.reauthentications ?? 0,
      mayBeRefused: false,
    },
    successors(state, emit) {
      passTime(state, emit)
      send(state, emit)
      for (const call of state.calls) {
        if (call.answer !== null) deliver(state, call, call.answer, emit)
        else if (!waits(call, state)) for (const clock of clocks) serve(state, call, clock, emit)
      }
      useAccessToken(state, emit)
      fallBack(state, emit)
      forget(state, emit)
    },
    simplify(state) {
      const simple = simplify(state, horizon, forgets)
      return reuseInterval === 0 && forgets === 0 ? withSmallBranches(simple) : simple
    },
    tokensOf,
    rename,
    keyOf,
  }
}
