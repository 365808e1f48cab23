import type { Awaitable } from '../base/awaitable.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/** What a verified session tells without the store. */
export interface ReadonlySession<Payload extends object> {
  /** Whose session it is. */
  getUserId(): string
  /** The application's claims, frozen. */
  getJwtPayload(): Readonly<Payload>
  /** The public identifier of the session. */
  getHandle(): string
  getTenantId(): string
  /** When the user logged in, in milliseconds; refreshing never moves it. */
  getTimeCreated(): EpochMilliseconds
  /** When the access token expires, in milliseconds. The session itself lives on if it is refreshed. */
  getExpiry(): EpochMilliseconds
  /** What `JSON.stringify` makes of it, for a page that the server renders: no token and no session data. */
  toJSON(): SessionJson<Payload>
}

/** A session as a server hands it to a page. Times in milliseconds since 1970. */
export interface SessionJson<Payload extends object> {
  readonly userId: string
  readonly handle: string
  readonly tenantId: string
  readonly jwtPayload: Readonly<Payload>
  readonly timeCreated: EpochMilliseconds
  readonly expiry: EpochMilliseconds
}

/**
 * The session of one request. Every call that finds the session gone throws `UnauthorizedError` and clears the
 * response's tokens. After the response was sent, calls still change the session, but the client does not hear of it.
 */
export interface Session<Payload extends object, Info extends object> extends ReadonlySession<Payload> {
  /** The private data. 1 store call. @throws UnauthorizedError if the session is gone. */
  getSessionInfo(): Promise<Info>
  /**
   * Replaces the private data; with a function derives it from the current, and no update is lost. 1 or 2 store calls.
   * @throws UnauthorizedError if the session is gone.
   */
  updateSessionInfo(info: Info | ((current: Info) => Awaitable<Info>)): Promise<void>
  /**
   * Replaces the claims, for this request, this client's token and the session's other requests. 1 store call.
   * @throws UnauthorizedError if the session is gone.
   */
  updateJwtPayload(payload: Payload): Promise<void>
  /**
   * Calls the listener once, as soon as this process hears that the session was ended: signed out, revoked by whichever
   * process, or stolen. For what outlives its request: a WebSocket, an event stream. The expiry of the access token is
   * no end. 0 store calls. Returns how to take that back.
   */
  onRevoked(listener: () => unknown): () => void
  /**
   * Aborts when {@link Session.onRevoked} would call; its reason is an `UnauthorizedError`. Once read, it is waited for
   * until the session ends: for connections, not for every request.
   */
  readonly signal: AbortSignal
  /** Ends the session, then clears the tokens of this response (REV-01). 1 store call. */
  revokeSession(): Promise<void>
}
