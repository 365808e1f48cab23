import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'

/** The stores that are measured. */
export const storeKinds = ['memory', 'sqlite', 'postgres', 'mariadb', 'redis'] as const
export type StoreKind = typeof storeKinds[number]

/** Narrows a text to a kind of store. */
export function isStoreKind(text: string): text is StoreKind {
  return storeKinds.some(kind => kind === text)
}

/**
 * Opens a store. `place` is the URL of the server, or the folder of SQLite's files; `data` names the tables, the keys
 * or the file, so that one server can hold several stores.
 */
export function openStore(kind: StoreKind, place: string, data: string): SessionStore {
  switch (kind) {
    case 'memory': return createMemoryStore()
    case 'sqlite': return openSqliteStore(`${place}/${data}.db`)
    case 'postgres': return createPostgresStore(place, { prefix: `${data}_`, migrate: 'auto' })
    case 'mariadb': return createMysqlStore(place, { prefix: `${data}_`, migrate: 'auto' })
    case 'redis': return createRedisStore(place, { prefix: `${data}:` })
  }
}
