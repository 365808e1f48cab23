import type { Row, SqlValue } from '../sql/row.ts'
import { rowOf } from '../sql/row.ts'
import type { SqliteDatabase } from './database.ts'
import { prepare } from './driver.ts'
import type { Retries } from './retries.ts'

/** A configured connection, and the few operations that the store uses. */
export interface Connection {
  /**
   * Prepares a statement that returns rows. It always runs to its end: a statement that `get()` leaves half done
   * prevents SQLite from ever checkpointing the write-ahead log.
   */
  rows(sql: string): (...parameters: SqlValue[]) => Row[]
  /** As {@link Connection.rows}, but rows are arrays if the driver supports that. */
  tuples(sql: string): (...parameters: SqlValue[]) => Row[]
  /** Prepares a statement that returns no rows. Returns how many rows it changed. */
  changes(sql: string): (...parameters: SqlValue[]) => number
  /**
   * Runs the work in one transaction that has the write lock from its beginning, so that it cannot deadlock. Nothing
   * stays of work that fails, or whose commit fails.
   */
  transaction<T>(work: () => T): T
}

/** What the parts of a store share. */
export interface Connections {
  /** Its commits wait for the disk. */
  readonly durable: Connection
  /** May be the same connection. */
  readonly fast: Connection
  /** Runs what only reads. In WAL mode, it need not wait for another connection's write lock. */
  readonly reads: Retries
  /** Runs what writes, on either connection. */
  readonly writes: Retries
}

/**
 * Whether a commit waits for the disk. `FULL` survives a power cut; `NORMAL` may lose the newest commits then
 * (never when only the process dies), and is seven times faster.
 */
export type Durability = 'FULL' | 'NORMAL'

/**
 * How many pages the write-ahead log may have before a commit copies them into the file. The commit waits for that, and
 * so does the event loop: 5 ms, where SQLite's default of 1000 pages takes 15 ms and a refresh 6 % less. A worker
 * thread would be no better (docs/decisions/0020-sqlite-waits.md).
 */
const CHECKPOINT_PAGES = 250

/** Configures a connection. SQLite must never wait for a lock by itself: the event loop would stop. */
export function configure(database: SqliteDatabase, durability: Durability): void {
  database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL')
  database.exec(`PRAGMA synchronous = ${durability}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
}

/** Wraps a configured database. */
export function connect(database: SqliteDatabase): Connection {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const reading = (sql: string, arrays: boolean) => {
    const statement = prepare(database, sql, arrays)
    return (...parameters: SqlValue[]): Row[] => statement.all(parameters).map(rowOf)
  }
  return {
    rows: sql => reading(sql, false),
    tuples: sql => reading(sql, true),
    changes(sql) {
      const statement = prepare(database, sql, false)
      return (...parameters) => statement.run(parameters)
    },
    transaction(work) {
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } catch (error) {
        rollBack(database)
        throw error
      }
    },
  }
}

/** SQLite itself ends a transaction after some errors (disk full, I/O); then there is nothing to roll back. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // The error that caused the rollback is the one to report.
  }
}
