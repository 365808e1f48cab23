import type { EpochMilliseconds } from '../base/time.ts'
import type { OutputOf } from './data-types.ts'

/**
 * One of a user's sessions, without secrets (REV-03). It does not contain the time of the last refresh: a thief could
 * use that to refresh shortly before or after the owner, and stay undetected for longer.
 */
export interface SessionSummary {
  /** The public identifier of the session. */
  readonly handle: string
  /** The id of the user. */
  readonly userId: string
  /** The id of the tenant. */
  readonly tenantId: string
  /** When the user logged in, in milliseconds since 1970. */
  readonly createdAt: EpochMilliseconds
  /** When the session expires if it is not refreshed, rounded up to a whole day (UTC). */
  readonly expiresAt: EpochMilliseconds
  /** The address of the last refresh or of the login; null if it is not known. */
  readonly ip: string | null
  /** The user agent of the last refresh or of the login; null if there was none. */
  readonly userAgent: string | null
}

/** A session with the application's data. */
export interface SessionDetails<Payload extends object, Info extends object> extends SessionSummary {
  /** The application's claims. */
  readonly jwtPayload: OutputOf<Payload>
  /** The session data. */
  readonly sessionInfo: OutputOf<Info>
}

/** A page of a user's sessions. */
export interface SessionList {
  /** The sessions of this page, newest first. */
  readonly sessions: readonly SessionSummary[]
  /** Pass it as `after` for the next page; null on the last page. */
  readonly next: string | null
}
