import type { SessionHandle } from '../base/handle.ts'
import type { Duration } from '../base/duration.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import type { TransferMode } from '../base/wire.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { JwkSet } from '../tokens/jwk.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { MacSource } from '../tokens/token-mac.ts'
import type { TokenOwner } from '../tokens/token-owner.ts'
import type { Compute, InputOf, OutputOf, PayloadInput, Update, UpdateOfPayload } from './data-types.ts'
import type { LineagePlace } from './decide-refresh.ts'
import type { SessionPolicy } from './policy.ts'
import type { ClientInfo, SessionRecord } from './record.ts'
import type { SessionDetails, SessionList } from './summary.ts'
import type { Vitals } from './vitals.ts'

/**
 * All operations on sessions, independent of HTTP: they take tokens and return outcomes. Expected outcomes are values.
 * Methods throw a `GeneralError` (the store failed, invalid arguments), and the errors that their comments name.
 * `Claims` and `Style` are those of the token format; by default the library's.
 */
export interface SessionCore<
  Payload extends object,
  Info extends object,
  Style extends TokenStyle = TokenStyle,
  Claims extends TokenClaims = AccessClaims,
> extends Vitals {
  readonly policy: SessionPolicy
  /** The clock that decides whether sessions have expired. */
  readonly clock: Clock

  /** Creates a session. 1 store call; with `maxSessionsPerUser` 2 or 3. */
  create(session: NewSession<Payload, Info>, style?: Style): Promise<IssuedSession<Payload, Claims>>
  /**
   * Verifies an access token: 0 store calls in the modes `off` and `feed`, 1 in `strict`. `macs`: those that the
   * request contains, if the token was sent in a cookie.
   */
  verify(accessToken: string, options?: VerifyOptions, macs?: MacSource): Promise<VerifyOutcome<Payload, Claims>>
  /**
   * The result of {@link SessionCore.verify}, if it can be computed synchronously; undefined otherwise. For a token in
   * the cache, a promise would cost more than the verification itself.
   */
  verifyNow(
    accessToken: string,
    options?: VerifyOptions,
    macs?: MacSource,
  ): VerifyOutcome<Payload, Claims> | undefined
  /**
   * Exchanges a refresh token. `channel`: how the client sent it; null if that is unknown. 1 store call for an ordinary
   * rotation, 2 or 3 otherwise.
   * @throws GeneralError (`REFRESH_BUSY`) if the client must send the same token again after `retryAfter` seconds.
   */
  refresh(
    refreshToken: string,
    channel: TransferMode | null,
    client: ClientInfo,
    style?: Style,
  ): Promise<RefreshOutcome<Payload, Claims>>
  /**
   * Notes that the user of the session has proved again who they are. Issues a pair of tokens with a new `auth_time`;
   * the older refresh tokens of the session can no longer be used. `claims`: of a valid access token of the session. 2
   * store calls.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   * @throws GeneralError (`REFRESH_BUSY`) if another re-authentication has ended the access token's lineage less than
   * the reuse interval ago: its response may still be on the way to the client.
   */
  reauthenticate(claims: Claims, client: ClientInfo, style?: Style): Promise<IssuedSession<Payload, Claims>>
  /**
   * Stores a new JWT payload, as {@link SessionCore.updateJwtPayload}, and issues an access token with it, with the
   * same expiry. Without `payload`, issues an access token with the stored one. 1 store call, 2 with a function.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   * @throws InvalidDataError if an access token of the session could become too long.
   */
  reissue(claims: Claims, payload?: Update<Payload>): Promise<IssuedAccessToken<Payload, Claims>>
  /**
   * Identifies an access token that Keyturn issued, expired or not; null for any other string. It does not prove that
   * the session is active. 0 store calls.
   */
  identify(accessToken: string): Promise<IdentifiedAccessToken<Claims> | null>
  /** Checks by its tag which application issued a refresh token. It may be used up or expired. 0 store calls. */
  ownerOfRefreshToken(refreshToken: string): Promise<TokenOwner>
  /** Creates an anti-CSRF token. A page that sends it proves that it can read the session's responses (CSRF-06). */
  createAntiCsrfToken(handle: SessionHandle): Promise<string>
  /** Whether the string is a valid anti-CSRF token of this session. */
  isAntiCsrfToken(handle: SessionHandle, text: string): Promise<boolean>
  /** Adds new keys now. They are published before their first use, so that every verifier knows them (TOK-20). */
  rotateKeys(): Promise<void>
  /** Returns the public keys as a JSON Web Key Set (RFC 7517), for other services that verify access tokens. */
  getJwks(): Promise<JwkSet>

  /** Returns a session. 1 store call. @throws SessionNotFoundError if it does not exist, has expired or was revoked. */
  getSessionByHandle(handle: string): Promise<SessionDetails<Payload, Info>>
  /** As {@link SessionCore.getSessionByHandle}, with the whole record. */
  getStoredSession(handle: string): Promise<StoredSession<Payload, Info>>
  /**
   * Returns the session data. 1 store call.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   */
  getSessionInfo(handle: string): Promise<OutputOf<Info>>
  /**
   * Replaces the session data. Pass a function to compute it from the current data atomically: it is called again if
   * another update interferes, and if it returns equal data, nothing is written. 1 store call, 2 with a function, and 2
   * for each repetition.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   * @throws InvalidDataError if the data does not match its schema, is not JSON or is too long.
   */
  updateSessionInfo(handle: string, info: Update<Info>): Promise<void>
  /**
   * Replaces the session data if it still has this version (`infoVersion`). Returns whether it had. 2 store calls.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   */
  updateSessionInfoIf(version: number, handle: string, info: Update<Info>): Promise<boolean>
  /**
   * Replaces the JWT payload. The client gets an access token with the new one with its next request. Pass a function
   * to compute it from the current payload atomically: it is called again if another update interferes, and if it
   * returns an equal payload, nothing is written. 1 store call, 2 with a function or for a long payload, and 2 for each
   * repetition.
   * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
   * @throws InvalidDataError if the payload does not match its schema or is not JSON, or if an access token of the
   * session could become too long.
   */
  updateJwtPayload(handle: string, payload: UpdateOfPayload<Payload>): Promise<void>
  /**
   * Replaces the JWT payload if it still has this version (`payloadVersion`). Returns whether it had. 2 store calls.
   * @throws SessionNotFoundError, InvalidDataError as {@link SessionCore.updateJwtPayload}
   */
  updateJwtPayloadIf(version: number, handle: string, payload: InputOf<Payload>): Promise<boolean>
  /**
   * Computes the JWT payload of each active session of a user, in one tenant or in all, from its current one: after a
   * change of the user's role, for instance. As `updateJwtPayload` with a function; the function may be called for
   * several sessions at once. Sessions that are revoked meanwhile are skipped, and so are logins that
   * begin after the call. Returns the handles of the sessions whose payload changed. 1 store call per 100 sessions, and
   * 2 per session, up to 100 at the same time.
   * @throws InvalidDataError as there. Other sessions are updated all the same; so are some if the store fails.
   */
  updateJwtPayloadForUser(
    userId: string,
    change: Compute<OutputOf<Payload>, PayloadInput<Payload>>,
    options?: TenantOptions,
  ): Promise<readonly string[]>
  /** Revokes a session. Returns whether it existed. 1 store call. */
  revokeSession(handle: string): Promise<boolean>
  /** Revokes sessions. Returns the handles of those that existed. 1 store call. */
  revokeSessions(handles: readonly string[]): Promise<readonly string[]>
  /** Revokes sessions that their user leaves. 1 store call. */
  signOut(handles: readonly SessionHandle[]): Promise<void>
  /**
   * Revokes every session of a user, in one tenant or in all, except `except`: for example after a password reset
   * (REV-04). Logins that have begun but not finished fail with an `UnauthorizedError`. Returns the handles of the
   * revoked sessions. 1 store call.
   */
  revokeAllSessionsForUser(userId: string, options?: RevokeOptions): Promise<readonly string[]>
  /**
   * Revokes all sessions of all users: replaces all keys and removes all sessions, 1,000 per store call (REV-03).
   */
  revokeEverySession(): Promise<void>
  /** Returns the handles of a user's active sessions, in one tenant or in all. 1 store call per 1,000 sessions. */
  getAllSessionHandlesForUser(userId: string, options?: TenantOptions): Promise<readonly string[]>
  /**
   * Returns a page of a user's active sessions, newest first, as for a list of devices. 1 store call; with `tenantId`
   * up to 10, if the user has sessions in other tenants.
   */
  listSessions(userId: string, page?: ListOptions): Promise<SessionList>
  /**
   * Calls the listener once, as soon as this process learns that the session was revoked, by itself or by another
   * process. Not called if the session expires. 0 store calls. Returns a function that removes the listener.
   */
  onRevoked(handle: SessionHandle, listener: () => unknown): () => void
  /** Stops all timers and the feed, writes queued confirmations and events, and closes the store. */
  close(): Promise<void>
}

/** An access token that Keyturn issued. */
export interface IdentifiedAccessToken<Claims extends TokenClaims = AccessClaims> {
  readonly claims: Claims
  /** False if it has expired. */
  readonly usable: boolean
}

/** A session and the application's data in it. */
export interface StoredSession<Payload extends object, Info extends object> {
  readonly record: SessionRecord
  readonly jwtPayload: OutputOf<Payload>
  readonly sessionInfo: OutputOf<Info>
}

/** The arguments of a new session. */
export interface NewSession<Payload extends object, Info extends object> {
  readonly userId: string
  readonly mode: TransferMode
  readonly client: ClientInfo
  readonly jwtPayload?: InputOf<Payload> | undefined
  readonly sessionInfo?: InputOf<Info> | undefined
  readonly options?: NewSessionOptions | undefined
}

/**
 * The options of one login. Lifetimes can only be shorter than configured (REV-05).
 */
export interface NewSessionOptions {
  /** "Remember me": whether the browser keeps the cookies when it is closed. Default: true. */
  readonly persistent?: boolean
  /** The lifetime of its access tokens: from 1 second to 1 day. Default: as configured. */
  readonly accessTokenLifetime?: Duration
  /** How long it stays active without a refresh: from 1 second to 400 days. Default: as configured. */
  readonly idleTimeout?: Duration
  /** How long it can be active in total: from 1 second to 36,500 days. Default: as configured. */
  readonly absoluteTimeout?: Duration
  /** The id of its tenant: 1 to 64 characters `a-z`, `0-9`, `-`. Default: `public`. */
  readonly tenantId?: string
}

/** Selects sessions of a user. */
export interface TenantOptions {
  /** The id of the tenant. Pass it if user ids are unique only within a tenant. Default: all tenants. */
  readonly tenantId?: string
}

/** Selects the sessions of a user to revoke. */
export interface RevokeOptions extends TenantOptions {
  /** The handle of a session to keep, such as the current one. Default: none. */
  readonly except?: string
}

/** Selects a page of a list. */
export interface ListOptions extends TenantOptions {
  /** At most this many sessions: from 1 to 1,000. A page may have fewer. Default: 100. */
  readonly limit?: number
  /** The `next` of the previous page. Default: the first page. */
  readonly after?: string | null
}

/** The options of {@link SessionCore.verify}. */
export interface VerifyOptions {
  /** Overrides the configured `accessTokenBlacklisting` for this call. */
  readonly blacklisting?: Blacklisting
}

/** How access tokens of revoked sessions are rejected before they expire: see `accessTokenBlacklisting`. */
export type Blacklisting = 'off' | 'feed' | 'strict'

/** An issued access token and its content. */
export interface IssuedAccessToken<Payload extends object, Claims extends TokenClaims = AccessClaims> {
  readonly accessToken: string
  /** Its MAC, which its client sends beside it in a cookie; null if there is none. */
  readonly mac: string | null
  readonly claims: Claims
  readonly payload: OutputOf<Payload>
}

/** A pair of tokens for one session. */
export interface IssuedSession<Payload extends object, Claims extends TokenClaims = AccessClaims>
  extends IssuedAccessToken<Payload, Claims> {
  readonly refreshToken: string
  /** When the session ends if it is not refreshed. */
  readonly sessionExpiresAt: EpochMilliseconds
}

/** The result of verifying an access token. */
export type VerifyOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> =
  | ActiveOutcome<Payload, Claims>
  /** It is not an access token of Keyturn, and counts as absent. */
  | { readonly kind: 'unrecognized' }
  /** It has expired, its signature or a claim is invalid, or its key is unknown. */
  | { readonly kind: 'refresh-required'; readonly reason: 'expired' | 'invalid' | 'unknown-key' }
  /** The session was revoked, or its record in the store is gone or has expired. */
  | { readonly kind: 'revoked'; readonly handle: SessionHandle }

/** The access token is valid, and its session was not revoked, as far as the chosen mode checks. */
export interface ActiveOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> {
  readonly kind: 'active'
  readonly claims: Claims
  readonly payload: OutputOf<Payload>
  /** A new access token for the client, for example because the JWT payload was updated elsewhere. */
  readonly reissued: IssuedAccessToken<Payload, Claims> | null
}

/** How a refresh was answered: the rows of the rotation table (docs/decisions/0003-rotation.md). */
export type RefreshCase = 'adopt' | 'early' | 'rotate' | 'retry' | 'branch'

/** The result of a refresh. */
export type RefreshOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> =
  | { readonly kind: 'refreshed'; readonly how: RefreshCase; readonly issued: IssuedSession<Payload, Claims> }
  /**
   * `ended`: Keyturn issued the token, but its session has ended, so it can never be used again. A session whose record
   * is no longer in the store counts as revoked, or as stolen if the event log says so.
   */
  | { readonly kind: 'unauthorized'; readonly ended: 'expired' | 'revoked' | 'theft' }
  | { readonly kind: 'unauthorized'; readonly ended: false }
  | TheftOutcome

/** Two parties have tokens of the session. It was revoked. */
export interface TheftOutcome {
  readonly kind: 'theft'
  readonly userId: string
  readonly handle: SessionHandle
  /** The places of the presented token and of the current one in the lineage. */
  readonly presented: LineagePlace
  readonly current: LineagePlace
}
