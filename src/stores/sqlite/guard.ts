import { GeneralError, isSessionError } from '../../base/errors.ts'

/**
 * Does the work at once and returns a promise, as the port requires. What the database throws (locked, full,
 * unreadable) becomes a `GeneralError`, never an answer (REV-11). SQLite's messages name tables and columns, not
 * values.
 */
export async function guarded<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw toStoreError(cause, 'the call to the SQLite database failed')
  }
}

/** The error to throw for a failure of the database. */
export function toStoreError(cause: unknown, message: string): Error {
  if (isSessionError(cause)) return cause
  const isFull = cause instanceof Error && /disk is full/.test(cause.message)
  const text = isFull ? `${message}: the disk is full, nothing was written` : message
  return new GeneralError('STORE_UNAVAILABLE', text, { cause })
}
