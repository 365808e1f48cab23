import { duration } from './base/duration.ts'
import type { Duration } from './base/duration.ts'
import { callback, explicit, having, required, rule, text, withDefault } from './base/options.ts'
import type { Rule, RulesFor } from './base/options.ts'
import type { Clock } from './base/time.ts'
import type { ChangeSource } from './session/change-view.ts'
import type { JwkSet, PublicJwk } from './tokens/jwk.ts'
import { applicationRule } from './session/identifiers.ts'
import { cookieNameRule } from './transport/set-cookie.ts'

/** Where the keys come from, and what the tokens must say. */
export interface VerifierOptions {
  /** Who issues the tokens: origin and base path, as in `https://app.example.com/auth`. */
  readonly issuer: string
  /** Where the key set is. Default: `/jwt/jwks.json` under the issuer. */
  readonly jwksUrl?: string
  /** The key set itself, instead of its URL; it is never read anew. Default: it is read from `jwksUrl`. */
  readonly jwks?: JwkSet
  /** The one key there is, instead of a key set. Default: the key set. */
  readonly publicKey?: PublicJwk
  /** Whom the tokens must be for, their claim `aud`. Default: they must name nobody. */
  readonly audience?: string
  /** The name of the application that issues them, its option `application` (S-03). Default: `default`. */
  readonly application?: string
  /** Where revocations can be read. Default: nowhere; a token is good until it expires. */
  readonly feed?: ChangeSource
  /** How often the feed is read at most: from 0 to 1 hour. Default: 1 second. */
  readonly pollInterval?: Duration
  /** How old what is known of the feed may be where it cannot be read: from 0 to 1 hour. Default: 5 seconds. */
  readonly maxStaleness?: Duration
  /**
   * How long after its issue a token is accepted at most: from 1 second to 1 day, whatever the token says.
   * Default: 1 day.
   */
  readonly maxTokenAge?: Duration
  /** The cookie of the access token. Default: `__Host-sAccessToken`; `sAccessToken` where the issuer is on http. */
  readonly accessTokenName?: string
  /** Gets the key set. Default: the platform's `fetch`. */
  readonly fetch?: (url: string) => Promise<Response>
  /** Where the time comes from, for tests. Default: the system's clock. */
  readonly clock?: Clock
}

/** What the options of `createVerifier` accept. */
export const verifierRules:
  & RulesFor<VerifierOptions>
  & Record<'pollInterval' | 'maxStaleness' | 'maxTokenAge', Rule<Duration, number>> = {
  issuer: required(text(
    'the URL that tokens name as their issuer, such as "https://app.example.com/auth", without a slash at the end',
    /^https?:\/\/[^\s?#]*[^\s?#/]$/)),
  jwksUrl: text('the URL of a key set', /^https?:\/\/\S+$/),
  jwks: rule('a JSON Web Key Set: an object with the list `keys`', (value): value is JwkSet => (
    typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys)
  )),
  publicKey: rule('a public JSON Web Key: an object with the text `kty`', (value): value is PublicJwk => (
    typeof value === 'object' && value !== null && 'kty' in value && typeof value.kty === 'string'
  )),
  audience: explicit(text()),
  application: applicationRule,
  feed: explicit(having<ChangeSource>('an object with the method `changesSince`, such as a store', 'changesSince')),
  pollInterval: withDefault(1, duration(0, 3600)),
  maxStaleness: withDefault(5, duration(0, 3600)),
  maxTokenAge: withDefault(86_400, duration(1, 86_400)),
  accessTokenName: cookieNameRule,
  fetch: callback<(url: string) => Promise<Response>>(),
  clock: callback<Clock>(),
}
