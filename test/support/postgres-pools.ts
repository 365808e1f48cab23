import { Pool } from 'pg'
import { onTestFinished } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import type { PostgresClient, PostgresPool } from '../../src/stores/postgres.ts'

let schemas = 0

/** The name of a schema that no other test uses. */
export function freshSchema(): string {
  return `own_${process.pid}_${++schemas}`
}

/** Opens a pool, which ends with the test. */
export function openPool(url: string, max = 10): Pool {
  const pool = new Pool({ connectionString: url, max }).on('error', () => undefined)
  onTestFinished(() => pool.end())
  return pool
}

/** Closes a store when the test is over. */
export function opened(store: SessionStore): SessionStore {
  onTestFinished(() => store.close())
  return store
}

/** A store in a separate schema, with tables. */
export async function freshStore(url: string): Promise<{ store: SessionStore; schema: string; pool: Pool }> {
  const schema = freshSchema()
  const pool = openPool(url)
  await migratePostgres(pool, { schema })
  return { store: opened(createPostgresStore(pool, { schema })), schema, pool }
}

/** A pool whose statements are recorded as they are passed to the driver. */
export interface WatchedPool {
  readonly pool: PostgresPool
  readonly texts: string[]
  readonly names: (string | undefined)[]
}

/** Records the statements that go through a pool. */
export function watched(pool: Pool): WatchedPool {
  const texts: string[] = []
  const names: (string | undefined)[] = []
  const watch = (client: PostgresClient): PostgresClient => ({
    query(statement) {
      texts.push(statement.text)
      names.push(statement.name)
      return client.query(statement)
    },
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
    release: destroy => client.release(destroy),
  })
  return { pool: { connect: async () => watch(await pool.connect()) }, texts, names }
}
