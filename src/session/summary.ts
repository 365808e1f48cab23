import type { EpochMilliseconds } from '../base/time.ts'
import type { OutputOf } from './data-types.ts'

/**
 * One of a user's sessions, without secrets (REV-03). It does not contain the time of the last refresh: a thief could
 * use that to refresh shortly before or after the owner, and stay undetected for longer.
 */
export interface SessionSummary {
  readonly handle: string
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: EpochMilliseconds
  /** When the session expires if it is not refreshed, rounded up to a whole day (UTC). */
  readonly expiresAt: EpochMilliseconds
  readonly ip: string | null
  readonly userAgent: string | null
}

/** A session with the application's data. */
export interface SessionDetails<Payload extends object, Info extends object> extends SessionSummary {
  readonly jwtPayload: OutputOf<Payload>
  readonly sessionInfo: OutputOf<Info>
}

/** A page of a user's sessions. */
export interface SessionList {
  readonly sessions: readonly SessionSummary[]
  /** Pass it as `after` for the next page; null on the last page. */
  readonly next: string | null
}
