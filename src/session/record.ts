import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** Where a request came from, as far as the application trusts it. */
export interface ClientInfo {
  /** The peer's address, at most 64 characters (LOG-02). */
  readonly ip: string | null
  /** The `User-Agent` header, at most 512 characters (LOG-02). */
  readonly userAgent: string | null
}

/** The format of the records that this version writes. Stores keep it, so that a later version can tell them apart. */
export const RECORD_FORMAT = 1

/** A session as the store keeps it. Holds no secret: only hashes of those of its refresh token (ST-01). */
export interface SessionRecord {
  /** {@link RECORD_FORMAT} of the version that started the session. */
  readonly format: number
  readonly handle: SessionHandle
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: EpochMilliseconds
  /** When the user last proved who they are; rotation never moves it (REV-09). */
  readonly authenticatedAt: EpochMilliseconds

  /** SHA-256 of the current refresh token's secret, base64url. */
  readonly refreshHash: string
  /** SHA-256 of the anchor, the secret that all refresh tokens since the last authentication carry, base64url. */
  readonly anchorHash: string
  /** The refresh key that the current refresh token names. */
  readonly refreshKeyId: string
  /** How often the session has been refreshed. */
  readonly generation: number
  /** Which child of its parent the current refresh token is. */
  readonly branch: number
  /** Whether the client has certainly stored the current refresh token. */
  readonly confirmed: boolean
  /** When the current refresh token became current; at creation `createdAt`. */
  readonly rotatedAt: EpochMilliseconds
  /** When the current refresh token was last delivered, to within a quarter of the reuse interval. */
  readonly servedAt: EpochMilliseconds

  /** How long the session may go without a refresh. */
  readonly idleTimeout: Milliseconds
  /** When it ends whatever happens, or null. Rotation never moves it (ROT-05). */
  readonly absoluteExpiry: EpochMilliseconds | null
  /** When it ends if nothing happens: the earlier of `rotatedAt + idleTimeout` and `absoluteExpiry`. */
  readonly expiresAt: EpochMilliseconds
  /** How long its access tokens live at most. */
  readonly accessTokenLifetime: Milliseconds
  /** The reuse interval R, as it was at login; 0 switches tolerance for repeated refreshes off. */
  readonly reuseInterval: Milliseconds
  /** Whether its cookies outlive the browser ("remember me"). */
  readonly persistent: boolean

  /** The application's claims, as JSON text. */
  readonly jwtPayload: string
  /** Counts changes of `jwtPayload`. */
  readonly payloadVersion: number
  /** The application's session info, as JSON text. */
  readonly sessionInfo: string
  /** Counts changes of `sessionInfo`. */
  readonly infoVersion: number
  /** The client that the current refresh token was first delivered to. */
  readonly client: ClientInfo
}
