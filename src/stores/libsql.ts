import { checkOptions, checkValue } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import { asyncSqliteNamingRules, asyncSqliteRules, libsqlRule } from './async-sqlite/options.ts'
import type { AsyncSqliteNaming, AsyncSqliteOptions } from './async-sqlite/options.ts'
import { runWith, statement } from './async-sqlite/run.ts'
import type { RunStatements } from './async-sqlite/run.ts'
import { migrateSchema } from './async-sqlite/schema.ts'
import type { Tables } from './async-sqlite/schema.ts'
import { createAsyncSqliteStore } from './async-sqlite/store.ts'
import { requestTimeoutOf } from './options.ts'
import type { MigrationResult } from './sql/migrations.ts'
import { readInteger, rowOf } from './sql/row.ts'
import type { SqlValue } from './sql/row.ts'
import { tableNames } from './sql/table-names.ts'

export type { AsyncSqliteNaming, AsyncSqliteOptions } from './async-sqlite/options.ts'
export type { MigrationResult } from './sql/migrations.ts'

/** The part of a client of `@libsql/client` that the store needs. */
export interface LibsqlClient {
  /** How the client reaches the database: `http` or `ws`. `file` is refused. */
  readonly protocol: string
  execute(statement: LibsqlStatement): Promise<LibsqlResult>
  batch(statements: LibsqlStatement[], mode: 'write'): Promise<LibsqlResult[]>
}

/** A statement, as `@libsql/client` accepts it. */
export interface LibsqlStatement {
  sql: string
  args: SqlValue[]
}

/** What `@libsql/client` returns for a statement. */
export interface LibsqlResult {
  readonly rows: readonly unknown[]
}

/**
 * Creates a store on libSQL: a database of Turso, or a server `sqld`. Pass what `createClient` of `@libsql/client`
 * returns, on Workers that of `@libsql/client/web`, with `concurrency: Infinity`; close it after the store. By default
 * the client sends 20 calls at a time and lets all others wait: calls that hang would stop all others, on Workers for
 * as long as the isolate lives. A client for a file or for an embedded replica (`syncUrl`) is refused: for files, there
 * is `keyturn/stores/sqlite`.
 * @throws GeneralError (`MISUSE`) if an option or the client is invalid.
 * @example
 * const { TURSO_URL: url, TURSO_TOKEN: authToken } = process.env
 * const client = createClient({ url, authToken, concurrency: Infinity })
 * const store = createLibsqlStore(client)
 */
export function createLibsqlStore(client: LibsqlClient, options: AsyncSqliteOptions = {}): SessionStore {
  checkValue('client', libsqlRule, client)
  checkOptions('createLibsqlStore', asyncSqliteRules, options)
  return createAsyncSqliteStore({
    ...tablesOf(client, options),
    database: 'the libSQL database',
    migrate: options.migrate ?? 'manual',
    requestTimeout: requestTimeoutOf(options.requestTimeout),
    readTime,
  })
}

/**
 * Creates or updates the tables, in one transaction. Any number of processes may call it at once.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database; (`STORE_UNAVAILABLE`).
 */
export async function migrateLibsql(client: LibsqlClient, options: AsyncSqliteNaming = {}): Promise<MigrationResult> {
  checkValue('client', libsqlRule, client)
  checkOptions('migrateLibsql', asyncSqliteNamingRules, options)
  return migrateSchema(tablesOf(client, options))
}

const askTime = statement('SELECT CAST(unixepoch(\'subsec\') * 1000 AS INTEGER) AS time')

async function readTime(run: RunStatements): Promise<EpochMilliseconds> {
  const [rows = []] = await run([askTime()])
  return readInteger(rowOf(rows[0]), 'time')
}

function tablesOf(client: LibsqlClient, { prefix }: AsyncSqliteNaming): Tables {
  return {
    run: runOn(client),
    names: tableNames(prefix),
    cure: 'call migrateLibsql(client), or create the store with migrate: "auto"',
  }
}

function runOn(client: LibsqlClient): RunStatements {
  return runWith(async statements => {
    const [first, ...others] = statements.map(({ sql, values }) => ({ sql, args: [...values] }))
    if (first === undefined) return []
    // A transaction that begins as one of reading may fail to get the lock for its first write.
    const results = others.length === 0
      ? [await client.execute(first)]
      : await client.batch([first, ...others], 'write')
    return results.map(({ rows }) => rows)
  })
}
