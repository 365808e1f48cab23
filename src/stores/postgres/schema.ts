import { checkOptions } from '../../base/options.ts'
import { postgresNameRules } from './options.ts'
import { pending, migrationScript } from '../sql/migrations.ts'
import type { Migration, MigrationResult } from '../sql/migrations.ts'
import { readInteger, rowOf } from '../sql/row.ts'
import { uncached } from './change-log.ts'
import type { PostgresClient } from './driver.ts'
import { toStoreError } from './errors.ts'
import { importClaimTable } from './import-claims.ts'
import { postgresNames } from './names.ts'
import type { PostgresNameOptions, PostgresNames } from './names.ts'
import { inTransaction } from './transaction.ts'
import type { Transaction } from './transaction.ts'

/**
 * The schema, one entry for each released version: entry 0 creates version 1, and so on. Entries are only ever
 * appended.
 *
 * A refresh must stay a HOT update (it changes no index, and the row stays on its page). So no index contains a column
 * that rotation changes. The cleanup's index is on `sweep_at`, a lower bound of `expires_at`. The cleanup raises it
 * when it meets a session that was kept alive, once per idle timeout. Pages are filled to 70 %, to leave space for the
 * new versions.
 *
 * Texts that are compared have the collation "C": equal means equal bytes, and the order is the same on every server.
 */
const migrations: readonly Migration<PostgresNames>[] = [
  names => [`
    CREATE TABLE IF NOT EXISTS ${names.session} (
      format smallint NOT NULL,
      handle text COLLATE "C" PRIMARY KEY,
      user_id text COLLATE "C" NOT NULL,
      tenant_id text NOT NULL,
      created_at bigint NOT NULL,
      authenticated_at bigint NOT NULL,
      refresh_hash text COLLATE "C" NOT NULL,
      anchor_hash text COLLATE "C" NOT NULL,
      refresh_key_id text COLLATE "C" NOT NULL,
      generation bigint NOT NULL,
      branch bigint NOT NULL,
      confirmed smallint NOT NULL,
      rotated_at bigint NOT NULL,
      served_at bigint NOT NULL,
      idle_timeout bigint NOT NULL,
      absolute_expiry bigint,
      expires_at bigint NOT NULL,
      access_token_lifetime bigint NOT NULL,
      reuse_interval bigint NOT NULL,
      persistent smallint NOT NULL,
      jwt_payload text NOT NULL,
      payload_version bigint NOT NULL,
      session_info text NOT NULL,
      info_version bigint NOT NULL,
      ip text,
      user_agent text,
      sweep_at bigint NOT NULL
    ) WITH (fillfactor = 70)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('session', 'by_user')}
      ON ${names.session} (user_id, created_at, handle)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('session', 'by_sweep')} ON ${names.session} (sweep_at)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('session', 'by_creation')} ON ${names.session} (created_at, handle)`, `
    CREATE TABLE IF NOT EXISTS ${names.change} (
      seq bigint PRIMARY KEY,
      entry text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      handles text NOT NULL,
      version bigint NOT NULL,
      until bigint NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS ${names.index('change', 'by_until')} ON ${names.change} (until)`, `
    CREATE TABLE IF NOT EXISTS ${names.key} (
      kid text COLLATE "C" PRIMARY KEY,
      purpose text NOT NULL,
      algorithm text NOT NULL,
      created_at bigint NOT NULL,
      active_from bigint NOT NULL,
      material text COLLATE "C" NOT NULL
    )`, `
    CREATE TABLE IF NOT EXISTS ${names.notBefore} (
      name text COLLATE "C" PRIMARY KEY,
      time bigint NOT NULL,
      until bigint NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS ${names.index('notBefore', 'by_until')} ON ${names.notBefore} (until)`, `
    CREATE TABLE IF NOT EXISTS ${names.event} (
      id text COLLATE "C" PRIMARY KEY,
      kind text COLLATE "C" NOT NULL,
      occurred_at bigint NOT NULL,
      until bigint NOT NULL,
      user_id text COLLATE "C",
      handle text COLLATE "C",
      detail text NOT NULL
    )`,
    `CREATE INDEX IF NOT EXISTS ${names.index('event', 'by_kind')} ON ${names.event} (kind, occurred_at, id)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('event', 'by_user')}
      ON ${names.event} (user_id, kind, occurred_at, id)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('event', 'by_handle')}
      ON ${names.event} (handle, kind, occurred_at, id)`,
    `CREATE INDEX IF NOT EXISTS ${names.index('event', 'by_until')} ON ${names.event} (until)`, `
    CREATE TABLE IF NOT EXISTS ${names.turn} (
      task text COLLATE "C" PRIMARY KEY,
      holder text COLLATE "C" NOT NULL,
      until bigint NOT NULL
    )`,
    ...importClaimTable(names),
  ],
]

/** The version that this code reads and writes. */
export const newestVersion: number = migrations.length

/**
 * Runs before all migrations. The row `schema` holds the version, the row `log` the number of the log's newest entry.
 */
function foundation(names: PostgresNames): string {
  return `
    CREATE TABLE IF NOT EXISTS ${names.meta} (
      name text COLLATE "C" PRIMARY KEY,
      value text COLLATE "C" NOT NULL,
      number bigint NOT NULL
    ) WITH (fillfactor = 10)`
}

function recordVersion(names: PostgresNames): string {
  return `INSERT INTO ${names.meta} (name, value, number) VALUES ('schema', '', ${newestVersion})
      ON CONFLICT (name) DO UPDATE SET number = excluded.number`
}

/**
 * Brings the schema up to date in one transaction. Any number of processes may call it at once: one migrates, the
 * others wait for it and find nothing to do.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database, or the database user lacks
 * the privileges; (`STORE_UNAVAILABLE`).
 */
export async function migrateSchema(
  connection: Pick<PostgresClient, 'query' | 'transaction'>,
  names: PostgresNames,
): Promise<MigrationResult> {
  try {
    return await inTransaction(connection, transaction => migrateIn(transaction, names))
  } catch (cause) {
    throw toStoreError(cause)
  }
}

async function migrateIn(transaction: Transaction, names: PostgresNames): Promise<MigrationResult> {
  const run = async (text: string, values: unknown[] = []): Promise<unknown[]> =>
    (await transaction.query({ text, values })).rows
  // A migration waits for another process that migrates, whatever the time limit of the store's calls.
  await run('SET LOCAL statement_timeout = 0')
  await run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`keyturn migrate ${names.meta}`])
  if (names.schema !== null) {
    const found = await run('SELECT FROM pg_namespace WHERE nspname = $1', [names.schema])
    if (found.length === 0) await run(`CREATE SCHEMA "${names.schema}"`)
  }
  const from = await readVersion(run, names) ?? 0
  const missing = pending(migrations, from)
  if (missing.length > 0) {
    for (const statement of [foundation(names), ...missing.flatMap(migration => migration(names))]) {
      await run(statement)
    }
    await run(recordVersion(names))
  }
  return { from, to: newestVersion }
}

/**
 * The version of the tables; 0 before the first one is recorded; null if there are no tables. No cache may answer with
 * the version from before a migration.
 */
export async function readVersion(
  run: (text: string, values?: unknown[]) => Promise<unknown[]>,
  names: PostgresNames,
): Promise<number | null> {
  const tables = await run(`SELECT to_regclass($1) IS NOT NULL AS found WHERE ${uncached}`, [names.meta])
  if (tables.map(rowOf)[0]?.['found'] !== true) return null
  const row = (await run(`SELECT number FROM ${names.meta} WHERE name = 'schema' AND ${uncached}`)).map(rowOf)[0]
  return row === undefined ? 0 : readInteger(row, 'number')
}

/** The SQL that brings an empty database to the newest version, to read or to run with another tool. */
export function printPostgresMigrations(options: PostgresNameOptions = {}): string {
  checkOptions('printPostgresMigrations', postgresNameRules, options)
  const names = postgresNames(options)
  const schema = names.schema === null ? [] : [`CREATE SCHEMA IF NOT EXISTS "${names.schema}"`]
  const statements = migrations.flatMap(migration => migration(names))
  return migrationScript(['BEGIN', ...schema, foundation(names), ...statements, recordVersion(names), 'COMMIT'])
}
