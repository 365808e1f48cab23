import { having, text } from '../../base/options.ts'
import type { Rule, RulesFor } from '../../base/options.ts'
import { describeClient } from '../known-clients.ts'
import { tablePrefixRule } from '../options.ts'
import type { SqliteDriverOptions, SqliteStoreOptions } from '../sqlite.ts'
import type { SqliteDatabase } from './database.ts'

/** What the first argument of `openSqliteStore` accepts. */
export const sqliteFileRule: Rule<string> = text(
  'the path of a file such as "keyturn.db", or ":memory:"; not a URL', /^(?:(?!(?:file|sqlite):).+|:memory:)$/s)

/** What the options of `openSqliteStore` and `printSqliteMigrations` accept. */
export const sqliteRules: RulesFor<SqliteStoreOptions> = { prefix: tablePrefixRule }

/** What the first argument of `createSqliteStore` accepts. */
export const sqliteDatabaseRule: Rule<SqliteDatabase, undefined> = {
  ...having('an open SQLite database of node:sqlite, better-sqlite3 or bun:sqlite', 'exec', 'prepare'),
  describe: describeClient,
}

/** What the options of `createSqliteStore` accept. */
export const sqliteDriverRules: RulesFor<SqliteDriverOptions> = { ...sqliteRules, fast: sqliteDatabaseRule }
