import type { SqlValue } from '../sql/row.ts'

/** The part of a `mysql2/promise` connection that the store needs. */
export interface MysqlConnection {
  /** Runs a prepared statement. The first part of the answer holds the rows, or what the statement changed. */
  execute(sql: string, values?: SqlValue[]): Promise<[unknown, unknown]>
  /** Runs a statement that cannot be prepared: one that begins or ends a transaction. */
  query(sql: string): Promise<[unknown, unknown]>
  /** Gives the connection back to its pool. */
  release(): void
  /** Ends the connection at once. */
  destroy(): void
}

/** The part of a `mysql2/promise` Pool that the store needs. */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>
}
