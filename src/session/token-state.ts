import { GeneralError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionRecord } from './record.ts'
import type { TokenState } from './store.ts'

/** How often to decide again because another process changed the record. */
export const ATTEMPTS = 5

/** The state that a decision was based on: the condition of the write that carries it out. Pure. */
export function stateOf(record: SessionRecord): TokenState {
  const { refreshHash, anchorHash, generation, branch, confirmed, rotatedAt, servedAt } = record
  return { refreshHash, anchorHash, generation, branch, confirmed, rotatedAt, servedAt }
}

/** The error if an earlier response to the client may still be on the way, up to and including the instant `until`. */
export function busyUntil(until: EpochMilliseconds, now: EpochMilliseconds): GeneralError {
  return busy('an earlier response to this client may still be on the way', Math.floor((until - now) / 1000) + 1)
}

/** The error if other processes changed the record each time. */
export function busyRecord(): GeneralError {
  return busy(`other requests changed the session ${ATTEMPTS} times during this one`, 1)
}

function busy(reason: string, retryAfter: number): GeneralError {
  return new GeneralError('REFRESH_BUSY', `the client must repeat the request later: ${reason}`, { retryAfter })
}
