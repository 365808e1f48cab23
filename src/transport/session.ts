import type { EpochMilliseconds } from '../base/time.ts'
import type { OutputOf, Update, UpdateOfPayload } from '../session/data-types.ts'

/** A verified session, read without the store. */
export interface ReadonlySession<Payload extends object> {
  /** The id of the user, as the login passed it (the claim `sub`, RFC 7519 section 4.1.2). 0 store calls. */
  getUserId(): string
  /** The application's claims, as they are in the access token; frozen. 0 store calls. */
  getJwtPayload(): Readonly<OutputOf<Payload>>
  /** The public identifier of the session, for lists and revocations. It is no secret. 0 store calls. */
  getHandle(): string
  /** The id of the tenant in which the user logged in; `public` by default. 0 store calls. */
  getTenantId(): string
  /** When the user logged in or last authenticated again, in milliseconds. A refresh does not change it. */
  getTimeCreated(): EpochMilliseconds
  /** When the access token expires, in milliseconds. The session continues if it is refreshed. */
  getExpiry(): EpochMilliseconds
  /** What `JSON.stringify` makes of it, for a page that the server renders: no token and no session data. */
  toJSON(): SessionJson<Payload>
}

/** A session as a server hands it to a page. Times in milliseconds since 1970. */
export interface SessionJson<Payload extends object> {
  /** The id of the user. */
  readonly userId: string
  /** The public identifier of the session. */
  readonly handle: string
  /** The id of the tenant. */
  readonly tenantId: string
  /** The application's claims. */
  readonly jwtPayload: Readonly<OutputOf<Payload>>
  /** When the user logged in or last authenticated again, in milliseconds since 1970. */
  readonly timeCreated: EpochMilliseconds
  /** When the access token expires, in milliseconds since 1970. */
  readonly expiry: EpochMilliseconds
}

/**
 * The session of one request. If a method finds that the session has expired or was revoked, it throws
 * `UnauthorizedError` and clears the tokens in the response. After the response was sent, the methods that write to it
 * always reject with a `GeneralError` (`MISUSE`): `updateJwtPayload` stores nothing; `revokeSession` revokes, and
 * rejects because the tokens could not be cleared. If the response is sent while `updateJwtPayload` waits for the
 * store, the payload is stored, the call rejects, and the client gets the new token with its next request. So await
 * these calls before you send the response. To change a session later, use its handle:
 * `sessions.updateJwtPayload(handle, payload)`.
 */
export interface Session<Payload extends object, Info extends object> extends ReadonlySession<Payload> {
  /** Returns the session data. 1 store call. @throws UnauthorizedError if the session has expired or was revoked. */
  getSessionInfo(): Promise<OutputOf<Info>>
  /**
   * Replaces the session data. Pass a function to compute it from the current data: it is called again if another
   * update interferes, so that no update is lost; if it returns equal data, nothing is written. 1 store call, 2 with a
   * function, and 2 for each repetition.
   * @throws UnauthorizedError if the session has expired or was revoked.
   * @throws InvalidDataError if the data does not match its schema, is not JSON or is too long.
   */
  updateSessionInfo(info: Update<Info>): Promise<void>
  /**
   * Replaces the JWT payload: of this object, of this client's access token and of later requests of the session. Pass
   * a function to compute it from the payload in the store, as for {@link Session.updateSessionInfo}. 1 store call, 2
   * with a function, and 2 for each repetition.
   * @throws UnauthorizedError if the session has expired or was revoked.
   * @throws InvalidDataError if the payload does not match its schema, is not JSON or is too long.
   */
  updateJwtPayload(payload: UpdateOfPayload<Payload>): Promise<void>
  /**
   * Notes that the user has just proved again who they are, for routes with `maxAuthenticationAge`: call it after you
   * have checked a password or another proof of `getUserId()`, in the handler of the request that carries it. Pass what
   * the framework passes to the handler. The response gets new tokens; user id, handle, JWT payload and session data
   * stay. Older refresh tokens of the session can no longer be used: send the request with `reauthenticateWith` of
   * `keyturn/client/parts`, or without a refresh beside it. 2 store calls.
   * @throws UnauthorizedError if the session has expired or was revoked.
   * @throws CrossSiteRequestError if a page of an untrusted origin causes the request, except by a navigation of the
   * tab with GET.
   * @throws GeneralError (`REFRESH_BUSY`) if another request has re-authenticated the session a moment ago and this one
   * has an older access token; the client can repeat it after `retryAfter` seconds.
   * @throws GeneralError (`MISUSE`) if the response was already sent; the session is then not changed.
   */
  reauthenticate(request?: unknown, response?: unknown): Promise<void>
  /**
   * Calls the listener once, as soon as this process learns that the session was revoked: by a sign-out, by any
   * process, or because of token theft. For connections that outlive their request, such as a WebSocket or an event
   * stream. Not called when the access token or the session expires. 0 store calls. Returns a function that removes the
   * listener.
   */
  onRevoked(listener: () => unknown): () => void
  /**
   * Aborts when {@link Session.onRevoked} would call a listener; its reason is an `UnauthorizedError`. Works until the
   * response, which may be a stream, has been sent to its end, or until the connection is closed: read it before you
   * return the response. Where the framework does not tell that end (docs/sessions.md), until the session is revoked.
   */
  readonly signal: AbortSignal
  /** Revokes the session, then clears the tokens in the response (REV-01). 1 store call. */
  revokeSession(): Promise<void>
}
