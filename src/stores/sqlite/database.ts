import type { SqlValue } from '../sql/row.ts'

/**
 * The part of a SQLite driver that the store needs: `DatabaseSync` of `node:sqlite`, `Database` of better-sqlite3 and
 * `Database` of `bun:sqlite` have it.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** A prepared statement. */
export interface SqliteStatement {
  /** Runs a statement that returns rows, to its end. */
  all(...parameters: SqlValue[]): unknown[]
  /** Runs a statement that returns no rows. */
  run(...parameters: SqlValue[]): { changes: number | bigint }
  /**
   * Makes rows arrays, which `node:sqlite` fills in half the time. Other drivers and older versions of Node lack it.
   */
  setReturnArrays?(enabled: boolean): void
}
