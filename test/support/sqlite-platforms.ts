// Cloudflare's databases, over a SQLite database of this process.
import type { DatabaseSync } from 'node:sqlite'
import type { SqlValue } from '../../src/stores/sql/row.ts'
import type { D1Database, D1Statement } from '../../src/stores/d1.ts'
import type { DurableObjectState } from '../../src/stores/durable-object.ts'

/** A binding of D1. */
export function createD1(database: DatabaseSync): D1Database {
  const runs = new WeakMap<D1Statement, () => { results: unknown[] }>()
  function prepare(sql: string, values: readonly SqlValue[] = []): D1Statement {
    const run = (): { results: unknown[] } => ({ results: database.prepare(sql).all(...values) })
    const statement: D1Statement = {
      bind: (...given) => prepare(sql, given.map(toSqlValue)),
      all: async () => run(),
    }
    runs.set(statement, run)
    return statement
  }
  return {
    prepare: sql => prepare(sql),
    batch: async statements => transact(database, () => statements.map(each => runs.get(each)?.() ?? { results: [] })),
  }
}

/** The state of a Durable Object, and its alarm. */
export interface ObjectState extends DurableObjectState {
  /** The time of the alarm; null if none is set. */
  alarm: number | null
  /** Whether alarms cannot be set now. */
  refusesAlarms: boolean
}

/** The state of a Durable Object with this database. */
export function createObjectState(database: DatabaseSync): ObjectState {
  const state: ObjectState = {
    alarm: null,
    refusesAlarms: false,
    storage: {
      sql: {
        exec(sql, ...values) {
          const rows = database.prepare(sql).all(...values)
          return { toArray: () => rows }
        },
      },
      transactionSync: work => transact(database, work),
      getAlarm: async () => state.alarm,
      async setAlarm(time) {
        if (state.refusesAlarms) throw new Error('Network connection lost.')
        state.alarm = time
      },
    },
    blockConcurrencyWhile: work => work(),
  }
  return state
}

function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

function toSqlValue(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`no value of D1: ${String(value)}`)
}
