import { existsSync } from 'node:fs'
import { closeOnce } from '../../base/close-once.ts'
import { checkOptions, checkValue } from '../../base/options.ts'
import type { SessionStore } from '../../session/store.ts'
import type { StoreNaming, StoreState } from '../kind.ts'
import { missingTables } from '../sql/missing-tables.ts'
import { conditionOf } from '../sql/migrations.ts'
import type { MigrationResult } from '../sql/migrations.ts'
import { tableNames } from '../sql/table-names.ts'
import { configure, connect } from './connection.ts'
import type { SqliteDatabase } from './database.ts'
import { createPrivateFile, openDatabase } from './open.ts'
import { sqliteFileRule, sqliteRules } from './options.ts'
import { createRetries } from './retries.ts'
import { migrateSchema, newestVersion, readVersion } from './schema.ts'
import { createStore } from './store.ts'
import { toStoreError } from './store-error.ts'

const MEMORY = ':memory:'
const CANNOT_OPEN = 'the SQLite file cannot be opened'

/** Implements `openSqliteStore`. With `manual`, the file must already have its tables, and is not migrated. */
export function openFile(file: string, naming: StoreNaming, migrate: 'auto' | 'manual'): SessionStore {
  checkValue('file', sqliteFileRule, file)
  checkOptions('openSqliteStore', sqliteRules, naming)
  const names = tableNames(naming.prefix)
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
    if (migrate === 'auto' && file !== MEMORY) createPrivateFile(file)
    if (migrate === 'manual' && !existsSync(file)) throw missingTables()
    const durable = open()
    const store = createStore({ durable, fast: file === MEMORY ? null : open(), names, migrate })
    return {
      ...store,
      close: closeOnce(async () => {
        await store.close()
        try {
          closeAll()
        } catch (cause) {
          throw toStoreError(cause, 'the SQLite file cannot be closed')
        }
      }),
    }
  } catch (cause) {
    closeAll()
    throw toStoreError(cause, CANNOT_OPEN)
  }
}

/** Looks for the tables in a file, over a read-only connection. */
export async function inspectFile(file: string, naming: StoreNaming): Promise<StoreState> {
  checkValue('file', sqliteFileRule, file)
  checkOptions('inspect', sqliteRules, naming)
  const names = tableNames(naming.prefix)
  const place = `SQLite file ${file}`
  if (!existsSync(file)) return { condition: 'missing', target: place }
  return using(file, { readOnly: true }, database => {
    const condition = conditionOf(readVersion(database, names), newestVersion)
    return { condition, target: `table ${names.meta} in the ${place}` }
  })
}

/** Creates or updates the tables in a file, and creates the file if there is none. */
export async function migrateFile(file: string, naming: StoreNaming): Promise<MigrationResult> {
  checkValue('file', sqliteFileRule, file)
  checkOptions('migrate', sqliteRules, naming)
  return using(file, {}, database => {
    configure(database, 'FULL')
    return migrateSchema(database, connect(database), tableNames(naming.prefix))
  })
}

/** Runs the work on a connection of its own, once no other connection has a lock that it needs. */
async function using<T>(
  file: string,
  options: { readonly readOnly?: boolean },
  work: (database: SqliteDatabase) => T,
): Promise<T> {
  let database: SqliteDatabase | null = null
  try {
    if (options.readOnly !== true && file !== MEMORY) createPrivateFile(file)
    const opened = openDatabase(file, options)
    database = opened
    return await createRetries(CANNOT_OPEN).run(() => {
      opened.exec('PRAGMA busy_timeout = 0; PRAGMA trusted_schema = OFF')
      return work(opened)
    })
  } catch (cause) {
    throw toStoreError(cause, CANNOT_OPEN)
  } finally {
    database?.close()
  }
}
