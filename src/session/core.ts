import type { Awaitable } from '../base/awaitable.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { Duration } from '../base/duration.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import type { TransferMode } from '../base/wire.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { JwkSet } from '../tokens/jwk.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { TokenOwner } from '../tokens/token-owner.ts'
import type { LineagePlace } from './decide-refresh.ts'
import type { SessionPolicy } from './policy.ts'
import type { ClientInfo, SessionRecord } from './record.ts'

/**
 * Everything that sessions do, without a word of HTTP: tokens in, outcomes out. Expected endings are values;
 * what is thrown is a `GeneralError` (store down, misuse), or what a call says. `Claims` and `Style` are those of the
 * format of its tokens; by default the library's.
 */
export interface SessionCore<
  Payload extends object,
  Info extends object,
  Style extends TokenStyle = TokenStyle,
  Claims extends TokenClaims = AccessClaims,
> {
  readonly policy: SessionPolicy
  /** The time by which sessions are judged. */
  readonly clock: Clock

  /** Starts a session. 1 store call; with `maxSessionsPerUser` 2 or 3. */
  create(session: NewSession<Payload, Info>, style?: Style): Promise<IssuedSession<Payload, Claims>>
  /** Judges an access token: 0 store calls in the modes `off` and `feed`, 1 in `strict`. */
  verify(accessToken: string, options?: VerifyOptions): Promise<VerifyOutcome<Payload, Claims>>
  /**
   * What {@link SessionCore.verify} would say, where nothing has to be waited for: a promise costs more than the rest
   * of the verification of a token that was seen before. Undefined where something has.
   */
  verifyNow(accessToken: string, options?: VerifyOptions): VerifyOutcome<Payload, Claims> | undefined
  /**
   * Exchanges a refresh token that came by `channel`; null: nobody can tell how. 1 store call for an ordinary rotation,
   * 2 or 3 otherwise.
   * @throws GeneralError (`REFRESH_BUSY`) if the same token is to be presented again in `retryAfter` seconds.
   */
  refresh(
    refreshToken: string,
    channel: TransferMode | null,
    client: ClientInfo,
    style?: Style,
  ): Promise<RefreshOutcome<Payload, Claims>>
  /**
   * Stores a new payload and issues an access token with it, of the same expiry; without one, issues an access token with
   * the stored payload. 1 store call.
   * @throws SessionNotFoundError if the session is gone.
   * @throws InvalidDataError if no access token of the session could carry it.
   */
  reissue(claims: Claims, payload?: Payload): Promise<IssuedAccessToken<Payload, Claims>>
  /**
   * What an access token says that we issued, expired or not; null for any other text. Not a proof that the session is
   * alive. 0 store calls.
   */
  identify(accessToken: string): Promise<IdentifiedAccessToken<Claims> | null>
  /** Whose a refresh token is, by its tag. Not a proof that it can be used. 0 store calls. */
  ownerOfRefreshToken(refreshToken: string): Promise<TokenOwner>
  /** A token that proves to the server that the page could read this session's answers (CSRF-06). */
  createAntiCsrfToken(handle: SessionHandle): Promise<string>
  /** Whether the text is an anti-CSRF token of this session. */
  isAntiCsrfToken(handle: SessionHandle, text: string): Promise<boolean>
  /** Makes new keys now; they are published first and used later, so that no verifier is surprised (TOK-20). */
  rotateKeys(): Promise<void>
  /** The public keys, as a JSON Web Key Set (RFC 7517), for other services that verify access tokens. */
  getJwks(): Promise<JwkSet>

  /** All that is kept of a session. 1 store call. @throws SessionNotFoundError if it is gone. */
  getSessionByHandle(handle: string): Promise<StoredSession<Payload, Info>>
  /** The private data of a session. 1 store call. @throws SessionNotFoundError if it is gone. */
  getSessionInfo(handle: string): Promise<Info>
  /**
   * Replaces the private data, or derives it atomically from the current (retried on conflict). 1 or 2 store calls.
   * @throws SessionNotFoundError if the session is gone.
   */
  updateSessionInfo(handle: string, info: Info | ((current: Info) => Awaitable<Info>)): Promise<void>
  /**
   * The same, if the private data still has this version (`infoVersion`). Whether it had. 2 store calls.
   * @throws SessionNotFoundError if the session is gone.
   */
  updateSessionInfoIf(
    version: number,
    handle: string,
    info: Info | ((current: Info) => Awaitable<Info>),
  ): Promise<boolean>
  /**
   * Replaces the claims; live sessions get them on their next request. 1 store call, 2 for a long payload.
   * @throws SessionNotFoundError if it is gone.
   * @throws InvalidDataError if no access token of the session could carry them.
   */
  updateJwtPayload(handle: string, payload: Payload): Promise<void>
  /** Ends a session. 1 store call. Whether there was one. */
  revokeSession(handle: string): Promise<boolean>
  /** Ends sessions. 1 store call. The handles that were really ended. */
  revokeSessions(handles: readonly string[]): Promise<readonly string[]>
  /**
   * Ends every session of a user, in one tenant or in all, but `except`: after a password reset, say (REV-04). Logins
   * that have begun but not finished are refused with an `UnauthorizedError`. 1 store call.
   */
  revokeAllSessionsForUser(userId: string, options?: RevokeOptions): Promise<readonly string[]>
  /**
   * Ends every session of everybody: replaces all keys and removes all sessions, 1,000 with each store call (REV-03).
   */
  revokeEverySession(): Promise<void>
  /** The handles of a user's live sessions, in one tenant or in all. 1 store call for up to 1,000. */
  getAllSessionHandlesForUser(userId: string, options?: TenantOptions): Promise<readonly string[]>
  /** A page of a user's live sessions, newest first: "your devices". 1 store call. */
  listSessions(userId: string, page?: ListOptions): Promise<SessionList>
  /**
   * Calls the listener once, as soon as this process hears that the session was ended, by itself or by another. Never
   * for a session that merely expires. 0 store calls. Returns how to take that back.
   */
  onRevoked(handle: SessionHandle, listener: () => unknown): () => void
  /** Stops timers and following, sends what is queued, and closes the store. */
  close(): Promise<void>
}

/** An access token that we issued. */
export interface IdentifiedAccessToken<Claims extends TokenClaims = AccessClaims> {
  readonly claims: Claims
  /** Whether it has not expired. */
  readonly usable: boolean
}

/** A session, and the application's data in it. */
export interface StoredSession<Payload extends object, Info extends object> {
  readonly record: SessionRecord
  readonly jwtPayload: Payload
  readonly sessionInfo: Info
}

/** What a session starts with. */
export interface NewSession<Payload extends object, Info extends object> {
  readonly userId: string
  readonly mode: TransferMode
  readonly client: ClientInfo
  readonly jwtPayload?: Payload | undefined
  readonly sessionInfo?: Info | undefined
  readonly options?: NewSessionOptions | undefined
}

/**
 * What one login may decide for its own session. Lifetimes can only be shorter than configured
 * (REV-05).
 */
export interface NewSessionOptions {
  /** "Remember me": whether cookies outlive the browser. Default: true. */
  readonly persistent?: boolean
  /** How long its access tokens live: from 1 second to 1 day. Default: as configured. */
  readonly accessTokenLifetime?: Duration
  /** How long it may go without a refresh: from 1 second to 400 days. Default: as configured. */
  readonly idleTimeout?: Duration
  /** How long it may last at all: from 1 second to 36,500 days. Default: as configured. */
  readonly absoluteTimeout?: Duration
  /** Which tenant it belongs to: 1 to 64 characters `a-z`, `0-9`, `-`. Default: `public`. */
  readonly tenantId?: string
}

/** Which of a user's sessions are meant. */
export interface TenantOptions {
  /** The tenant whose sessions are meant. Default: those of all tenants. */
  readonly tenantId?: string
}

/** Which of a user's sessions are revoked. */
export interface RevokeOptions extends TenantOptions {
  /** The handle of a session that stays, such as the one that asks for it. Default: none stays. */
  readonly except?: string
}

/** Which page of a list. */
export interface ListOptions {
  /** At most this many sessions: from 1 to 1,000. Default: 100. */
  readonly limit?: number
  /** Where the page before ended: its `next`. Default: the first page. */
  readonly after?: string | null
}

/** How to verify. */
export interface VerifyOptions {
  /** Overrides the configured `accessTokenBlacklisting` for this call. */
  readonly blacklisting?: Blacklisting
}

/** How revocation reaches access tokens that have not expired: design of the revocation feed. */
export type Blacklisting = 'off' | 'feed' | 'strict'

/** An access token and what it says. */
export interface IssuedAccessToken<Payload extends object, Claims extends TokenClaims = AccessClaims> {
  readonly accessToken: string
  readonly claims: Claims
  readonly payload: Payload
}

/** A pair of tokens for one session. */
export interface IssuedSession<Payload extends object, Claims extends TokenClaims = AccessClaims>
  extends IssuedAccessToken<Payload, Claims> {
  readonly refreshToken: string
  /** When the session ends if it is not refreshed. */
  readonly sessionExpiresAt: EpochMilliseconds
}

/** What verifying an access token can come to. */
export type VerifyOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> =
  | ActiveOutcome<Payload, Claims>
  /** Not an access token of ours at all: it counts as absent. */
  | { readonly kind: 'unrecognized' }
  /** Ours, but not usable: expired, or its signature or key does not hold. */
  | { readonly kind: 'refresh-required'; readonly reason: 'expired' | 'invalid' | 'unknown-key' }
  /** The session has ended. */
  | { readonly kind: 'revoked'; readonly handle: SessionHandle }

/** The token is good, and so is its session as far as the chosen mode tells. */
export interface ActiveOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> {
  readonly kind: 'active'
  readonly claims: Claims
  readonly payload: Payload
  /** A newer access token for the client: its payload was changed from elsewhere, say. */
  readonly reissued: IssuedAccessToken<Payload, Claims> | null
}

/** How a refresh was answered: rows of the rotation table. */
export type RefreshCase = 'adopt' | 'early' | 'rotate' | 'retry' | 'branch'

/** What presenting a refresh token can come to. */
export type RefreshOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> =
  | { readonly kind: 'refreshed'; readonly how: RefreshCase; readonly issued: IssuedSession<Payload, Claims> }
  /** `ended`: we issued the token and its session is over, so it can never work again. */
  | { readonly kind: 'unauthorized'; readonly ended: boolean }
  | TheftOutcome

/** Two parties hold tokens of the session, and the session has been removed. */
export interface TheftOutcome {
  readonly kind: 'theft'
  readonly userId: string
  readonly handle: SessionHandle
  /** Where the presented token and the current one stand in the lineage. */
  readonly presented: LineagePlace
  readonly current: LineagePlace
}

/**
 * One of a user's sessions, without anything secret (REV-03). It does not tell when the session was last refreshed:
 * whoever stole its tokens could refresh in step with their owner.
 */
export interface SessionSummary {
  readonly handle: string
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: EpochMilliseconds
  /** When it ends if it is not refreshed, rounded up to a whole day (UTC). */
  readonly expiresAt: EpochMilliseconds
  readonly ip: string | null
  readonly userAgent: string | null
}

/** A page of a user's sessions. */
export interface SessionList {
  readonly sessions: readonly SessionSummary[]
  /** Pass as `after` for the next page; null at the end. */
  readonly next: string | null
}
