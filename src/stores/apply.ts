import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { mayRotate } from '../session/decide-refresh.ts'
import type { LineagePlace } from '../session/decide-refresh.ts'
import { expiryOf, isActive } from '../session/policy.ts'
import type { SessionRecord } from '../session/record.ts'
import type { InfoUpdate, PayloadUpdate, PresentedState, Rotation, TokenState } from '../session/store.ts'

// What each conditional write of the port makes of the record that it finds, for stores that read a record, judge it and
// write it back if nothing has changed. Databases that judge in place (SQL, Lua) write the same conditions down.

/**
 * The record after `rotate` or `reauthenticate`; null if it is not as `expected` and `bounds` say, so that nothing may
 * be written. Pure.
 */
export function applyRotation(record: SessionRecord, { expected, bounds, next }: Rotation): SessionRecord | null {
  const isExpected = expected.confirmed === undefined
    ? hasToken(record, expected) && mayRotate(record, bounds.now)
    : isUnchanged(record, expected)
  if (!isExpected || !isActive(record, bounds)) return null
  return { ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) }
}

/** The record after a confirmation; the same one if the current token is another. Pure. */
export function applyConfirmation(record: SessionRecord, { generation, branch }: LineagePlace): SessionRecord {
  return record.generation === generation && record.branch === branch ? { ...record, confirmed: true } : record
}

/** The record after `updateInfo`; null if the session has expired or has another `infoVersion`. Pure. */
export function applyInfoUpdate(
  record: SessionRecord,
  { sessionInfo, expectedVersion, now }: Omit<InfoUpdate, 'handle'>,
): SessionRecord | null {
  if (record.expiresAt <= now || (expectedVersion !== null && record.infoVersion !== expectedVersion)) return null
  return { ...record, sessionInfo, infoVersion: record.infoVersion + 1 }
}

/** The record after `updatePayload`; null if the session has expired. Pure. */
export function applyPayloadUpdate(
  record: SessionRecord,
  { jwtPayload, now }: Omit<PayloadUpdate, 'handle' | 'from'>,
): SessionRecord | null {
  return record.expiresAt <= now ? null : { ...record, jwtPayload, payloadVersion: record.payloadVersion + 1 }
}

/** Whether nothing of the record's token has changed: the condition of `removeUnchanged`. Pure. */
export function isUnchanged(record: SessionRecord, state: TokenState): boolean {
  return hasToken(record, state) && record.confirmed === state.confirmed
    && record.rotatedAt === state.rotatedAt && record.servedAt === state.servedAt
}

/**
 * Until when a change is kept: `from` and the longest `accessTokenLifetime`, in milliseconds, of the sessions that it
 * names. Pure.
 */
export function changeUntil(from: EpochMilliseconds, lifetimes: readonly Milliseconds[]): EpochMilliseconds {
  return lifetimes.reduce((latest, lifetime) => Math.max(latest, from + lifetime), from)
}

/** The turn of a process at a task of housekeeping, as `acquireLease` leaves it. */
export interface Turn {
  readonly holder: string
  readonly until: EpochMilliseconds
}

/** Whether `holder` may take or prolong the turn: nobody has it, it has ended at `now`, or it is the holder's. Pure. */
export function mayAcquireLease(turn: Turn | null, holder: string, now: EpochMilliseconds): boolean {
  return turn === null || turn.holder === holder || turn.until <= now
}

function hasToken(record: SessionRecord, token: PresentedState | TokenState): boolean {
  return record.refreshHash === token.refreshHash && record.anchorHash === token.anchorHash
    && record.generation === token.generation && record.branch === token.branch
}
