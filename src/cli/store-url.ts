import { schemeOf, sqliteFile } from '../server/open-store.ts'
import type { StoreScheme } from '../server/open-store.ts'
import type { SessionStore } from '../session/store.ts'
import { UsageError } from './command.ts'

/** The store of an application that names none. */
export const defaultStoreUrl: string = 'sqlite:keyturn.db'

/** The stores as users write them. */
export const storeUrlHelp: string = '<store>  sqlite:<file>, postgres://..., mysql://..., mariadb://..., redis://... '
  + `or rediss://... (default ${defaultStoreUrl})`

/** Reads a URL's kind from its scheme. @throws UsageError */
export function kindOfStore(url: string): StoreScheme {
  try {
    return schemeOf(url)
  } catch {
    throw new UsageError(`a store is written as one of\n  ${storeUrlHelp}`)
  }
}

/** Where tables or keys are named otherwise than by default. */
export interface StoreNaming {
  readonly prefix?: string
  readonly schema?: string
}

/** Opens the store of a URL. Only its own driver is loaded. */
export async function openStore(url: string, { prefix, schema }: StoreNaming): Promise<SessionStore> {
  const named = prefix === undefined ? {} : { prefix }
  switch (kindOfStore(url)) {
    case 'sqlite': return (await import('../stores/sqlite.ts')).openSqliteStore(sqliteFile(url), named)
    case 'postgres': {
      const { createPostgresStore } = await import('../stores/postgres.ts')
      return createPostgresStore(url, schema === undefined ? named : { ...named, schema })
    }
    case 'mysql': return (await import('../stores/mysql.ts')).createMysqlStore(mysqlUrl(url), named)
    case 'redis': return (await import('../stores/redis.ts')).createRedisStore(url, named)
  }
}

/** The driver knows one scheme for both servers. */
export function mysqlUrl(url: string): string {
  return url.replace(/^mariadb:/, 'mysql:')
}
