import type { RemovedExpired, SessionStore } from '../../session/store.ts'
import { removeEach } from '../remove-each.ts'
import { readInteger } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import { lazily } from './change-log.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'

/**
 * Deletes what has expired, oldest first, at most `limit` rows of each kind per call: one short statement for each. It
 * does not wait for rows that others have locked. It neither looks at nor locks a row that is not due.
 */
export function createCleanup(database: Database, names: PostgresNames): SessionStore['removeExpired'] {
  const table = names.session
  const sweep = database.statement(
    `WITH due AS (
       SELECT handle, expires_at FROM ${table} WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT $2::bigint
       FOR UPDATE SKIP LOCKED
     ),
     postponed AS (
       UPDATE ${table} SET sweep_at = expires_at
       WHERE handle = ANY (ARRAY (SELECT handle FROM due WHERE expires_at > $1))
     ),
     swept AS (
       DELETE FROM ${table}
       WHERE handle = ANY (ARRAY (SELECT handle FROM due WHERE expires_at <= $1)) AND expires_at <= $1
       RETURNING handle
     )
     SELECT (SELECT count(*) FROM due) AS due, (SELECT count(*) FROM swept) AS removed, ${lazily}`)
  const forget = (from: string, key: string): ReturnType<Database['statement']> => database.statement(
    `WITH due AS (
       SELECT ${key} FROM ${from} WHERE until <= $1 ORDER BY until LIMIT $2::bigint FOR UPDATE SKIP LOCKED
     ),
     gone AS (DELETE FROM ${from} WHERE ${key} = ANY (ARRAY (SELECT ${key} FROM due)))
     SELECT (SELECT count(*) FROM due) AS due, 0 AS removed, ${lazily}`)
  const kinds = [
    forget(names.change, 'seq'), forget(names.notBefore, 'name'), forget(names.event, 'id'),
    forget(names.importClaim, 'handle'), sweep,
  ]

  return (now, limit) => removeEach(kinds.map(remove => async () => removedOf(await remove(now, limit), limit)))
}

function removedOf([counts = {}]: readonly Row[], limit: number): RemovedExpired {
  return { removed: readInteger(counts, 'removed'), more: readInteger(counts, 'due') >= limit }
}
