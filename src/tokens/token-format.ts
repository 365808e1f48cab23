import type { Awaitable } from '../base/awaitable.ts'
import type { InvalidDataError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds, EpochSeconds, Milliseconds } from '../base/time.ts'
import type { KeyRing } from './key-ring.ts'
import type { SigningDemand } from './plan-rotation.ts'

/** What every access token says of its session, whatever its format (RFC 7519, RFC 9068). */
export interface TokenClaims {
  /** The user. */
  readonly sub: string
  /** The session. */
  readonly sid: SessionHandle
  /** The tenant. */
  readonly tid: string
  readonly iat: EpochSeconds
  readonly exp: EpochSeconds
  /** When the user last proved who they are. */
  readonly auth_time: EpochSeconds
  /** The generation of the refresh token that was issued with it. */
  readonly gen: number
  /** The branch of that refresh token. */
  readonly brn: number
  /** The session's reuse interval: at twice this age the token's use confirms that refresh token. */
  readonly ri: Milliseconds
  /** The version of the application's payload. */
  readonly pv: number
  /** Present where the session's cookies end with the browser. */
  readonly tmp?: true
}

/** What all access tokens of a session say of it. */
export interface Subject {
  readonly userId: string
  readonly tenantId: string
}

/** What a call may ask of its tokens. A format adds what it can vary. */
export interface TokenStyle {
  /** How long the access token lives, at most as long as the session's do; null: as those, less a random part. */
  readonly lifetime: Milliseconds | null
}

/** What a pair of tokens is written from. */
export interface TokenDraft {
  readonly claims: TokenClaims
  /** The stored payload, JSON text. */
  readonly payload: string
  /** The session's current refresh token. */
  readonly refreshToken: string
  /** The text that was exchanged for it; null at a login. */
  readonly presented: string | null
}

/** An access token that was written, and what it says. */
export interface WrittenAccessToken<Claims> {
  readonly accessToken: string
  readonly claims: Claims
  /** What of the stored payload it carries. */
  readonly payload: JsonObject
}

/** A pair of tokens, as the client gets it. */
export interface TokenPair<Claims> extends WrittenAccessToken<Claims> {
  readonly refreshToken: string
}

/** What a text turned out to be as an access token. */
export type TokenReading<Claims> =
  | { readonly kind: 'valid'; readonly claims: Claims; readonly payload: JsonObject }
  /** We signed it, and it was valid until its time was over. */
  | { readonly kind: 'expired'; readonly claims: Claims }
  /** It looks like ours, but no key in the ring has this name: another process may have made one. */
  | { readonly kind: 'unknown-key'; readonly kid: string }
  /** It claims a key of ours, but the signature or a claim does not hold. */
  | { readonly kind: 'invalid' }
  /** Not an access token of ours at all. */
  | { readonly kind: 'unrecognized' }

/**
 * How tokens are written and read. The flows of sessions are written once over this port. A format knows keys and texts;
 * it knows neither store, policy nor rotation. `Claims`: what its access tokens say; `Style`: what a call may ask of them.
 */
export interface TokenFormat<Style extends TokenStyle, Claims extends TokenClaims> {
  /** The keys that it signs with, one for each purpose. */
  readonly demands: readonly SigningDemand[]
  /** The longest text that is looked at as an access token (DOS-01). */
  readonly maxLength: number
  /** What a call that asks for nothing gets. */
  readonly defaultStyle: Style
  /**
   * Judges an access token: shape, then key, then signature, then claims (TOK-01). No token is accepted for longer than
   * `maxLifetime` after its issue. Never throws on any text. Synchronous where the platform's cryptography is.
   */
  read(
    text: string,
    keys: KeyRing,
    now: EpochMilliseconds,
    maxLifetime: Milliseconds,
  ): Awaitable<TokenReading<Claims>>
  /** The refresh token in the text that a client carries, without what the format adds to it. */
  refreshTokenIn(text: string): string
  /**
   * Why no token of the session could carry the payload, JSON text, so that it must not be stored (S-12); null if one
   * can. `style`: that of the first token, at a login.
   */
  refusal(subject: Subject, payload: string, style: Style | null): InvalidDataError | null
  /** Writes a pair. @throws InvalidDataError if no token can carry the payload. */
  issue(draft: TokenDraft, style: Style, keys: KeyRing, now: EpochMilliseconds): Promise<TokenPair<Claims>>
  /** Writes an access token beside a refresh token that stays. @throws InvalidDataError as {@link TokenFormat.issue}. */
  reissue(claims: Claims, payload: string, keys: KeyRing, now: EpochMilliseconds): Promise<WrittenAccessToken<Claims>>
  /**
   * What the token to use instead of one in use says, where the session's record would by now give `current`; null: it
   * goes on.
   */
  successor(claims: Claims, current: TokenClaims): Claims | null
}
