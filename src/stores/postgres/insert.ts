import { GeneralError } from '../../base/errors.ts'
import type { SessionRecord } from '../../session/record.ts'
import { gather } from '../gather.ts'
import type { Gathered } from '../gather.ts'
import { handle } from '../sql/row.ts'
import type { SqlValue } from '../sql/row.ts'
import { sessionColumns, sessionValues } from '../sql/session-row.ts'
import { durably } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

const columns: readonly string[] = [...sessionColumns, 'sweep_at']

/**
 * Adds sessions. Those of one turn of the event loop share a statement, and so a round trip, a transaction and a wait
 * for the disk, but not their outcome: a handle that exists, or a session that the server refuses, is the failure of
 * that login alone.
 */
export function createInsert(database: Database, names: PostgresNames): Gathered<SessionRecord, null> {
  const into = `INSERT INTO ${names.session} (${columns.join(', ')})`
  const insert = database.statement(
    `${into} VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})
     ON CONFLICT DO NOTHING RETURNING ${durably}`)
  // One text for any number of them. JSON, because a connection may have settings that change how arrays are read. In
  // the order of the handles, so that two such statements can not wait for each other.
  const insertAll = database.statement(
    `${into} SELECT ${columns.join(', ')} FROM json_populate_recordset(NULL::${names.session}, $1::json)
     ORDER BY handle ON CONFLICT DO NOTHING RETURNING handle, ${durably}`)

  async function one(record: SessionRecord): Promise<null> {
    return (await insert(...valuesOf(record))).length === 0 ? refuse() : null
  }

  return gather(one, async records => {
    try {
      const rows = await insertAll(JSON.stringify(records.map(rowOf)))
      const added = new Set(rows.map(row => handle(row, 'handle')))
      // Taken out when it is answered for: of two with the same handle, one was added.
      return records.map(record => added.delete(record.handle) ? null : refuse())
    } catch (error) {
      // A statement that is refused has written nothing; by itself, each session shows whether it is the one.
      if (error instanceof GeneralError && refusedStatement(error.cause)) return records.map(one)
      throw error
    }
  })
}

async function refuse(): Promise<never> {
  throw new GeneralError('MISUSE', 'a session with this handle exists')
}

function valuesOf(record: SessionRecord): SqlValue[] {
  return [...sessionValues(record), record.expiresAt]
}

function rowOf(record: SessionRecord): Record<string, SqlValue | undefined> {
  const values = valuesOf(record)
  return Object.fromEntries(columns.map((column, index) => [column, values[index]]))
}
