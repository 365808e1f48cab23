import { existsSync } from 'node:fs'
import { ownVariables, unknownVariables } from '../server/environment.ts'
import type { Environment } from '../server/environment.ts'
import { schemeOf, sqliteFile } from '../server/open-store.ts'
import type { StoreScheme } from '../server/open-store.ts'
import { knownVariables } from '../server/settings.ts'
import type { SessionStore } from '../session/store.ts'
import { UsageError } from './command.ts'

/** The store of an application that names none. */
export const defaultStoreUrl: string = 'sqlite:keyturn.db'

/** The stores as users write them. */
export const storeUrlHelp: string = '<store>  sqlite:<file>, postgres://..., mysql://..., mariadb://..., redis://... '
  + `or rediss://...\n           (default KEYTURN_STORE, or else ${defaultStoreUrl})`

/** The store that a command line names, or else the environment as it does for a server. @throws UsageError */
export function storeUrlOf(named: string | undefined, environment: Environment): string {
  const own = ownVariables(environment)
  const problems = unknownVariables(own, knownVariables)
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return named ?? (own['KEYTURN_STORE'] || defaultStoreUrl)
}

/** Makes sure of a store's file: to look into one that is not there would make an empty one. @throws Error */
export function requireStoreFile(url: string): void {
  if (kindOfStore(url) !== 'sqlite') return
  const file = sqliteFile(url)
  if (file === ':memory:' || existsSync(file)) return
  throw new Error(`there is no SQLite file ${file}. Name the store, or set KEYTURN_STORE`)
}

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
