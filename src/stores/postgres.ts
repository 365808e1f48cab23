import { GeneralError } from '../base/errors.ts'
import { checkOptions, checkValue } from '../base/options.ts'
import type { Duration } from '../base/duration.ts'
import type { SessionStore } from '../session/store.ts'
import { nextEventLoopTurn } from './background.ts'
import { createClose } from './closing.ts'
import { poolSizeOf, requestTimeoutOf } from './options.ts'
import { createChangeReader, lazily } from './postgres/change-log.ts'
import { createCheck } from './postgres/check.ts'
import { connectTo, useGivenPool } from './postgres/connections.ts'
import { createDatabase } from './postgres/database.ts'
import type { PostgresPool } from './postgres/driver.ts'
import { createEventTable } from './postgres/events.ts'
import { createImportClaims } from './postgres/import-claims.ts'
import { createKeyTable } from './postgres/keys.ts'
import { postgresNames } from './postgres/names.ts'
import type { PostgresNameOptions, PostgresNames } from './postgres/names.ts'
import { createNotifier } from './postgres/notifier.ts'
import { openConnections, withConnection } from './postgres/open.ts'
import { postgresNameRules, postgresRules, postgresSourceRule } from './postgres/options.ts'
import { migrateSchema } from './postgres/schema.ts'
import { createSessionTable } from './postgres/sessions.ts'
import type { MigrationResult } from './sql/migrations.ts'
import { readInteger, rowOf } from './sql/row.ts'

export { bunSqlPool, neonPool, pglitePool, poolPerCall, postgresJsPool } from './postgres/adapters.ts'
export type {
  NeonSql, PgClient, PgliteDatabase, PoolPerCallOptions, PostgresJsSql, PostgresJsTransaction, ReservedSql,
  ReservingSql,
} from './postgres/adapters.ts'
export type { PostgresClient, PostgresPool, PostgresResult, PostgresStatement } from './postgres/driver.ts'
export type { PostgresNameOptions } from './postgres/names.ts'
export { printPostgresMigrations } from './postgres/schema.ts'
export type { MigrationResult } from './sql/migrations.ts'

/** Options of {@link createPostgresStore}. */
export interface PostgresStoreOptions extends PostgresNameOptions {
  /**
   * Who creates and updates the tables. `manual`: you, with `npx keyturn migrate <url>`. `auto`: the store, at its
   * first use; the database user needs the privileges for that. Default: `manual`.
   */
  readonly migrate?: 'auto' | 'manual'
  /**
   * Whether statements are prepared on the server, which makes them up to 1.4 times as fast. Set `true` for a pooler
   * that keeps prepared statements (PgBouncer from 1.21 on, with `max_prepared_statements`). Default: `true`, unless
   * the store detects a pooler between itself and the server.
   */
  readonly preparedStatements?: boolean
  /** How long a call may wait for the database: from 1 ms to 1 hour. Default: 5 seconds. */
  readonly requestTimeout?: Duration
  /**
   * The most connections in the pool that the store opens for its URL, from 1 to 1,000. One more listens for
   * revocations. Default: 10.
   */
  readonly poolSize?: number
}

/**
 * Creates a store on a PostgreSQL database. Pass a `pg` Pool, or a `postgres://` URL, for which the package `pg` must
 * be installed; or a pool over another driver (`postgresJsPool`, `neonPool`, `pglitePool`, `bunSqlPool`,
 * `poolPerCall`). Connects at the first use. The application ends its own pool, after it has closed the store. The pool
 * should have at least two connections: following the revocation feed takes one.
 * @throws GeneralError (`MISUSE`) if an option, the pool or the URL is invalid. The message never repeats the URL.
 */
export function createPostgresStore(
  poolOrUrl: PostgresPool | string,
  options: PostgresStoreOptions = {},
): SessionStore {
  checkValue('poolOrUrl', postgresSourceRule, poolOrUrl)
  checkOptions('createPostgresStore', postgresRules, options)
  const names = postgresNames(options)
  const { preparedStatements = null } = options
  const requestTimeout = requestTimeoutOf(options.requestTimeout)
  const poolSize = poolSizeOf(poolOrUrl, options.poolSize)
  const setUp = async (): Promise<void> => {
    if (options.migrate === 'auto') await migrate(poolOrUrl, names)
  }
  const connections = typeof poolOrUrl === 'string'
    ? openConnections(poolOrUrl, poolSize, preparedStatements, requestTimeout, setUp)
    : useGivenPool(poolOrUrl, preparedStatements, requestTimeout, setUp)
  const database = createDatabase(connections, requestTimeout)
  const { changesSince, readHead } = createChangeReader(database, names)
  const notifier = createNotifier(connections, names.channel, readHead, requestTimeout)
  const acquireLease = database.statement(
    `INSERT INTO ${names.turn} AS turn (task, holder, until) VALUES ($1, $2, $3)
     ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE turn.holder = excluded.holder OR turn.until <= $4
     RETURNING ${lazily}`, { repeatable: true })
  const readTime = database.statement(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS time', { repeatable: true })
  const { settled, ...sessions } = createSessionTable(database, names)
  return {
    check: createCheck(database, names),
    ...sessions,
    ...createKeyTable(database, names),
    ...createEventTable(database, names),
    ...createImportClaims(database, names),
    acquireLease: async (task, holder, now, until) => (await acquireLease(task, holder, until, now)).length === 1,
    changesSince,
    follow: notifier.follow,
    time: async () => readInteger(rowOf((await readTime())[0]), 'time'),
    close: createClose({
      async settle() {
        notifier.close()
        // Calls of this tick get their connection first: a pool that has been ended gives out none.
        await nextEventLoopTurn()
        await settled()
        await database.settled()
      },
      end: connections.end,
      cut: connections.cut,
    }),
  }
}

/**
 * Creates or updates the tables, in one transaction. Any number of processes may call it at once.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database, or the database user lacks
 * the privileges; (`STORE_UNAVAILABLE`).
 */
export async function migratePostgres(
  poolOrUrl: PostgresPool | string,
  options: PostgresNameOptions = {},
): Promise<MigrationResult> {
  checkValue('poolOrUrl', postgresSourceRule, poolOrUrl)
  checkOptions('migratePostgres', postgresNameRules, options)
  return migrate(poolOrUrl, postgresNames(options))
}

async function migrate(poolOrUrl: PostgresPool | string, names: PostgresNames): Promise<MigrationResult> {
  if (typeof poolOrUrl === 'string') return withConnection(poolOrUrl, client => migrateSchema(client, names))
  const client = await connectTo(poolOrUrl)
  if (client.batch !== undefined) {
    client.release()
    throw new GeneralError('MISUSE', 'tables cannot be created over this driver, which leaves no transaction open: run '
      + '"npx keyturn migrate <url>"')
  }
  let failed = true
  try {
    const result = await migrateSchema(client, names)
    failed = false
    return result
  } finally {
    client.release(failed)
  }
}
