import { GeneralError } from '../base/errors.ts'
import { checkOptions, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import type { OpenStoreOptions, StoreKind } from './kind.ts'
import { mysqlKind } from './mysql/kind.ts'
import { migrateRule, poolSizeRule } from './options.ts'
import { postgresKind } from './postgres/kind.ts'
import { redisKind } from './redis/kind.ts'
import { sqliteKind } from './sqlite/kind.ts'

export type { OpenStoreOptions, StoreKind, StoreMigrations, StoreNaming, StoreState } from './kind.ts'
export type { MigrationResult } from './sql/migrations.ts'

/**
 * The kinds of store that a URL can name. Help texts, messages, the validation of settings and traces use this list.
 * The memory store is not in it: it has no data that a URL could lead to.
 */
export const storeKinds: readonly StoreKind[] = [
  sqliteKind,
  postgresKind,
  mysqlKind,
  redisKind,
]

/** The URLs that a store accepts, to complete "must be ...". */
export const acceptedUrls: string = `a URL that begins with ${listOf(storeKinds.flatMap(({ schemes }) => schemes))}`

/** The rules for the options of {@link openStoreByUrl}; the kind of store checks them further. */
export const openStoreRules: RulesFor<OpenStoreOptions> = {
  prefix: text('a text that the store accepts as its prefix'),
  schema: text('a text that the store accepts as its schema'),
  migrate: migrateRule,
  poolSize: poolSizeRule,
}

/** The kind of store that a URL names by its scheme. Returns null for any other text. */
export function findStoreKind(url: string): StoreKind | null {
  const scheme = /^([a-z]+):/.exec(url)?.[1]
  return storeKinds.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme)) ?? null
}

/**
 * As `findStoreKind`, for text that must be such a URL.
 * @throws GeneralError (`MISUSE`) for any other text. The message does not repeat it: it may hold a password (ST-07).
 */
export function kindOfStore(url: string): StoreKind {
  const kind = findStoreKind(url)
  if (kind === null) throw new GeneralError('MISUSE', `the store must be ${acceptedUrls}`)
  return kind
}

/**
 * Opens the store that a URL names: `sqlite:<file>`, `postgres://`, `mysql://`, `mariadb://`, `redis://` or
 * `rediss://`. Only the code and the driver of that store are loaded.
 * @throws GeneralError (`MISUSE`) if an option or the URL is invalid, or the driver is not installed. The message never
 * repeats the URL.
 * @example
 * const store = await openStoreByUrl('postgres://app@db.example.com/app', { prefix: 'shop_' })
 */
export async function openStoreByUrl(url: string, options: OpenStoreOptions = {}): Promise<SessionStore> {
  checkOptions('openStoreByUrl', openStoreRules, options)
  const kind = kindOfStore(url)
  if (options.schema !== undefined && kind.schema === null) {
    throw new GeneralError('MISUSE', `schema must be left out: ${kind.title} has no schemas`)
  }
  if (options.poolSize !== undefined && !kind.hasPool) {
    throw new GeneralError('MISUSE', `poolSize must be left out: ${kind.title} has no pool of connections`)
  }
  return kind.open(url, options)
}

function listOf(schemes: readonly string[]): string {
  return schemes.map(scheme => `${scheme}:`).join(', ').replace(/, (?=[^,]*$)/, ' or ')
}
