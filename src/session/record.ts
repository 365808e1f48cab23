import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** The client that sent a request, as far as the application trusts this information. */
export interface ClientInfo {
  /** The peer's address, at most 64 characters (LOG-02). */
  readonly ip: string | null
  /** The `User-Agent` header, at most 512 characters (LOG-02). */
  readonly userAgent: string | null
}

/** The format of the records that this version writes. It is stored, so that later versions can tell formats apart. */
export const RECORD_FORMAT = 1

/** A session in the store. It contains no secrets, only hashes of the secrets in its refresh token (ST-01). */
export interface SessionRecord {
  /** `RECORD_FORMAT` of the version that created the session. */
  readonly format: number
  /** The public identifier of the session. */
  readonly handle: SessionHandle
  /** The id of the user. */
  readonly userId: string
  /** The id of the tenant. */
  readonly tenantId: string
  /** When the session was created, in milliseconds since 1970. */
  readonly createdAt: EpochMilliseconds
  /** When the user last authenticated; a rotation does not change it (REV-09). */
  readonly authenticatedAt: EpochMilliseconds

  /** SHA-256 of the current refresh token's secret, base64url. */
  readonly refreshHash: string
  /** SHA-256 of the anchor, a secret that all refresh tokens since the last authentication contain, base64url. */
  readonly anchorHash: string
  /** The id of the refresh key that issued the current refresh token. */
  readonly refreshKeyId: string
  /** How often the session has been refreshed. */
  readonly generation: number
  /** Which child of its parent the current refresh token is, counted from 0. */
  readonly branch: number
  /** Whether the client has certainly stored the current refresh token. */
  readonly confirmed: boolean
  /** When the current refresh token became current; initially `createdAt`. */
  readonly rotatedAt: EpochMilliseconds
  /** When the current refresh token was last delivered, to within a quarter of the reuse interval. */
  readonly servedAt: EpochMilliseconds

  /** How long the session stays active without a refresh. */
  readonly idleTimeout: Milliseconds
  /** When the session expires in any case, or null. A rotation does not change it (ROT-05). */
  readonly absoluteExpiry: EpochMilliseconds | null
  /** When the session expires: the earlier of `rotatedAt + idleTimeout` and `absoluteExpiry`. */
  readonly expiresAt: EpochMilliseconds
  /** The longest lifetime of its access tokens. */
  readonly accessTokenLifetime: Milliseconds
  /** The reuse interval R, as configured at the login; 0: no refresh token may be used twice. */
  readonly reuseInterval: Milliseconds
  /** Whether the browser keeps the cookies when it is closed ("remember me"). */
  readonly persistent: boolean

  /** The application's claims, as a JSON string. */
  readonly jwtPayload: string
  /** Counts changes of `jwtPayload`. */
  readonly payloadVersion: number
  /** The application's session data, as a JSON string. */
  readonly sessionInfo: string
  /** Counts changes of `sessionInfo`. */
  readonly infoVersion: number
  /** The client that the current refresh token was first delivered to. */
  readonly client: ClientInfo
}
