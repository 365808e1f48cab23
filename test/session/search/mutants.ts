// The rules, each with one mistake. A mutant wraps the real rules: the product contains no switches for this.
import type { SessionRecord } from '../../../src/session/record.ts'
import { authenticationsOf, childOf, LOGIN, parentOf } from './paths.ts'
import { expand, R } from './record.ts'
import { realRules as real } from './refresh.ts'
import type { Rules } from './refresh.ts'
import type { quickScenarios } from './scenarios.ts'

export interface Mutant {
  readonly name: string
  /** The rules that differ from the real ones. */
  readonly rules: Partial<Rules>
  /** A scenario in which a law is broken soon, and what the search says of it. */
  readonly scenario: keyof typeof quickScenarios
  readonly breaks: string
  /** For rules that look further back at `rotatedAt` than 6R: how far, in steps. */
  readonly horizon?: number
}

const LONG_AGO = -1_000_000_000

/** Changes the record that the write without reading compares with. */
function unread(change: (record: SessionRecord) => SessionRecord): Pick<Rules, 'applyRotation'> {
  return {
    applyRotation(record, rotation) {
      const isUnread = record !== null && rotation.expected.confirmed === undefined
      return real.applyRotation(isUnread ? change(record) : record, rotation)
    },
  }
}

export const mutants: readonly Mutant[] = [
  {
    name: 'no early: the current token always gives way to a child',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'early' ? { kind: 'rotate' } : decision
      },
      ...unread(record => ({ ...record, servedAt: LONG_AGO })),
    },
    scenario: 'careless',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 'early for R instead of 2R',
    rules: {
      decideRefresh(state, token, now) {
        const decision = real.decideRefresh(state, token, now)
        const isLate = now - state.servedAt > state.reuseInterval
        return decision.kind === 'early' && isLate ? { kind: 'rotate' } : decision
      },
      ...unread(record => ({ ...record, servedAt: record.servedAt - record.reuseInterval })),
    },
    scenario: 'careless',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 'no bounds of 4R and 6R on rotatedAt',
    rules: {
      decideRefresh: (state, token, now) => (
        real.decideRefresh(token.isAnchored ? { ...state, rotatedAt: state.servedAt } : state, token, now)
      ),
      ...unread(record => ({ ...record, rotatedAt: record.servedAt })),
    },
    scenario: 'holdChild',
    breaks: 'law 2: a thief holds the windows of one token open',
    horizon: 8 * R,
  },
  {
    name: 'no busy: a branch at once after 4R',
    rules: {
      decideRefresh(state, token, now) {
        const decision = real.decideRefresh(state, token, now)
        return decision.kind === 'busy' && token.isParent ? { kind: 'branch', branch: state.branch + 1 } : decision
      },
    },
    scenario: 'careless',
    breaks: 'law 3: two concurrent refreshes with one token get different children',
  },
  {
    name: 'no limit of six branches',
    rules: {
      decideRefresh(state, token, now) {
        const decision = real.decideRefresh(token.isParent ? { ...state, branch: 0 } : state, token, now)
        return decision.kind === 'branch' ? { kind: 'branch', branch: state.branch + 1 } : decision
      },
    },
    scenario: 'hold',
    breaks: 'law 2: a thief holds the windows of one token open',
  },
  {
    name: 'a branch displaces nothing: the same child for ever',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'branch' ? { kind: 'retry', isServed: false } : decision
      },
    },
    scenario: 'twice',
    breaks: 'law 2: owner and thief have refreshed 2 times each, and nobody noticed',
  },
  {
    name: 'servedAt is never written',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'early' || decision.kind === 'retry' ? { ...decision, isServed: false } : decision
      },
    },
    scenario: 'careless',
    breaks: 'law 3: two concurrent refreshes with one token get different children',
  },
  {
    name: 'confirmed at once',
    rules: { confirms: ({ gen }) => gen > 0 },
    scenario: 'careless',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 'confirmed after R instead of 2R',
    rules: { confirms: (claims, now) => real.confirms({ ...claims, ri: claims.ri / 2 }, now) },
    scenario: 'careless',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 'whether the child is confirmed makes no difference',
    rules: { decideRefresh: (state, ...rest) => real.decideRefresh({ ...state, confirmed: false }, ...rest) },
    scenario: 'third',
    breaks: 'law 2: the parent of a child in use is answered',
  },
  {
    name: 'never theft: an older token gets the current one',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'theft' ? { kind: 'retry', isServed: false } : decision
      },
    },
    scenario: 'twice',
    breaks: 'law 2: owner and thief have refreshed 2 times each, and nobody noticed',
  },
  {
    name: 'a token is adopted without the anchor',
    rules: { present: (...input) => ({ ...real.present(...input), isAnchored: true }) },
    scenario: 'forger',
    breaks: 'law 4: a refresh key alone opens the session',
  },
  {
    name: 'an adopted token is rotated at once',
    rules: {
      applyRotation(record, rotation) {
        const { expected, next } = rotation
        const isAdoption = record !== null && expected.confirmed !== undefined && next.generation > record.generation
          && authenticationsOf(next.refreshHash) === authenticationsOf(record.refreshHash)
        return real.applyRotation(record, !isAdoption ? rotation : {
          ...rotation,
          next: { ...next, refreshHash: childOf(next.refreshHash, 0), generation: next.generation + 1, branch: 0 },
        })
      },
    },
    scenario: 'recovered',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 'no adoption: a token ahead of the store is theft',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'adopt' ? { kind: 'theft' } : decision
      },
    },
    scenario: 'recovered',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 're-authentication: secret and anchor are derived',
    rules: {
      present: (record, token) => ({
        ...real.present(record, token), isAnchored: true, isParent: parentOf(record.refreshHash) === token,
      }),
      applyRotation: (record, rotation) => (
        real.applyRotation(record, { ...rotation, next: { ...rotation.next, confirmed: false } })
      ),
    },
    scenario: 'ended',
    breaks: 'law 2: a token of an ended lineage is answered',
  },
  {
    name: 're-authentication: the generation may be below that of the access token',
    rules: {
      decideReauthentication(state, ...rest) {
        const decision = real.decideReauthentication(state, ...rest)
        return decision.kind === 'busy' ? decision : { ...decision, generation: state.generation + 1 }
      },
    },
    scenario: 'zeroForgetful',
    breaks: 'law 1: an honest client is refused (forged)',
  },
  {
    name: 're-authentication: a second one is not guarded',
    rules: {
      decideReauthentication: (state, ...rest) => real.decideReauthentication({ ...state, confirmed: false }, ...rest),
    },
    scenario: 'race',
    breaks: 'law 2: two re-authentications at once are both answered',
  },
  {
    name: 're-authentication: tokens of the lineage that it ended raise an alarm',
    rules: {
      decideRefresh(...input) {
        const decision = real.decideRefresh(...input)
        return decision.kind === 'superseded' ? { kind: 'theft' } : decision
      },
    },
    scenario: 'noAlarm',
    breaks: 'law 1: an honest client is refused (theft)',
  },
  {
    name: 're-authentication: tokens of the lineage that it ended are refused at once',
    rules: {
      decideRefresh(state, token, now) {
        const decision = real.decideRefresh(state, token, now)
        return decision.kind === 'busy' && !token.isAnchored ? { kind: 'superseded' } : decision
      },
    },
    scenario: 'alone',
    breaks: 'law 1: an honest client is refused (superseded)',
  },
  {
    name: 'a write that is blind: it expects nothing',
    rules: {
      applyRotation: (record, rotation) => (record === null ? null : { ...record, ...rotation.next }),
      isUnchanged: () => true,
    },
    scenario: 'race',
    breaks: 'law 5: an older lineage takes the record back',
  },
  {
    name: 'a write that inserts',
    rules: {
      applyRotation(record, rotation) {
        const inserted = expand({ current: LOGIN, isConfirmed: true, rotated: 0, served: 0 }, 0)
        return record === null ? { ...inserted, ...rotation.next } : real.applyRotation(record, rotation)
      },
    },
    scenario: 'race',
    breaks: 'law 5: a session that was revoked is back',
  },
]
