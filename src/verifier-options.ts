import { duration } from './base/duration.ts'
import type { Duration } from './base/duration.ts'
import { callback, explicit, having, required, rule, text, withDefault } from './base/options.ts'
import type { Rule, RulesFor } from './base/options.ts'
import type { Clock } from './base/time.ts'
import type { ChangeSource } from './session/change-view.ts'
import type { JwkSet, PublicJwk } from './tokens/jwk.ts'
import { applicationRule } from './session/identifiers.ts'
import { cookieNameRule } from './transport/set-cookie.ts'

/** The options of `createVerifier`: where the keys are, and what tokens must contain. */
export interface VerifierOptions {
  /** The issuer of the tokens: origin and base path, such as `https://app.example.com/auth`. */
  readonly issuer: string
  /** The URL of the key set. Default: `/jwt/jwks.json` under the issuer. */
  readonly jwksUrl?: string
  /** The key set, instead of its URL. It is never updated. Default: the key set is fetched from `jwksUrl`. */
  readonly jwks?: JwkSet
  /** A single public key, instead of a key set. Default: the key set. */
  readonly publicKey?: PublicJwk
  /** The audience that tokens must have, their claim `aud`. Default: tokens must have none. */
  readonly audience?: string
  /** The name of the application that issues the tokens, its option `application` (S-03). Default: `default`. */
  readonly application?: string
  /** The source of the revocation feed. Default: none; tokens of revoked sessions are accepted until they expire. */
  readonly feed?: ChangeSource
  /**
   * The time between two reads of the feed, of which up to a fifth is taken off at random: from 0 to 1 hour. Default: 1
   * second.
   */
  readonly pollInterval?: Duration
  /**
   * How long the last read of the feed is trusted while the feed cannot be read: from 0 to 1 hour. Default: 5 seconds.
   */
  readonly maxStaleness?: Duration
  /**
   * The longest time for which a token is accepted after it was issued, even if it expires later: from 1 second to 1
   * day. Default: 1 day.
   */
  readonly maxTokenAge?: Duration
  /**
   * The name of the access token's cookie. Default: `__Host-sAccessToken`, or `sAccessToken` if the issuer uses http;
   * on localhost, `-` and the port of the issuer follow. Set it to `__Secure-sAccessToken` if the server sets a cookie
   * `domain`.
   */
  readonly accessTokenName?: string
  /** Fetches the key set. Default: the platform's `fetch`. */
  readonly fetch?: (url: string) => Promise<Response>
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `createVerifier`. */
export const verifierRules:
  & RulesFor<VerifierOptions>
  & Record<'pollInterval' | 'maxStaleness' | 'maxTokenAge', Rule<Duration, number>> = {
  issuer: required(rule(
    'the issuer of the tokens, a URL such as "https://app.example.com/auth", without a slash at the end',
    (value): value is string => (
      typeof value === 'string' && /^https?:\/\/[^\s?#]*[^\s?#/]$/.test(value) && URL.canParse(value)
    ))),
  jwksUrl: text('the URL of a key set', /^https?:\/\/\S+$/),
  jwks: rule('a JSON Web Key Set: an object with the array `keys`', (value): value is JwkSet => (
    typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys)
  )),
  publicKey: rule('a public JSON Web Key: an object with the string `kty`', (value): value is PublicJwk => (
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
