import { checkOptions, checkValue } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import { tableNames } from './sql/table-names.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import { checkDriver } from './sqlite/driver.ts'
import { openFile } from './sqlite/file.ts'
import { sqliteDatabaseRule, sqliteDriverRules } from './sqlite/options.ts'
import { createStore } from './sqlite/store.ts'
import { toStoreError } from './sqlite/store-error.ts'

export type { SqliteDatabase, SqliteStatement } from './sqlite/database.ts'
export { printSqliteMigrations } from './sqlite/schema.ts'

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The prefix of the names of all tables: a letter or `_`, then letters, digits, `_`; at most 31 characters. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** Options of {@link createSqliteStore}, for a driver of the application's choice. */
export interface SqliteDriverOptions extends SqliteStoreOptions {
  /**
   * A second connection to the same file, for writes that need not wait for the disk. It makes refreshes about seven
   * times faster. Default: none; refreshes are as durable as logins.
   */
  readonly fast?: SqliteDatabase
}

/**
 * Opens a store on a SQLite file. If the file does not exist, it is created, readable by its owner alone. `:memory:`
 * keeps everything in this process. The store opens two connections. Logins, revocations, keys and updates are on the
 * disk before they are acknowledged. A power cut (never a crash of the process alone) may lose rotations; Keyturn then
 * accepts the newer tokens that clients have. The logins of one tick of the event loop are committed together, and so
 * are its rotations. A call that finds the file locked by another connection waits for up to 5 seconds, while the event
 * loop runs; so does the first call, if the tables could not be created yet.
 * @throws GeneralError (`MISUSE`) if an option is invalid, `file` is a URL, or the runtime has no `node:sqlite`;
 * (`STORE_UNAVAILABLE`) if the file cannot be opened.
 */
export function openSqliteStore(file: string, options: SqliteStoreOptions = {}): SessionStore {
  return openFile(file, options, 'auto')
}

/**
 * Creates a store on an open SQLite database of `node:sqlite`, better-sqlite3 or `bun:sqlite`. Give the store a
 * connection of its own: the store changes the connection's settings (WAL and its checkpoints, `synchronous`, busy
 * timeout), and the connection must not be inside a transaction when the store is called. The application closes the
 * database, after it has closed the store.
 * @throws GeneralError (`MISUSE`) if an option or the database is invalid; (`STORE_UNAVAILABLE`) if it cannot be set
 * up.
 */
export function createSqliteStore(database: SqliteDatabase, options: SqliteDriverOptions = {}): SessionStore {
  checkValue('database', sqliteDatabaseRule, database)
  checkOptions('createSqliteStore', sqliteDriverRules, options)
  const names = tableNames(options.prefix)
  try {
    checkDriver(database)
    if (options.fast !== undefined) checkDriver(options.fast)
    return createStore({ durable: database, fast: options.fast ?? null, names, migrate: 'auto' })
  } catch (cause) {
    throw toStoreError(cause, 'the SQLite database cannot be set up')
  }
}
