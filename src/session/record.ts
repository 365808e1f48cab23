import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** Where a request came from, as far as the application trusts it. */
export interface ClientInfo {
  /** The peer's address. */
  readonly ip: string | null
  /** The `User-Agent` header, at most 256 characters (LOG-02). */
  readonly userAgent: string | null
}

/** A session as the store keeps it. Holds no secret: only the hash of the current refresh token's (ST-01). */
export interface SessionRecord {
  readonly handle: SessionHandle
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: EpochMilliseconds
  /** When the user last proved who they are; rotation never moves it (REV-09). */
  readonly authenticatedAt: EpochMilliseconds

  /** SHA-256 of the current refresh token's secret, base64url. */
  readonly refreshHash: string
  /** How often the session has been refreshed. */
  readonly generation: number
  /** Which child of its parent the current refresh token is. */
  readonly branch: number
  /** Whether the client surely keeps the current refresh token. */
  readonly confirmed: boolean
  /** When the current refresh token was first given out; at creation `createdAt`. */
  readonly rotatedAt: EpochMilliseconds
  /** When the current refresh token was last given out. */
  readonly servedAt: EpochMilliseconds

  /** How long the session may go without a refresh. */
  readonly idleTimeout: Milliseconds
  /** When it ends whatever happens, or null. Rotation never moves it (ROT-05). */
  readonly absoluteExpiry: EpochMilliseconds | null
  /** When it ends if nothing happens: the earlier of `rotatedAt + idleTimeout` and `absoluteExpiry`. */
  readonly expiresAt: EpochMilliseconds
  /** How long its access tokens live. */
  readonly accessTokenLifetime: Milliseconds
  /** Whether its cookies outlive the browser ("remember me"). */
  readonly persistent: boolean

  /** The application's claims, as JSON text. */
  readonly jwtPayload: string
  /** Counts changes of `jwtPayload`. */
  readonly payloadVersion: number
  /** The application's private data, as JSON text. */
  readonly sessionInfo: string
  /** Counts changes of `sessionInfo`. */
  readonly infoVersion: number
  /** The client at its last refresh, or at creation. */
  readonly client: ClientInfo
}
