import { GeneralError } from '../../base/errors.ts'
import { checkOptions } from '../../base/options.ts'
import { mysqlNameRules } from './options.ts'
import { pending, migrationScript } from '../sql/migrations.ts'
import type { Migration, MigrationResult } from '../sql/migrations.ts'
import { readInteger } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Runner } from './database.ts'
import { importClaimTable } from './import-claims.ts'
import { mysqlNames } from './names.ts'
import type { MysqlNameOptions } from './names.ts'

/**
 * The schema, one entry for each released version: entry 0 creates version 1, and so on. Entries are only ever
 * appended. MySQL commits DDL at once, so each statement can be run again after an interrupted migration.
 *
 * Texts that are compared are binary: every collation that both MySQL and MariaDB have considers `a` and `a ` equal.
 * `sweep_at` is a lower bound of `expires_at`, as in the other SQL stores, so that a rotation changes no index.
 * `revision` makes every update change its row, so that "rows found" and "rows changed" are one number, whichever the
 * client reports.
 */
const migrations: readonly Migration<TableNames>[] = [
  names => [`
    CREATE TABLE IF NOT EXISTS ${names.session} (
      format SMALLINT NOT NULL,
      handle CHAR(23) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      user_id VARBINARY(1020) NOT NULL,
      tenant_id VARBINARY(255) NOT NULL,
      created_at BIGINT NOT NULL,
      authenticated_at BIGINT NOT NULL,
      refresh_hash VARBINARY(255) NOT NULL,
      anchor_hash VARBINARY(255) NOT NULL,
      refresh_key_id VARBINARY(255) NOT NULL,
      generation BIGINT NOT NULL,
      branch BIGINT NOT NULL,
      confirmed TINYINT NOT NULL,
      rotated_at BIGINT NOT NULL,
      served_at BIGINT NOT NULL,
      idle_timeout BIGINT NOT NULL,
      absolute_expiry BIGINT,
      expires_at BIGINT NOT NULL,
      access_token_lifetime BIGINT NOT NULL,
      reuse_interval BIGINT NOT NULL,
      persistent TINYINT NOT NULL,
      jwt_payload MEDIUMTEXT NOT NULL,
      payload_version BIGINT NOT NULL,
      session_info MEDIUMTEXT NOT NULL,
      info_version BIGINT NOT NULL,
      ip VARCHAR(255),
      user_agent VARCHAR(1024),
      sweep_at BIGINT NOT NULL,
      revision BIGINT NOT NULL DEFAULT 0,
      KEY by_user (user_id, created_at, handle),
      KEY by_sweep (sweep_at),
      KEY by_creation (created_at, handle)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`, `
    CREATE TABLE IF NOT EXISTS ${names.change} (
      seq BIGINT NOT NULL PRIMARY KEY,
      entry VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      handles MEDIUMTEXT NOT NULL,
      version BIGINT NOT NULL,
      until BIGINT NOT NULL,
      KEY by_until (until)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`, `
    CREATE TABLE IF NOT EXISTS ${names.key} (
      kid VARBINARY(255) NOT NULL PRIMARY KEY,
      purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      algorithm VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      created_at BIGINT NOT NULL,
      active_from BIGINT NOT NULL,
      material MEDIUMBLOB NOT NULL,
      revision BIGINT NOT NULL DEFAULT 0
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`, `
    CREATE TABLE IF NOT EXISTS ${names.notBefore} (
      name VARBINARY(1200) NOT NULL PRIMARY KEY,
      time BIGINT NOT NULL,
      until BIGINT NOT NULL,
      KEY by_until (until)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`, `
    CREATE TABLE IF NOT EXISTS ${names.event} (
      id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      occurred_at BIGINT NOT NULL,
      until BIGINT NOT NULL,
      user_id VARBINARY(1020),
      handle CHAR(23) CHARACTER SET ascii COLLATE ascii_bin,
      detail MEDIUMTEXT NOT NULL,
      KEY by_kind (kind, occurred_at, id),
      KEY by_user (user_id, kind, occurred_at, id),
      KEY by_handle (handle, kind, occurred_at, id),
      KEY by_until (until)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`, `
    CREATE TABLE IF NOT EXISTS ${names.turn} (
      task VARBINARY(255) NOT NULL PRIMARY KEY,
      holder VARBINARY(255) NOT NULL,
      until BIGINT NOT NULL,
      revision BIGINT NOT NULL DEFAULT 0
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
    importClaimTable(names),
  ],
]

/** The version that this code reads and writes. */
export const newestVersion: number = migrations.length

/**
 * Runs before all migrations. The row `schema` holds the version, the row `log` the number of the newest entry of the
 * change log. A process that adds a key locks the row `keys`.
 */
function foundation(names: TableNames): string {
  return `
    CREATE TABLE IF NOT EXISTS ${names.meta} (
      name VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      value VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      number BIGINT NOT NULL
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`
}

function recordVersion(names: TableNames): string {
  return `REPLACE INTO ${names.meta} (name, value, number) VALUES ('schema', '', ${newestVersion})`
}

const LOCK_SECONDS = 60

/**
 * Brings the schema up to date. Any number of processes may call it at once: one migrates, the others wait for it and
 * find nothing to do.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database.
 */
export async function migrateSchema({ rows, change }: Runner, names: TableNames): Promise<MigrationResult> {
  // MySQL 9 has no MD5() unless a component is installed. A lock's name has at most 64 characters.
  const lock = 'CONCAT(\'keyturn \', LEFT(SHA2(CONCAT(DATABASE(), ?), 256), 32))'
  const locked = (await rows(`SELECT GET_LOCK(${lock}, ${LOCK_SECONDS}) AS locked`, [names.meta]))[0]
  if (locked === undefined || locked['locked'] === null || readInteger(locked, 'locked') !== 1) {
    throw new GeneralError('STORE_UNAVAILABLE', 'another process has been migrating the database for a minute')
  }
  try {
    await change(foundation(names), [])
    const from = await readVersion(rows, names)
    const missing = pending(migrations, from)
    for (const statement of missing.flatMap(migration => migration(names))) await change(statement, [])
    if (missing.length > 0) await change(recordVersion(names), [])
    return { from, to: newestVersion }
  } finally {
    await rows(`SELECT RELEASE_LOCK(${lock}) AS released`, [names.meta])
  }
}

/** The version that the meta table records; 0 before the first one is recorded. */
export async function readVersion(rows: Runner['rows'], names: TableNames): Promise<number> {
  const row = (await rows(`SELECT number FROM ${names.meta} WHERE name = 'schema'`, []))[0]
  return row === undefined ? 0 : readInteger(row, 'number')
}

/** The SQL that brings an empty database to the newest version, to read or to run with another tool. */
export function printMysqlMigrations(options: MysqlNameOptions = {}): string {
  checkOptions('printMysqlMigrations', mysqlNameRules, options)
  const names = mysqlNames(options)
  return migrationScript([foundation(names), ...migrations.flatMap(migration => migration(names)),
    recordVersion(names)])
}
