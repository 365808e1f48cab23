// The scenarios of the search. Each is as general as the law that it tests allows.
import { honestWorld } from './honest-world.ts'
import type { HonestOptions } from './honest-world.ts'
import { raceWorld } from './race-world.ts'
import type { RaceOptions } from './race-world.ts'
import { R } from './record.ts'
import type { Rules } from './refresh.ts'
import { search } from './search.ts'
import type { SearchResult } from './search.ts'
import { thiefWorld } from './thief-world.ts'
import type { ThiefOptions } from './thief-world.ts'

export interface Scenario {
  readonly name: string
  /** @param horizon bound on `rotatedAt` in steps, for rules that look further back than the real ones; or null */
  readonly run: (rules: Rules, horizon?: number | null) => Promise<SearchResult>
}

/** Two calls in flight, at most one lost response in a row, a jar that falls back; refreshes at any age. */
function honest(name: string, options: Partial<HonestOptions>): Scenario {
  const usual: HonestOptions = { calls: 2, lostAnswers: 1, fallsBack: true, never: ['refusal', 'divergence'] }
  return { name, run: (rules, horizon = null) => search(honestWorld({ ...usual, ...options, horizon }, rules)) }
}

/** Owner and thief go on to refresh, more than 2R apart; refreshes at any age. */
function thief(name: string, options: Partial<ThiefOptions>): Scenario {
  const usual: ThiefOptions = { thief: 'goes on', apart: 2 * R + 1 }
  return { name, run: (rules, horizon = null) => search(thiefWorld({ ...usual, ...options, horizon }, rules)) }
}

function race(name: string, options: RaceOptions): Scenario {
  return { name, run: rules => search(raceWorld(options, rules)) }
}

const alone = { reauthenticatesAlone: true, lostAnswers: 0, never: ['refusal'] } as const
const thirdTurn = { losesAnswers: true, turns: 3 } as const
const zero = { reuseInterval: 0 } as const

/** Every test run searches these. */
export const quickScenarios = {
  race: race('law 5: refreshes, re-authentications, a confirmation and a revocation race', {
    calls: ['refresh', 'refresh', 'reauthentication', 'reauthentication', 'confirmation', 'revocation'],
  }),
  twice: thief('law 2: when owner and thief have refreshed twice each, the session is over', {
    losesAnswers: true, times: 2,
  }),
  third: thief('law 2: the third refresh in alternation fails; the parent of a child in use is never answered', {
    ...thirdTurn, neverParentOfUsed: true,
  }),
  life4: thief('law 2: the third fails with access tokens of 4R', { ...thirdTurn, lifetime: 4 * R }),
  life8: thief('law 2: the third fails with access tokens of 8R', { ...thirdTurn, lifetime: 8 * R }),
  ended: thief('law 2: the third fails although the owner authenticates again; no ended lineage is answered', {
    turns: 3, reauthentications: 1,
  }),
  forgetful: thief('laws 2, 6: the fourth fails if the store forgets up to two rotations', { turns: 4, forgets: 2 }),
  hold: thief('law 2: no thief keeps the windows of one token open for 38R (36R, and a step for each of six)', {
    thief: 'holds', apart: 0, longestHold: 38 * R,
  }),
  holdChild: thief('law 2: no thief keeps the window of one child open for more than 6R (and a step)', {
    thief: 'holds', apart: 0, longestHold: 6 * R + 2, perChild: true,
  }),
  forger: thief('law 4: a refresh key without a refresh token opens no session and ends none', {
    times: 2, forger: true,
  }),
  zeroHonest: honest('R = 0, law 1: a client with one call in flight, however many answers are lost in a row', {
    ...zero, calls: 1, fallsBack: false, lostAnswers: 99, reauthentications: 2, never: ['refusal'],
  }),
  zeroForgetful: honest('R = 0, law 6: the same client, and a store that forgets up to two rotations', {
    ...zero, calls: 1, fallsBack: false, lostAnswers: 3, forgets: 2, reauthentications: 1, never: ['refusal'],
  }),
  zeroThird: thief('R = 0, law 2: the third in alternation fails, at any distance in time', {
    ...zero, ...thirdTurn, apart: 0, neverParentOfUsed: true,
  }),
  zeroFree: thief('R = 0, law 2: the fourth fails for a thief who repeats older tokens', {
    ...zero, thief: 'free', apart: 0, losesAnswers: true, turns: 4,
  }),
  zeroRace: race('R = 0, law 5: refreshes, a re-authentication, a confirmation and a revocation race', {
    ...zero, calls: ['refresh', 'refresh', 'reauthentication', 'confirmation', 'revocation'],
  }),
  noAlarm: honest('re-authentication: careless pages never raise an alarm', {
    reauthentications: 1, lostAnswers: 0, never: ['theft'], fallsBack: false,
  }),
  alone: honest('re-authentication with no other answer under way: no refusal if its own arrives', {
    ...alone, reauthentications: 2, fallsBack: false,
  }),
  careless: honest('laws 1, 3: careless pages without end, a jar up to R behind, no answer lost for good', {
    lostAnswers: 0,
  }),
  recovered: honest('law 6: the store forgets its first rotation; the jar falls back once a token was adopted', {
    calls: 1, forgets: 1, forgetsFirst: true, lostAnswers: 0, never: ['refusal'],
  }),
  free: thief('law 2: the fourth fails for a free thief who keeps 2R away from the owner\'s refreshes', {
    thief: 'free', keepsDistance: true, turns: 4,
  }),
} satisfies Record<string, Scenario>

/** The long test run searches these: the quick ones, more general forms of some of them, and others. */
export const longScenarios: readonly Scenario[] = [
  ...Object.values(quickScenarios),
  thief('law 2: the third fails with access tokens of 32R', { ...thirdTurn, lifetime: 32 * R }),
  thief('law 2: the third fails with clocks R/4 apart, if refreshes are more than 2.25R apart', {
    ...thirdTurn, clocks: [0, 1], apart: 2 * R + 2,
  }),
  thief('law 2: the third fails although the owner authenticates again, twice, and answers are lost', {
    ...thirdTurn, reauthentications: 2,
  }),
  thief('laws 2, 6: the fourth fails if the store forgets two rotations and the owner authenticates again', {
    turns: 4, reauthentications: 1, forgets: 2,
  }),
  thief('law 2: the fourth fails for a free thief who keeps 2R away from the owner, and answers are lost', {
    thief: 'free', keepsDistance: true, turns: 4, losesAnswers: true,
  }),
  honest('re-authentication: careless pages whose jar falls back never raise an alarm', {
    reauthentications: 1, lostAnswers: 0, never: ['theft'],
  }),
  honest('re-authentication with no other answer under way: no refusal by a jar that falls back, but not behind it', {
    ...alone, reauthentications: 2,
  }),
  honest('re-authentication with no other answer under way: no refusal with clocks R/4 apart', {
    ...alone, reauthentications: 1, fallsBack: false, clocks: [0, 1],
  }),
  honest('re-authentication with no other answer under way: no refusal after the store forgot two rotations', {
    ...alone, reauthentications: 1, calls: 1, fallsBack: false, forgets: 2,
  }),
  honest('laws 1, 3: careless pages without end, a jar up to R behind', {}),
  honest('laws 1, 3: five answers of one refresh token are lost in a row', { fallsBack: false, lostAnswers: 5 }),
  honest('laws 1, 3: three calls in flight', { calls: 3, lostAnswers: 0 }),
  honest('law 1: clocks R/4 apart', { clocks: [0, 1], never: ['refusal'] }),
  honest('law 6: a store that forgets one rotation, and careless pages', {
    fallsBack: false, forgets: 1, never: ['refusal'],
  }),
  honest('law 6: the store forgets one rotation; the jar falls back once a token was adopted', {
    calls: 1, forgets: 1, lostAnswers: 0, never: ['refusal'],
  }),
]
