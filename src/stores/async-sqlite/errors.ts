import { isSessionError } from '../../base/errors.ts'
import { missingTables } from '../sql/missing-tables.ts'
import { toStoreError } from '../sqlite/store-error.ts'

/**
 * The error to throw for a failure of a call, by the message of SQLite, which every driver passes on. `cure` says what
 * creates or updates the tables of the store.
 */
export function toCallError(cause: unknown, cure: string): Error {
  if (isSessionError(cause)) return cause
  const message = cause instanceof Error ? cause.message : ''
  if (/no such table/i.test(message)) return missingTables('missing', cause, cure)
  if (/no such column|has no column/i.test(message)) return missingTables('outdated', cause, cure)
  return toStoreError(cause, 'the call to the SQLite database failed')
}
