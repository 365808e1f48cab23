// Laws 2, 4, 5 and 6: a thief copies what the owner's jar holds, and both go on.
import { atMost, horizonOf, older, oldRecord } from './ageing.ts'
import type { Held } from './ageing.ts'
import { forgetsNothing, forgotten, hasForgotten, keeps, keepsAtLeast, mayForget, olderMemory } from './memory.ts'
import { anchorOf, childOf, isLogin, isSamePlace, LOGIN, parentOf } from './paths.ts'
import type { Path } from './paths.ts'
import { R } from './record.ts'
import type { CompactRecord } from './record.ts'
import type { Answered, Rules } from './refresh.ts'
import { TICK } from './search.ts'
import type { Emit, World } from './search.ts'
import { createServer } from './server.ts'
import { keyOf, rename, simplify, tokensOf } from './thief-state.ts'
import type { Party, ThiefState } from './thief-state.ts'
import { describeOutcome } from './words.ts'

/** An owner and a thief. Times in steps. */
export interface ThiefOptions {
  /**
   * `goes on`: like the owner, with its newest token alone. `free`: does what it likes with every token that it has.
   * `holds`: as `free`, and the owner stays away.
   */
  readonly thief: 'goes on' | 'free' | 'holds'
  /** Refreshes of the two are at least so far apart. */
  readonly apart: number
  /** After how many refreshes in alternation the theft must have been detected. */
  readonly turns?: number
  /** How often each may refresh before the theft must have been detected. */
  readonly times?: number
  /** The longest time for which a thief may keep the windows of one token open, or (`perChild`) of one child of it. */
  readonly longestHold?: number
  readonly perChild?: boolean
  /** Whether the parent of a child in use must never be answered after the theft. */
  readonly neverParentOfUsed?: boolean
  /** Whether there is also an attacker with a refresh key, but without a refresh token. */
  readonly forger?: boolean
  /** The minimum age of the owner's access token when the owner refreshes. */
  readonly lifetime?: number
  /** Whether answers to the owner may be lost. */
  readonly losesAnswers?: boolean
  /** Whether the thief refreshes only more than 2R after the owner. */
  readonly keepsDistance?: boolean
  readonly reauthentications?: number
  /** How many of the newest rotations the store may lose at once. Default 0. */
  readonly forgets?: number
  /** Default R. */
  readonly reuseInterval?: number
  /** How many steps the clock of each process is ahead. Default: one process, whose clock is right. */
  readonly clocks?: readonly number[]
  /** Bound on `rotatedAt`, for rules that look further back than the real ones. */
  readonly horizon?: number | null
}

/** The capital letter of an anchor that no session has. */
const WRONG_ANCHOR = 'Z'

export function thiefWorld(options: ThiefOptions, rules: Rules): World<ThiefState> {
  const { clocks = [0], reuseInterval = R, forgets = 0, lifetime = 0, apart, turns = 0, times = 0 } = options
  const server = createServer(rules, reuseInterval)
  const spread = Math.max(...clocks) - Math.min(...clocks)
  const horizon = horizonOf(reuseInterval, spread, lifetime, options.horizon ?? null)
  const oldestStolen = 2 * reuseInterval + spread
  const distance = options.keepsDistance === true ? 2 * R + 1 : 0
  const goesOn = options.thief === 'goes on'
  const holds = options.thief === 'holds'

  function passTime(state: ThiefState, emit: Emit<ThiefState>): void {
    const { owner, thief, held } = state
    // The window is open as long as the owner, on a refresh now, would get the thief's child or would have to wait.
    if (holds && held >= 0 && (owner === null || !isWithinWindow(state.record, owner.token))) return
    const isTooLong = holds && held + 1 >= (options.longestHold ?? Infinity)
    emit(TICK, {
      ...state,
      record: older(state.record),
      memory: olderMemory(state.memory),
      owner: owner === null ? null : { token: owner.token, age: atMost(owner.age + 1, horizon.accessToken) },
      thief: thief === null ? null : thief.map(({ token, age }) => ({ token, age: atMost(age + 1, oldestStolen) })),
      sinceRefresh: atMost(state.sinceRefresh + 1, apart),
      sinceOwner: atMost(state.sinceOwner + 1, distance),
      held: held < 0 ? held : held + 1,
    }, isTooLong ? 'law 2: a thief holds the windows of one token open' : undefined)
  }

  function isWithinWindow(record: CompactRecord, token: Path): boolean {
    const { outcome } = server.serve(record, 'refresh', token, 0)
    return outcome.kind === 'busy' || (outcome.kind === 'answered' && outcome.how === 'retry')
  }

  function steal({ owner, thief, mayCopyAgain, ...rest }: ThiefState, emit: Emit<ThiefState>): void {
    if (owner === null || (thief !== null && !mayCopyAgain)) return
    emit(`a thief copies {${owner.token}}`, {
      ...rest,
      owner,
      thief: [{ token: owner.token, age: atMost(owner.age, oldestStolen) }],
      held: -1,
      mayCopyAgain: false,
    })
  }

  function reauthenticate(state: ThiefState, emit: Emit<ThiefState>): void {
    if (state.reauthentications === 0) return
    // With the access token of any of the owner's refresh tokens, even of one that the thief has displaced.
    const token = state.owner?.token ?? state.record.current
    const { record, outcome } = server.serve(state.record, 'reauthentication', token, 0)
    if (outcome.kind !== 'answered' || record === null) return
    const after = {
      ...state,
      record,
      memory: keepsAtLeast(state.memory, record),
      ownerRefreshes: 0, thiefRefreshes: 0, turns: 0, lastTurn: null,
      sinceRefresh: goesOn ? 0 : state.sinceRefresh,
      sinceOwner: 0,
      held: -1,
      reauthentications: state.reauthentications - 1,
      mayCopyAgain: state.thief !== null,
    }
    const event = `the owner authenticates again: the server ${describeOutcome(outcome)}`
    emit(event, { ...after, owner: { token: outcome.token, age: 0 } })
    emit(`${event}, which is lost: the owner logs in again`, { ...after, owner: null })
  }

  function ownerRefreshes(state: ThiefState, emit: Emit<ThiefState>): void {
    const { owner, thief } = state
    if (owner === null || owner.age < lifetime || (holds && thief !== null)) return
    if (thief !== null && state.sinceRefresh < apart) return
    for (const clock of clocks) {
      const { record, outcome } = server.serve(state.record, 'refresh', owner.token, clock)
      if (outcome.kind === 'busy') continue
      const event = `the owner refreshes with {${owner.token}}: the server ${describeOutcome(outcome)}`
      if (outcome.kind !== 'answered' || record === null) {
        // After the theft, this is how it is detected. Nothing follows.
        const isRefused = thief === null || outcome.kind === 'forged'
        if (isRefused) emit(event, state, `law 1: an honest client is refused (${outcome.kind})`)
        continue
      }
      const after = { ...state, record, sinceRefresh: goesOn ? 0 : state.sinceRefresh, sinceOwner: 0 }
      const answered = {
        ...(thief === null ? after : withTurn(after, 'owner')), owner: { token: outcome.token, age: -clock }, held: -1,
      }
      emit(event, answered, parentOfUsed(state, owner.token) ?? unnoticed(answered))
      if (options.losesAnswers === true) emit(`${event}, which is lost`, after)
    }
  }

  function thiefRefreshes(state: ThiefState, emit: Emit<ThiefState>): void {
    const { thief } = state
    if (thief === null || (goesOn && state.sinceRefresh < apart) || state.sinceOwner < distance) return
    for (const stolen of thief) {
      for (const clock of clocks) {
        const { record, outcome } = server.serve(state.record, 'refresh', stolen.token, clock)
        if (outcome.kind !== 'answered' || record === null) continue
        const received = { token: outcome.token, age: -clock }
        const answered = {
          ...withTurn(state, 'thief'),
          record,
          thief: goesOn ? [received] : withToken(thief, received),
          sinceRefresh: 0,
          held: holds ? heldAfter(state, stolen, record) : -1,
        }
        const event = `the thief refreshes with {${stolen.token}}: the server ${describeOutcome(outcome)}`
        emit(event, answered, endedLineage(state, stolen, outcome) ?? unnoticed(answered))
      }
    }
  }

  function heldAfter({ held, owner, record: { current } }: ThiefState, { token }: Held, record: CompactRecord): number {
    if (held >= 0) return options.perChild === true && record.current !== current ? 0 : held
    return token === owner?.token ? 0 : -1
  }

  function withToken(thief: readonly Held[], { token, age }: Held): readonly Held[] {
    const known = thief.find(held => held.token === token)
    return [...thief.filter(held => held !== known), { token, age: Math.max(age, known?.age ?? age) }]
  }

  /** The refreshes counted that laws speak of: those in alternation from the thief's first one on. */
  function withTurn(state: ThiefState, party: Party): ThiefState {
    const counted = {
      ...state,
      ownerRefreshes: atMost(state.ownerRefreshes + (party === 'owner' ? 1 : 0), times),
      thiefRefreshes: atMost(state.thiefRefreshes + (party === 'thief' ? 1 : 0), times),
    }
    if (turns === 0 || (party === 'owner' && state.turns === 0)) return counted
    return { ...counted, turns: atMost(state.turns + (state.lastTurn === party ? 0 : 1), turns), lastTurn: party }
  }

  function unnoticed(state: ThiefState): string | undefined {
    if (times > 0 && state.ownerRefreshes >= times && state.thiefRefreshes >= times) {
      return `law 2: owner and thief have refreshed ${times} times each, and nobody noticed`
    }
    return turns > 0 && state.turns >= turns ? `law 2: turn ${turns} in alternation, and nobody noticed` : undefined
  }

  function parentOfUsed({ record, thief }: ThiefState, token: Path): string | undefined {
    if (options.neverParentOfUsed !== true || thief === null || !record.isConfirmed || isLogin(record.current)) return
    return token === parentOf(record.current) ? 'law 2: the parent of a child in use is answered' : undefined
  }

  function endedLineage({ record }: ThiefState, { token }: Held, answer: Answered): string | undefined {
    if (anchorOf(token) === anchorOf(record.current)) return
    return anchorOf(answer.token) === anchorOf(record.current)
      ? 'law 2: a token of an ended lineage is answered with one of the new lineage'
      : 'law 2: a token of an ended lineage is answered'
  }

  function useAccessTokens(state: ThiefState, emit: Emit<ThiefState>): void {
    const { record, owner, thief, queued } = state
    const use = (party: Party, { token, age }: Held): void => {
      if (queued !== '' && isSamePlace(queued, token)) return
      if (!clocks.some(clock => server.confirms(token, age + clock))) return
      emit(`the ${party} uses the access token of {${token}}`, { ...state, queued: token })
    }
    if (owner !== null) use('owner', owner)
    if (thief !== null) for (const held of thief) use('thief', held)
    if (queued === '') return
    const confirmed = server.confirm(record, queued)
    if (confirmed !== record) emit(`{${queued}} is confirmed`, { ...state, record: confirmed, queued: '' })
  }

  function forget(state: ThiefState, emit: Emit<ThiefState>): void {
    const { record, memory } = state
    if (memory.phase === 'durable') {
      emit('what the store writes from here on is not durable', { ...state, memory: keeps(record) })
    }
    const kept = forgotten(memory, record)
    if (kept === null) return
    emit('the store forgets', {
      ...state, record: kept, memory: hasForgotten, ownerRefreshes: 0, thiefRefreshes: 0, turns: 0, lastTurn: null,
    })
  }

  function forge(state: ThiefState, emit: Emit<ThiefState>): void {
    if (options.forger !== true) return
    const { current } = state.record
    const ahead = childOf(current + WRONG_ANCHOR, 0)
    for (const token of [ahead, parentOf(current) + WRONG_ANCHOR]) {
      const { outcome } = server.serve(state.record, 'refresh', token, 0)
      if (outcome.kind === 'superseded' || outcome.kind === 'forged' || outcome.kind === 'busy') continue
      const event = `somebody with the refresh key alone forges a token: the server ${describeOutcome(outcome)}`
      emit(event, state, `law 4: a refresh key alone ${outcome.kind === 'answered' ? 'opens' : 'ends'} the session`)
    }
  }

  return {
    start: {
      record: oldRecord(LOGIN, horizon),
      memory: forgets > 0 ? mayForget : forgetsNothing,
      owner: { token: LOGIN, age: 0 },
      thief: null,
      queued: '',
      ownerRefreshes: 0, thiefRefreshes: 0, turns: 0, lastTurn: null,
      sinceRefresh: apart, sinceOwner: distance, held: -1,
      reauthentications: options.reauthentications ?? 0,
      mayCopyAgain: false,
    },
    successors(state, emit) {
      passTime(state, emit)
      steal(state, emit)
      reauthenticate(state, emit)
      ownerRefreshes(state, emit)
      thiefRefreshes(state, emit)
      useAccessTokens(state, emit)
      forget(state, emit)
      forge(state, emit)
    },
    simplify: state => simplify(state, horizon, forgets),
    tokensOf,
    rename,
    keyOf,
  }
}
