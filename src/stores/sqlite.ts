import { checkOptions, checkValue } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import { tableNames } from './sql/table-names.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import { openFile } from './sqlite/file.ts'
import { toStoreError } from './sqlite/guard.ts'
import { sqliteDatabaseRule, sqliteDriverRules } from './sqlite/options.ts'
import { createStore } from './sqlite/store.ts'

export type { SqliteDatabase, SqliteStatement } from './sqlite/database.ts'
export { printSqliteMigrations } from './sqlite/schema.ts'

/** How a SQLite store is set up. */
export interface SqliteStoreOptions {
  /**
   * What the names of all tables begin with: a letter or `_`, then letters, digits, `_`; at most 31. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** As {@link SqliteStoreOptions}, for a store on a driver of the application's choice. */
export interface SqliteDriverOptions extends SqliteStoreOptions {
  /**
   * A second connection to the same file for what need not wait for the disk. Refreshes are about seven times faster
   * with it. Default: none; refreshes are as durable as logins.
   */
  readonly fast?: SqliteDatabase
}

/**
 * Opens a store on a SQLite file, made if there is none and then readable by its owner alone. `:memory:` keeps
 * everything in this process. Takes two connections: logins, revocations, keys and updates are on the disk before
 * they are acknowledged; rotations may be lost in a power cut (never when only the process dies) and are then adopted
 * again. The logins of one turn of the event loop are committed together, and so are its rotations.
 * @throws GeneralError (`MISUSE`) for a wrong option, a URL or a runtime without `node:sqlite`;
 * (`STORE_UNAVAILABLE`) if the file cannot be opened.
 */
export function openSqliteStore(file: string, options: SqliteStoreOptions = {}): SessionStore {
  return openFile(file, options, 'auto')
}

/**
 * Makes a store on an open SQLite database: `node:sqlite`, better-sqlite3 or anything else of that shape. The
 * connection should be the store's own, since its settings are made (WAL, `synchronous`, busy timeout) and since it
 * must not be inside a transaction when the store is called. Who opened the database closes it, after the store.
 * @throws GeneralError (`MISUSE`) for a wrong option or database; (`STORE_UNAVAILABLE`) if it cannot be set up.
 */
export function createSqliteStore(database: SqliteDatabase, options: SqliteDriverOptions = {}): SessionStore {
  checkValue('database', sqliteDatabaseRule, database)
  checkOptions('createSqliteStore', sqliteDriverRules, options)
  const names = tableNames(options.prefix)
  try {
    return createStore({ durable: database, fast: options.fast ?? null, names, migrate: 'auto' })
  } catch (cause) {
    throw toStoreError(cause, 'the SQLite database cannot be set up')
  }
}
