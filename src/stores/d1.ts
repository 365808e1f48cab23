import { checkOptions, checkValue } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import { asyncSqliteNamingRules, asyncSqliteRules, d1Rule } from './async-sqlite/options.ts'
import type { AsyncSqliteNaming, AsyncSqliteOptions } from './async-sqlite/options.ts'
import { runWith } from './async-sqlite/run.ts'
import type { RunStatements, SqlStatement } from './async-sqlite/run.ts'
import { migrateSchema } from './async-sqlite/schema.ts'
import type { Tables } from './async-sqlite/schema.ts'
import { createAsyncSqliteStore } from './async-sqlite/store.ts'
import { requestTimeoutOf } from './options.ts'
import { migrationScript } from './sql/migrations.ts'
import type { MigrationResult } from './sql/migrations.ts'
import { tableNames } from './sql/table-names.ts'
import { migrationStatements } from './sqlite/schema.ts'

export type { AsyncSqliteNaming, AsyncSqliteOptions } from './async-sqlite/options.ts'
export type { MigrationResult } from './sql/migrations.ts'

/** The part of a binding of Cloudflare D1 that the store needs. */
export interface D1Database {
  prepare(sql: string): D1Statement
  batch(statements: D1Statement[]): Promise<D1Result[]>
}

/** A prepared statement of D1. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  all(): Promise<D1Result>
}

/** What D1 returns for a statement. */
export interface D1Result {
  readonly results: unknown[]
}

/**
 * Creates a store on a Cloudflare D1 database. Pass the binding, for example at module level, where `env` of
 * `cloudflare:workers` has it. Every call is one round trip to the primary: pass the binding itself, no session of
 * `withSession`, because a replica may lag behind by any time. Sessions are limited as rows of D1 are: JWT payload and
 * session data to 2 MB together.
 * @throws GeneralError (`MISUSE`) if an option or the binding is invalid.
 * @example
 * import { env } from 'cloudflare:workers'
 *
 * const sessions = createSessions({ origin: 'https://app.example.com', store: createD1Store(env.DB), secret: env.SECRET
 * })
 */
export function createD1Store(database: D1Database, options: AsyncSqliteOptions = {}): SessionStore {
  checkValue('database', d1Rule, database)
  checkOptions('createD1Store', asyncSqliteRules, options)
  return createAsyncSqliteStore({
    ...tablesOf(database, options),
    database: 'the D1 database',
    migrate: options.migrate ?? 'manual',
    requestTimeout: requestTimeoutOf(options.requestTimeout),
    // The machines of Workers and of D1 keep the same time.
    readTime: null,
  })
}

/**
 * Creates or updates the tables, in one transaction. Any number of isolates may call it at once.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database; (`STORE_UNAVAILABLE`).
 */
export async function migrateD1(database: D1Database, options: AsyncSqliteNaming = {}): Promise<MigrationResult> {
  checkValue('database', d1Rule, database)
  checkOptions('migrateD1', asyncSqliteNamingRules, options)
  return migrateSchema(tablesOf(database, options))
}

/** The SQL that brings an empty database to the newest version, for a file in the `migrations` folder of `wrangler`. */
export function printD1Migrations(options: AsyncSqliteNaming = {}): string {
  checkOptions('printD1Migrations', asyncSqliteNamingRules, options)
  // D1 runs a file in a transaction of its own, and refuses another one.
  return migrationScript(migrationStatements(tableNames(options.prefix), 0))
}

function tablesOf(database: D1Database, { prefix }: AsyncSqliteNaming): Tables {
  return {
    run: runOn(database),
    names: tableNames(prefix),
    cure: 'apply what printD1Migrations() prints with "wrangler d1 migrations apply", call migrateD1(database), '
      + 'or create the store with migrate: "auto"',
  }
}

function runOn(database: D1Database): RunStatements {
  const bind = ({ sql, values }: SqlStatement): D1Statement => {
    const prepared = database.prepare(sql)
    return values.length === 0 ? prepared : prepared.bind(...values)
  }
  return runWith(async statements => {
    const [first, ...others] = statements.map(bind)
    if (first === undefined) return []
    const results = others.length === 0 ? [await first.all()] : await database.batch([first, ...others])
    return results.map(result => result.results)
  })
}
