import type { Awaitable } from '../base/awaitable.ts'
import type { InvalidDataError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds, EpochSeconds, Milliseconds } from '../base/time.ts'
import type { KeyRing } from './key-ring.ts'
import type { SigningKeyRequest } from './plan-rotation.ts'
import type { MacSource } from './token-mac.ts'

/** The claims of every access token, in any format (RFC 7519, RFC 9068). */
export interface TokenClaims {
  /** The user id. */
  readonly sub: string
  /** The session handle. */
  readonly sid: SessionHandle
  /** The tenant id. */
  readonly tid: string
  readonly iat: EpochSeconds
  readonly exp: EpochSeconds
  /** When the user last authenticated. */
  readonly auth_time: EpochSeconds
  /** The generation of the refresh token that was issued with it. */
  readonly gen: number
  /** The branch of that refresh token. */
  readonly brn: number
  /** The session's reuse interval. When this token is used at twice this age, it confirms that refresh token. */
  readonly ri: Milliseconds
  /** The version of the application's JWT payload. */
  readonly pv: number
  /** Present if the session's cookies are not persistent: the browser deletes them when it is closed. */
  readonly tmp?: true
}

/** What all access tokens of a session have in common. */
export interface Subject {
  readonly userId: string
  readonly tenantId: string
}

/** What a call can choose for its tokens. A token format can add members. */
export interface TokenStyle {
  /** The access token's lifetime, at most that of the session; null: that of the session, less a random part. */
  readonly lifetime: Milliseconds | null
}

/** What a pair of tokens is created from. */
export interface TokenDraft {
  readonly claims: TokenClaims
  /** The stored JWT payload, as a JSON string. */
  readonly payload: string
  /** The session's current refresh token. */
  readonly refreshToken: string
  /** The refresh token that was exchanged for it; null at a login. */
  readonly presented: string | null
}

/** An issued access token and its content. */
export interface WrittenAccessToken<Claims> {
  readonly accessToken: string
  /** Its MAC, which its client sends beside it in a cookie; null if there is none. */
  readonly mac: string | null
  readonly claims: Claims
  /** The part of the stored payload that it contains. */
  readonly payload: JsonObject
}

/** A pair of tokens for the client. */
export interface TokenPair<Claims> extends WrittenAccessToken<Claims> {
  readonly refreshToken: string
}

/** The result of reading an access token. */
export type TokenReading<Claims> =
  | { readonly kind: 'valid'; readonly claims: Claims; readonly payload: JsonObject }
  /** Signature and claims are valid, but the token has expired. */
  | { readonly kind: 'expired'; readonly claims: Claims }
  /**
   * It has the form of an access token of Keyturn, but the ring has no key with this id. Another process may have one.
   */
  | { readonly kind: 'unknown-key'; readonly kid: string }
  /** It names a key of the ring, but its signature or a claim is invalid. */
  | { readonly kind: 'invalid' }
  /** It is not an access token of Keyturn. */
  | { readonly kind: 'unrecognized' }

/**
 * The port of a token format: how tokens are issued and read. The session flows are implemented once, on this port. A
 * format does not know store, policy or rotation. `Claims`: the claims of its access tokens. `Style`: what a call can
 * choose for its tokens.
 */
export interface TokenFormat<Style extends TokenStyle, Claims extends TokenClaims> {
  /** The keys that it signs with, one for each purpose. */
  readonly keyRequests: readonly SigningKeyRequest[]
  /** Longer strings are rejected as access tokens without being read (DOS-01). */
  readonly maxLength: number
  /** The style of a call that chooses none. */
  readonly defaultStyle: Style
  /**
   * Verifies an access token: first its form, then key, signature and claims (TOK-01). No token is accepted for longer
   * than `maxLifetime` after it was issued. `macs`: those of the request; null if the token was not sent in a cookie.
   * Never throws. Synchronous if the platform's cryptography is.
   */
  read(
    text: string,
    keys: KeyRing,
    now: EpochMilliseconds,
    maxLifetime: Milliseconds,
    macs: MacSource | null,
  ): Awaitable<TokenReading<Claims>>
  /** The refresh token in the string that a client sends, without what the format adds to it. */
  refreshTokenIn(text: string): string
  /**
   * The error if a token of the session cannot contain this payload (a JSON string), which must then not be stored
   * (S-12); null if it can. `style`: that of the first token, at a login.
   */
  findLengthProblem(subject: Subject, payload: string, style: Style | null): InvalidDataError | null
  /** Issues a pair of tokens. @throws InvalidDataError if no token can contain the payload. */
  issue(draft: TokenDraft, style: Style, keys: KeyRing, now: EpochMilliseconds): Promise<TokenPair<Claims>>
  /** Issues an access token; the refresh token stays. @throws InvalidDataError as {@link TokenFormat.issue}. */
  reissue(claims: Claims, payload: string, keys: KeyRing, now: EpochMilliseconds): Promise<WrittenAccessToken<Claims>>
  /**
   * The claims of the access token that replaces one with `claims`, if a token of the current record would have the
   * claims `current`. Null: the token need not be replaced.
   */
  successor(claims: Claims, current: TokenClaims): Claims | null
}
