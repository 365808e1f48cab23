import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { mayRotate } from '../session/decide-refresh.ts'
import type { LineagePlace } from '../session/decide-refresh.ts'
import { expiryOf, isActive } from '../session/policy.ts'
import type { SessionRecord } from '../session/record.ts'
import type { InfoUpdate, PayloadUpdate, PresentedState, Rotation, TokenState } from '../session/store.ts'

// What each conditional write of the port does to the record that it finds. For stores that read a record, check it
// here and write it back if nothing has changed. Databases that check in place (SQL, Lua) state the same conditions
// themselves.

/**
 * The record after `rotate` or `reauthenticate`. Returns null, and nothing may be written, if the record does not match
 * `expected` and `bounds`. Pure.
 */
export function applyRotation(record: SessionRecord, { expected, bounds, next }: Rotation): SessionRecord | null {
  const isExpected = expected.confirmed === undefined
    ? hasToken(record, expected) && mayRotate(record, bounds.now)
    : isUnchanged(record, expected)
  if (!isExpected || !isActive(record, bounds)) return null
  return { ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) }
}

/**
 * The record after a confirmation. Returns null, and nothing need be written, if its current token is another one or is
 * confirmed already. Pure.
 */
export function applyConfirmation(record: SessionRecord, { generation, branch }: LineagePlace): SessionRecord | null {
  const applies = !record.confirmed && record.generation === generation && record.branch === branch
  return applies ? { ...record, confirmed: true } : null
}

/** The record after `updateInfo`. Returns null if the session has expired or has another `infoVersion`. Pure. */
export function applyInfoUpdate(
  record: SessionRecord,
  { sessionInfo, expectedVersion, now }: Omit<InfoUpdate, 'handle'>,
): SessionRecord | null {
  if (record.expiresAt <= now || (expectedVersion !== null && record.infoVersion !== expectedVersion)) return null
  return { ...record, sessionInfo, infoVersion: record.infoVersion + 1 }
}

/** The record after `updatePayload`. Returns null if the session has expired or has another `payloadVersion`. Pure. */
export function applyPayloadUpdate(
  record: SessionRecord,
  { jwtPayload, expectedVersion, now }: Omit<PayloadUpdate, 'handle' | 'from'>,
): SessionRecord | null {
  if (record.expiresAt <= now || (expectedVersion !== null && record.payloadVersion !== expectedVersion)) return null
  return { ...record, jwtPayload, payloadVersion: record.payloadVersion + 1 }
}

/** Whether the record's token has not changed: the condition of `removeUnchanged`. Pure. */
export function isUnchanged(record: SessionRecord, state: TokenState): boolean {
  return hasToken(record, state) && record.confirmed === state.confirmed
    && record.rotatedAt === state.rotatedAt && record.servedAt === state.servedAt
}

/**
 * The `until` of a change, up to which the log keeps it: `from` plus the longest `accessTokenLifetime` (milliseconds)
 * of the sessions that the change names. Pure.
 */
export function changeUntil(from: EpochMilliseconds, lifetimes: readonly Milliseconds[]): EpochMilliseconds {
  return lifetimes.reduce((latest, lifetime) => Math.max(latest, from + lifetime), from)
}

/** The lease of a process on a periodic task, as `acquireLease` stores it. */
export interface Lease {
  /** Who has the lease. */
  readonly holder: string
  /** When the lease ends, in milliseconds since 1970. */
  readonly until: EpochMilliseconds
}

/**
 * Whether `holder` may acquire or renew the lease: no lease exists, it has ended at `now`, or `holder` has it. Pure.
 */
export function mayAcquireLease(lease: Lease | null, holder: string, now: EpochMilliseconds): boolean {
  return lease === null || lease.holder === holder || lease.until <= now
}

function hasToken(record: SessionRecord, token: PresentedState | TokenState): boolean {
  return record.refreshHash === token.refreshHash && record.anchorHash === token.anchorHash
    && record.generation === token.generation && record.branch === token.branch
}
