import { GeneralError } from '../base/errors.ts'
import type { SessionStore } from '../session/store.ts'

/** How a store is opened. */
export interface OpenStoreOptions {
  /** The application whose sessions it keeps: each has tables or keys of its own. */
  readonly appId: string
  /** Whether tables are made and updated at the first use. SQLite always does. */
  readonly migrate: 'auto' | 'manual'
}

/**
 * Opens a store by its URL: `sqlite:<file>`, `sqlite::memory:`, `postgres://`, `mysql://` or `redis://` (`rediss://`).
 * Only the code of that store is loaded.
 * @throws GeneralError (`MISUSE`) for any other text, without repeating it: it may hold a password.
 */
export async function openStore(url: string, { appId, migrate }: OpenStoreOptions): Promise<SessionStore> {
  const scheme = schemeOf(url)
  switch (scheme) {
    case 'sqlite': {
      const { openSqliteStore } = await import('../stores/sqlite.ts')
      return openSqliteStore(sqliteFile(url), { prefix: tablePrefix(appId) })
    }
    case 'postgres': {
      const { createPostgresStore } = await import('../stores/postgres.ts')
      return createPostgresStore(url, { prefix: tablePrefix(appId), migrate })
    }
    case 'mysql': {
      const { createMysqlStore } = await import('../stores/mysql.ts')
      return createMysqlStore(url, { prefix: tablePrefix(appId), migrate })
    }
    case 'redis': {
      const { createRedisStore } = await import('../stores/redis.ts')
      return createRedisStore(url, { prefix: appId === 'public' ? 'keyturn:' : `keyturn_${appId}:` })
    }
  }
}

/** The kinds of stores that a URL can name. */
export type StoreScheme = 'sqlite' | 'postgres' | 'mysql' | 'redis'

const schemes: ReadonlyMap<string, StoreScheme> = new Map([
  ['sqlite', 'sqlite'], ['postgres', 'postgres'], ['postgresql', 'postgres'], ['mysql', 'mysql'], ['mariadb', 'mysql'],
  ['redis', 'redis'], ['rediss', 'redis'],
])

/** Which kind of store a URL names. @throws GeneralError (`MISUSE`) for any other text. */
export function schemeOf(url: string): StoreScheme {
  const scheme = schemes.get(/^([a-z]+):/.exec(url)?.[1] ?? '')
  if (scheme !== undefined) return scheme
  throw new GeneralError('MISUSE', 'the store must be a URL that begins with sqlite:, postgres://, mysql:// or '
    + 'redis://')
}

/** The file of a `sqlite:` URL; `sqlite:///path` and `sqlite:/path` are the same. */
export function sqliteFile(url: string): string {
  const file = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  if (file !== '') return file
  throw new GeneralError('MISUSE', 'the store needs a file: sqlite:keyturn.db, say')
}

/** What begins the names of an application's tables. */
export function tablePrefix(appId: string): string {
  return appId === 'public' ? 'keyturn_' : `keyturn_${appId.replaceAll('-', '_')}_`
}
