import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import { batch } from '../batch.ts'
import type { Batched } from '../batch.ts'
import { notBeforeNames } from '../not-before.ts'
import { readHandle } from '../sql/row.ts'
import type { SqlValue } from '../sql/row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import { durably } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

const columns: readonly string[] = [...sessionColumns, 'sweep_at']

/** The outcome of a login: a not-before may refuse it. */
export interface InsertOutcome {
  readonly inserted: boolean
}

/**
 * Inserts sessions, and deletes those that a not-before refuses (`notBeforeNames`): two statements. Logins of one tick
 * of the event loop share the statements, and so round trips, a transaction and a wait for the disk, but not their
 * outcome: a handle that exists, or a session that the server refuses, fails that login alone.
 */
export function createInsert(database: Database, names: PostgresNames): Batched<SessionRecord, InsertOutcome> {
  const into = `INSERT INTO ${names.session} (${columns.join(', ')})`
  const insert = database.statement(
    `${into} VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})
     ON CONFLICT DO NOTHING RETURNING ${durably}`)
  // One text for any number of sessions. JSON, because a connection may have settings that change how arrays are read.
  // Ordered by handle, so that two such statements cannot deadlock.
  const insertAll = database.statement(
    `${into} SELECT ${columns.join(', ')} FROM json_populate_recordset(NULL::${names.session}, $1::text::json)
     ORDER BY handle ON CONFLICT DO NOTHING RETURNING handle, ${durably}`)
  const refuse = database.statement(
    `WITH refused AS MATERIALIZED (
       SELECT login.handle FROM unnest($1::text[], $2::text[], $3::bigint[]) AS login (handle, name, created_at)
       JOIN ${names.notBefore} AS known ON known.name = login.name AND known.time > login.created_at
       WHERE known.name = ANY ($2::text[])
     ),
     locked AS (
       SELECT handle FROM ${names.session} WHERE handle = ANY (ARRAY (SELECT handle FROM refused))
       ORDER BY handle FOR UPDATE
     ),
     gone AS (DELETE FROM ${names.session} WHERE handle = ANY (ARRAY (SELECT handle FROM locked)))
     SELECT handle FROM refused`, { repeatable: true })

  /** Deletes the sessions that a not-before refuses. Returns their handles. */
  async function refusedOf(records: readonly SessionRecord[]): Promise<ReadonlySet<SessionHandle>> {
    const checks = records.flatMap(record => notBeforeNames(record).map(name => ({ name, record })))
    const rows = await refuse(
      checks.map(({ record }) => record.handle), checks.map(({ name }) => name),
      checks.map(({ record }) => record.createdAt))
    return new Set(rows.map(row => readHandle(row, 'handle')))
  }

  async function one(record: SessionRecord): Promise<InsertOutcome> {
    if ((await insert(...valuesOf(record))).length === 0) throw duplicate()
    return { inserted: (await refusedOf([record])).size === 0 }
  }

  /**
   * Inserts sessions with one statement. Returns those that it inserted, or null if the server refused the statement.
   */
  async function addTogether(records: readonly SessionRecord[]): Promise<ReadonlySet<SessionRecord> | null> {
    try {
      const rows = await insertAll(JSON.stringify(records.map(rowOf)))
      const added = new Set(rows.map(row => readHandle(row, 'handle')))
      // A handle is deleted from the set when it is counted: of two sessions with the same handle, one was inserted.
      return new Set(records.filter(record => added.delete(record.handle)))
    } catch (error) {
      if (error instanceof GeneralError && refusedStatement(error.cause)) return null
      throw error
    }
  }

  return batch(one, async records => {
    const added = await addTogether(records)
    // A refused statement has written nothing. Each session is then inserted alone, so that only the cause fails.
    if (added === null) return records.map(one)
    const refused = await refusedOf([...added])
    return records.map(async record => {
      if (!added.has(record)) throw duplicate()
      return { inserted: !refused.has(record.handle) }
    })
  })
}

function duplicate(): GeneralError {
  return new GeneralError('MISUSE', 'a session with this handle exists')
}

function valuesOf(record: SessionRecord): SqlValue[] {
  return [...sessionValues(record), record.expiresAt]
}

function rowOf(record: SessionRecord): Readonly<Record<string, unknown>> {
  const values = valuesOf(record)
  return Object.fromEntries(columns.map((column, index) => [column, values[index]]))
}
