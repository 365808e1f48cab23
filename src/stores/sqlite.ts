import { checkOptions, checkValue } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import { sqliteDatabaseRule, sqliteDriverRules, sqliteFileRule, sqliteRules } from './options.ts'
import { tableNames } from './sql/table-names.ts'
import { createChangeLog } from './sqlite/change-log.ts'
import { configure, connect } from './sqlite/connection.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import { failure, guarded } from './sqlite/guard.ts'
import { createKeys } from './sqlite/keys.ts'
import { createPrivateFile, openDatabase } from './sqlite/open.ts'
import { migrate } from './sqlite/schema.ts'
import { createSessions } from './sqlite/sessions.ts'

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
  checkValue('file', sqliteFileRule, file)
  checkOptions('openSqliteStore', sqliteRules, options)
  const opened: SqliteDatabase[] = []
  const open = (): SqliteDatabase => {
    const database = openDatabase(file)
    opened.push(database)
    database.exec('PRAGMA trusted_schema = OFF')
    return database
  }
  const closeAll = (): void => {
    for (const database of opened.splice(0)) database.close()
  }
  try {
    if (file !== ':memory:') createPrivateFile(file)
    const durable = open()
    const store = createSqliteStore(durable, { ...options, fast: file === ':memory:' ? durable : open() })
    return {
      ...store,
      async close() {
        await store.close()
        await guarded(closeAll)
      },
    }
  } catch (cause) {
    closeAll()
    throw failure(cause, 'the SQLite file cannot be opened')
  }
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
  const separate = options.fast !== undefined && options.fast !== database ? options.fast : null
  try {
    configure(database, 'FULL')
    const durable = connect(database)
    migrate(database, durable, names)
    if (separate !== null) configure(separate, 'NORMAL')
    const fast = separate === null ? durable : connect(separate)
    const log = createChangeLog(durable, fast, names)
    const takeTurn = fast.changes(
      `INSERT INTO ${names.turn} (task, holder, until) VALUES (?, ?, ?)
       ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, until = excluded.until
       WHERE ${names.turn}.holder = excluded.holder OR ${names.turn}.until <= ?`)
    const { settled, ...sessions } = createSessions(durable, fast, log, names)
    return {
      ...sessions,
      ...createKeys(durable, log, names),
      takeTurn: (task, holder, now, until) => guarded(() => takeTurn(task, holder, until, now) === 1),
      changesSince: (cursor, limit) => guarded(() => log.since(cursor, limit)),
      follow: wake => guarded(() => {
        const stop = log.follow(wake)
        return async () => stop()
      }),
      // The processes that share a file share a machine, and its clock.
      time: async () => null,
      async close() {
        await settled()
        log.close()
      },
    }
  } catch (cause) {
    throw failure(cause, 'the SQLite database cannot be set up')
  }
}
