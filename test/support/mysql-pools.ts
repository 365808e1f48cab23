import { createPool } from 'mysql2/promise'
import type { Pool } from 'mysql2/promise'
import { onTestFinished } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import type { MysqlPool } from '../../src/stores/mysql.ts'
import type { SqlValue } from '../../src/stores/sql/row.ts'

/** Opens a pool, which ends with the test. */
export function openPool(url: string): Pool {
  const pool = createPool({ uri: url, multipleStatements: true })
  onTestFinished(() => pool.end())
  return pool
}

/** Closes a store when the test is over. */
export function opened(store: SessionStore): SessionStore {
  onTestFinished(() => store.close())
  return store
}

/** A statement as it is passed to the driver. */
export interface Statement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** Records the statements that go through a pool. */
export function watched(pool: MysqlPool): { readonly pool: MysqlPool; readonly statements: Statement[] } {
  const statements: Statement[] = []
  return {
    statements,
    pool: {
      async getConnection() {
        const connection = await pool.getConnection()
        return {
          execute(sql, values) {
            statements.push({ sql, values: values ?? [] })
            return connection.execute(sql, values)
          },
          query(sql) {
            statements.push({ sql, values: [] })
            return connection.query(sql)
          },
          release: () => connection.release(),
          destroy: () => connection.destroy(),
        }
      },
    },
  }
}
