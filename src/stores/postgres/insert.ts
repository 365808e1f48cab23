import { GeneralError } from '../../base/errors.ts'
import type { SessionRecord } from '../../session/record.ts'
import { notBeforeNames } from '../not-before.ts'
import { gather } from '../gather.ts'
import type { Gathered } from '../gather.ts'
import { handle } from '../sql/row.ts'
import type { SqlValue } from '../sql/row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import { columnType } from './columns.ts'
import { durably } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

const columns: readonly string[] = [...sessionColumns, 'sweep_at']

/** What became of a login: a not-before may refuse it. */
export interface InsertOutcome {
  readonly inserted: boolean
}

/**
 * Adds sessions. Those of one turn of the event loop share a statement, and so a round trip, a transaction and a wait
 * for the disk, but not their outcome: a handle that exists, or a session that the server refuses, is the failure of
 * that login alone.
 *
 * A login holds a shared lock on its user until it is committed. Whoever sets a not-before waits for these locks before
 * looking for sessions (`createRemoval`), so that no login escapes both the not-before and the deletion.
 */
export function createInsert(database: Database, names: PostgresNames): Gathered<SessionRecord, InsertOutcome> {
  const into = `INSERT INTO ${names.session} (${columns.join(', ')})`
  const insert = database.statement(
    `WITH locked AS MATERIALIZED (SELECT ${sharedLock(names, `$${columns.indexOf('user_id') + 1}`)} AS done)
     ${into} SELECT ${columns.map((column, index) => `$${index + 1}::${columnType(column)}`).join(', ')} FROM locked
     WHERE done IS NOT NULL AND NOT EXISTS (
       SELECT FROM ${names.notBefore} WHERE name = ANY ($${columns.length + 1}::text[])
         AND time > $${columns.indexOf('created_at') + 1})
     ON CONFLICT DO NOTHING RETURNING ${durably}`)
  const find = database.statement(`SELECT FROM ${names.session} WHERE handle = $1`)
  // One text for any number of them. JSON, because a connection may have settings that change how arrays are read. In
  // the order of the handles, so that two such statements can not wait for each other.
  const insertAll = database.statement(
    `WITH given AS MATERIALIZED (
       SELECT *, ${sharedLock(names, 'user_id')} AS done FROM json_populate_recordset(NULL::${names.session}, $1::json)
     )
     ${into} SELECT ${columns.join(', ')} FROM given
     WHERE done IS NOT NULL AND NOT EXISTS (
       SELECT FROM json_to_recordset($1::json) AS login (handle text, not_before_names text[]), ${names.notBefore} AS set
       WHERE login.handle = given.handle AND set.name = ANY (login.not_before_names) AND set.time > given.created_at)
     ORDER BY handle ON CONFLICT DO NOTHING RETURNING handle, ${durably}`)

  async function one(record: SessionRecord): Promise<InsertOutcome> {
    if ((await insert(...valuesOf(record), notBeforeNames(record))).length > 0) return { inserted: true }
    return refused(record)
  }

  /** Tells a login that a not-before refused from one with the handle of another. */
  async function refused({ handle }: SessionRecord): Promise<InsertOutcome> {
    if ((await find(handle)).length === 0) return { inserted: false }
    throw new GeneralError('MISUSE', 'a session with this handle exists')
  }

  return gather(one, async records => {
    try {
      const rows = await insertAll(JSON.stringify(records.map(rowOf)))
      const added = new Set(rows.map(row => handle(row, 'handle')))
      // Taken out when it is answered for: of two with the same handle, one was added.
      return records.map(record => added.delete(record.handle) ? { inserted: true } : refused(record))
    } catch (error) {
      // A statement that is refused has written nothing; by itself, each session shows whether it is the one.
      if (error instanceof GeneralError && refusedStatement(error.cause)) return records.map(one)
      throw error
    }
  })
}

/** The lock of a user's logins, shared among them; `exclusiveLock` waits for it. */
function sharedLock(names: PostgresNames, userId: string): string {
  return `pg_advisory_xact_lock_shared(${userLockKey(names, userId)})`
}

/** The key of the advisory lock of a user's logins. */
export function userLockKey(names: PostgresNames, userId: string): string {
  return `hashtextextended(${userId}, hashtext('${names.channel} logins'))`
}

function valuesOf(record: SessionRecord): SqlValue[] {
  return [...sessionValues(record), record.expiresAt]
}

function rowOf(record: SessionRecord): Readonly<Record<string, unknown>> {
  const values = valuesOf(record)
  return {
    ...Object.fromEntries(columns.map((column, index) => [column, values[index]])),
    not_before_names: notBeforeNames(record),
  }
}
