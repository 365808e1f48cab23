// Random lives in continuous time, by the same rules as the search: what is between the steps of a search, and longer.
import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import type { SessionRecord } from '../../../src/session/record.ts'
import { seededRandom } from '../laws/world.ts'
import { generationOf, LOGIN } from './paths.ts'
import type { Path } from './paths.ts'
import { expand, NOW } from './record.ts'
import { confirm, serve } from './refresh.ts'
import type { Outcome, Rules } from './refresh.ts'

export const R: Milliseconds = 30_000

/** What a client holds: a refresh token, and the access token beside it by the time of its issue. */
export interface Jar {
  readonly token: Path
  readonly issuedAt: EpochMilliseconds
}

/** One session from its login on. */
export class Life {
  now: EpochMilliseconds = NOW
  record: SessionRecord | null
  readonly random: () => number
  readonly #rules: Rules

  constructor(rules: Rules, seed: number) {
    this.#rules = rules
    this.random = seededRandom(seed)
    const login = expand({ current: LOGIN, isConfirmed: true, rotated: 0, served: 0 }, 0)
    this.record = { ...login, reuseInterval: R }
  }

  login(): Jar {
    return { token: LOGIN, issuedAt: this.now }
  }

  /** Presents the refresh token; null for the jar if there was none in the answer. */
  refresh({ token }: Jar): { readonly outcome: Outcome; readonly jar: Jar | null } {
    const request = { kind: 'refresh', token, now: this.now, secret: '' } as const
    const { record, outcome } = serve(this.record, request, this.#rules)
    this.record = record
    return { outcome, jar: outcome.kind === 'answered' ? { token: outcome.token, issuedAt: this.now } : null }
  }

  /** Uses the access token, which may confirm the refresh token beside it. */
  use({ token, issuedAt }: Jar): void {
    if (this.record === null) return
    const claims = { gen: generationOf(token), iat: Math.floor(issuedAt / 1000), ri: R }
    if (this.#rules.confirms(claims, this.now)) this.record = confirm(this.record, token)
  }

  /** A random time up to this. */
  upTo(most: Milliseconds): Milliseconds {
    return Math.floor(this.random() * most)
  }

  isLikely(probability: number): boolean {
    return this.random() < probability
  }
}
