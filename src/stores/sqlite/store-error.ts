import { GeneralError, isSessionError } from '../../base/errors.ts'
import { failureReasonOf } from '../failure-reason.ts'

/**
 * The error to throw for a failure of the database. SQLite's messages, which are in its `cause`, name tables and
 * columns, not values.
 */
export function toStoreError(cause: unknown, message: string): Error {
  if (isSessionError(cause)) return cause
  const isFull = cause instanceof Error && /disk is full/.test(cause.message)
  const text = isFull ? `${message}: the disk is full, nothing was written` : message
  return new GeneralError('STORE_UNAVAILABLE', text, { cause, reason: failureReasonOf(cause) })
}
