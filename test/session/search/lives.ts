// Random lives in continuous time, with the same rules as the search: times between the steps of a search, and longer
// lives.
import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import type { SessionRecord } from '../../../src/session/record.ts'
import { seededRandom } from '../laws/world.ts'
import { generationOf, LOGIN } from './paths.ts'
import type { Path } from './paths.ts'
import { expand, NOW } from './record.ts'
import { confirm, serve } from './refresh.ts'
import type { Outcome, Rules } from './refresh.ts'

export const R: Milliseconds = 30_000

/** The tokens of a client: a refresh token, and the time when its access token was issued. */
export interface Jar {
  readonly token: Path
  readonly issuedAt: EpochMilliseconds
}

/** One session, starting with its login. */
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

  /** Presents the refresh token. The jar is null if the response contains none. */
  refresh({ token }: Jar): { readonly outcome: Outcome; readonly jar: Jar | null } {
    const request = { kind: 'refresh', token, now: this.now, secret: '' } as const
    const { record, outcome } = serve(this.record, request, this.#rules)
    this.record = record
    return { outcome, jar: outcome.kind === 'answered' ? { token: outcome.token, issuedAt: this.now } : null }
  }

  /** Uses the access token, which may confirm its refresh token. */
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
