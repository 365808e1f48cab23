import { GeneralError } from '../../base/errors.ts'
import { checkOptions } from '../../base/options.ts'
import { requireVersion } from '../sql/missing-tables.ts'
import { pending, migrationScript } from '../sql/migrations.ts'
import type { MigrationResult } from '../sql/migrations.ts'
import { readInteger, rowOf, readText } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import { tableNames } from '../sql/table-names.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connection } from './connection.ts'
import type { SqliteDatabase } from './database.ts'
import { prepare } from './driver.ts'
import { importClaimTable } from './import-claims.ts'
import { sqliteRules } from './options.ts'

/**
 * The schema, one entry for each released version: entry 0 creates version 1, and so on. Entries are only ever
 * appended.
 *
 * The cleanup's index is on `sweep_at`, a lower bound of `expires_at`. Rotation changes `expires_at` and not
 * `sweep_at`, so the most frequent statement changes no index. The cleanup raises `sweep_at` when it meets a session
 * that was kept alive, once per idle timeout.
 *
 * Each entry of the change log gets a random name, so that no statement needs one. Its number is one more than that of
 * the newest entry that is left.
 */
const migrations: readonly ((names: TableNames) => string)[] = [
  names => `
    CREATE TABLE ${names.session} (
      format INTEGER NOT NULL,
      handle TEXT PRIMARY KEY NOT NULL,
      user_id TEXT NOT NULL,
      tenant_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      authenticated_at INTEGER NOT NULL,
      refresh_hash TEXT NOT NULL,
      anchor_hash TEXT NOT NULL,
      refresh_key_id TEXT NOT NULL,
      generation INTEGER NOT NULL,
      branch INTEGER NOT NULL,
      confirmed INTEGER NOT NULL,
      rotated_at INTEGER NOT NULL,
      served_at INTEGER NOT NULL,
      idle_timeout INTEGER NOT NULL,
      absolute_expiry INTEGER,
      expires_at INTEGER NOT NULL,
      access_token_lifetime INTEGER NOT NULL,
      reuse_interval INTEGER NOT NULL,
      persistent INTEGER NOT NULL,
      jwt_payload TEXT NOT NULL,
      payload_version INTEGER NOT NULL,
      session_info TEXT NOT NULL,
      info_version INTEGER NOT NULL,
      ip TEXT,
      user_agent TEXT,
      sweep_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ${names.session}_by_user ON ${names.session} (user_id, created_at, handle);
    CREATE INDEX ${names.session}_by_sweep ON ${names.session} (sweep_at);
    CREATE INDEX ${names.session}_by_creation ON ${names.session} (created_at, handle);
    CREATE TABLE ${names.change} (
      seq INTEGER PRIMARY KEY NOT NULL,
      entry TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
      kind TEXT NOT NULL,
      handles TEXT NOT NULL,
      version INTEGER NOT NULL,
      until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ${names.change}_by_until ON ${names.change} (until);
    CREATE TABLE ${names.key} (
      kid TEXT PRIMARY KEY NOT NULL,
      purpose TEXT NOT NULL,
      algorithm TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      active_from INTEGER NOT NULL,
      material TEXT NOT NULL
    ) STRICT;
    CREATE TABLE ${names.notBefore} (
      name TEXT PRIMARY KEY NOT NULL,
      time INTEGER NOT NULL,
      until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ${names.notBefore}_by_until ON ${names.notBefore} (until);
    CREATE TABLE ${names.event} (
      id TEXT PRIMARY KEY NOT NULL,
      kind TEXT NOT NULL,
      occurred_at INTEGER NOT NULL,
      until INTEGER NOT NULL,
      user_id TEXT,
      handle TEXT,
      detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX ${names.event}_by_kind ON ${names.event} (kind, occurred_at, id);
    CREATE INDEX ${names.event}_by_user ON ${names.event} (user_id, kind, occurred_at, id);
    CREATE INDEX ${names.event}_by_handle ON ${names.event} (handle, kind, occurred_at, id);
    CREATE INDEX ${names.event}_by_until ON ${names.event} (until);
    CREATE TABLE ${names.turn} (
      task TEXT PRIMARY KEY NOT NULL,
      holder TEXT NOT NULL,
      until INTEGER NOT NULL
    ) STRICT;${importClaimTable(names)}`,
]

/** The version that this code reads and writes. */
export const newestVersion: number = migrations.length

/**
 * Brings the schema up to date. Any number of processes may call it at once: the version is read and written under the
 * write lock, and a file that is up to date is only read.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has written the file.
 */
export function migrateSchema(database: SqliteDatabase, connection: Connection, names: TableNames): MigrationResult {
  if (readVersion(database, names) === newestVersion) return { from: newestVersion, to: newestVersion }
  return connection.transaction(() => {
    const from = readVersion(database, names) ?? 0
    for (const migration of pending(migrations, from)) database.exec(migration(names))
    database.exec(recordVersion(names))
    return { from, to: newestVersion }
  })
}

/** Refuses a database without these tables, and does not change it. @throws GeneralError (`MISUSE`) */
export function requireSchema(database: SqliteDatabase, names: TableNames): void {
  requireVersion(readVersion(database, names), newestVersion)
}

function recordVersion(names: TableNames): string {
  return `
    CREATE TABLE IF NOT EXISTS ${names.meta} (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
    INSERT OR REPLACE INTO ${names.meta} VALUES ('schema', '${newestVersion}')`
}

/** The statements that bring tables at `version` up to date, for databases that take one at a time. */
export function migrationStatements(names: TableNames, version: number): readonly string[] {
  return [...pending(migrations, version).map(migration => migration(names)), recordVersion(names)]
    .flatMap(text => text.split(/;(?=\s)|;$/)).map(text => text.trim()).filter(text => text !== '')
}

/** The SQL that brings an empty file to the newest version, to read; the store runs it by itself. */
export function printSqliteMigrations(options: { readonly prefix?: string } = {}): string {
  checkOptions('printSqliteMigrations', sqliteRules, options)
  const names = tableNames(options.prefix)
  const statements = migrations.map(migration => migration(names).replace(/;$/, ''))
  return migrationScript(['BEGIN IMMEDIATE', ...statements, recordVersion(names), 'COMMIT'])
}

/** The version of the tables; null if there are none. */
export function readVersion(database: SqliteDatabase, names: TableNames): number | null {
  const rows = (sql: string, ...values: string[]): Row[] => prepare(database, sql, false).all(values).map(rowOf)
  const counted =
    rows('SELECT count(*) AS tables FROM sqlite_master WHERE type = \'table\' AND name = ?', names.meta)[0]
  if (counted === undefined || readInteger(counted, 'tables') === 0) return null
  const row = rows(`SELECT value FROM ${names.meta} WHERE name = 'schema'`)[0]
  if (row === undefined) throw new GeneralError('MISUSE', `the table ${names.meta} has no row with the schema version`)
  return Number(readText(row, 'value'))
}
