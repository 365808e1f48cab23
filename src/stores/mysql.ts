/**
 * Sessions in MySQL 8 or MariaDB 10.6 and newer.
 *
 * Round trips. `find`, `updateInfo`, lists, events and a batch of `confirm` take one. `insert` takes two: a login is
 * committed first and then looks for not-befores. Neither server has UPDATE ... RETURNING. On MariaDB `rotate` still
 * takes one: its INSERT ... ON DUPLICATE KEY UPDATE can return the row. It inserts nothing if the row does not exist,
 * because it selects from that row. On MySQL `rotate` takes two: the conditional update, which alone decides, and a
 * read of the row; a rotation whose condition is not met takes one. (To read first would take as many, and the update
 * would need a condition on everything that was read.) A re-authentication is the same two statements in a
 * transaction. Revocations and `updatePayload` write two tables at once, so they need a transaction, too, and take
 * six: its begin and end, a read of which sessions exist or how long their access tokens live, the change itself, the
 * number of the log entry, the entry. `removeByUser` commits a not-before and reads a page before that. `removeAll`
 * needs no transaction: it commits a not-before, reads a page and deletes it. The revocations of one tick of the event
 * loop share a transaction.
 */
import { checkOptions, checkValue } from '../base/options.ts'
import type { Milliseconds } from '../base/time.ts'
import type { Duration } from '../base/duration.ts'
import type { SessionStore } from '../session/store.ts'
import { createClose } from './closing.ts'
import { createFollowers } from './followers.ts'
import { createHeadPoller } from './head-poller.ts'
import { createChangeLog } from './mysql/change-log.ts'
import { createCheck } from './mysql/check.ts'
import { checkConnection } from './mysql/check-connection.ts'
import { openConnections, openPool, useGivenPool } from './mysql/connections.ts'
import { createDatabase, runnerOn } from './mysql/database.ts'
import type { MysqlPool } from './mysql/driver.ts'
import { toStoreError, isDuplicate } from './mysql/errors.ts'
import { createEventTable } from './mysql/events.ts'
import { createRemoveExpired } from './mysql/expiry.ts'
import { createImportClaims } from './mysql/import-claims.ts'
import { createKeyTable } from './mysql/keys.ts'
import { mysqlNames } from './mysql/names.ts'
import type { MysqlNameOptions } from './mysql/names.ts'
import { mysqlNameRules, mysqlRules, mysqlSourceRule } from './mysql/options.ts'
import { migrateSchema } from './mysql/schema.ts'
import { createSessionTable } from './mysql/sessions.ts'
import { poolSizeOf, requestTimeoutOf } from './options.ts'
import type { MigrationResult } from './sql/migrations.ts'
import { readInteger, rowOf } from './sql/row.ts'
import type { TableNames } from './sql/table-names.ts'

export type { MysqlConnection, MysqlPool } from './mysql/driver.ts'
export type { MysqlNameOptions } from './mysql/names.ts'
export { printMysqlMigrations } from './mysql/schema.ts'
export type { MigrationResult } from './sql/migrations.ts'

/** Options of {@link createMysqlStore}. */
export interface MysqlStoreOptions extends MysqlNameOptions {
  /**
   * Who creates and updates the tables. `manual`: you, with `npx keyturn migrate <url>`. `auto`: the store, at its
   * first use; the database user needs the privileges for that. Default: `manual`.
   */
  readonly migrate?: 'auto' | 'manual'
  /** How long a call may wait for the database: from 1 ms to 1 hour. Default: 5 seconds. */
  readonly requestTimeout?: Duration
  /**
   * The most connections in the pool that the store opens for its URL, from 1 to 1,000. Default: 10.
   */
  readonly poolSize?: number
}

const POLL_INTERVAL: Milliseconds = 500

/**
 * Creates a store on a MySQL or MariaDB database. Pass a Pool of `mysql2/promise`, or a `mysql://` URL, for which the
 * package `mysql2` must be installed. Connects at the first use. The application ends its own pool, after it has closed
 * the store.
 * @throws GeneralError (`MISUSE`) if an option, the pool or the URL is invalid. The message never repeats the URL.
 */
export function createMysqlStore(poolOrUrl: MysqlPool | string, options: MysqlStoreOptions = {}): SessionStore {
  checkValue('poolOrUrl', mysqlSourceRule, poolOrUrl)
  checkOptions('createMysqlStore', mysqlRules, options)
  const names = mysqlNames(options)
  const requestTimeout = requestTimeoutOf(options.requestTimeout)
  const poolSize = poolSizeOf(poolOrUrl, options.poolSize)
  const setUp = async (): Promise<void> => {
    if (options.migrate === 'auto') await migrate(poolOrUrl, names)
  }
  const connections = typeof poolOrUrl === 'string'
    ? openConnections(poolOrUrl, poolSize, requestTimeout, setUp)
    : useGivenPool(poolOrUrl, requestTimeout, setUp)
  const database = createDatabase(connections, requestTimeout)
  const log = createChangeLog(database, names)
  const followers = createFollowers()
  const poller = createHeadPoller(log.readHead, POLL_INTERVAL, () => followers.wake())
  const prolong =
    `UPDATE ${names.turn} SET holder = ?, until = ?, revision = revision + 1
     WHERE task = ? AND (holder = ? OR until <= ?)`
  const begin = `INSERT INTO ${names.turn} (task, holder, until) VALUES (?, ?, ?)`
  // Correct in every time zone. UNIX_TIMESTAMP(NOW(6)) is an hour wrong for the hour that a time zone repeats in
  // autumn.
  const readTime = `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000 AS time`
  const { settled, ...sessions } = createSessionTable(database, log, names)
  return {
    check: createCheck(database, names),
    ...sessions,
    ...createKeyTable(database, log, names),
    ...createEventTable(database, names),
    ...createImportClaims(database, names),
    removeExpired: createRemoveExpired(database, names),
    acquireLease: (task, holder, now, until) => database.run(async ({ change }) => {
      if ((await change(prolong, [holder, until, task, holder, now])).rows === 1) return true
      try {
        await change(begin, [task, holder, until])
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw error
      }
    }, { repeatable: true }),
    changesSince: log.changesSince,
    time: () => database.run(async ({ rows }) => readInteger(rowOf((await rows(readTime, []))[0]), 'time'), {
      repeatable: true,
    }),
    async follow(wake) {
      await poller.start()
      const remove = followers.add(wake)
      return async () => {
        remove()
        if (followers.size === 0) poller.stop()
      }
    },
    close: createClose({
      async settle() {
        poller.stop()
        // A pool that has been ended gives out no connection.
        await settled()
        await database.settled()
      },
      end: connections.end,
      cut: connections.cut,
    }),
  }
}

/**
 * Creates or updates the tables. Any number of processes may call it at once.
 * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database, or the database user lacks
 * the privileges; (`STORE_UNAVAILABLE`).
 */
export async function migrateMysql(
  poolOrUrl: MysqlPool | string,
  options: MysqlNameOptions = {},
): Promise<MigrationResult> {
  checkValue('poolOrUrl', mysqlSourceRule, poolOrUrl)
  checkOptions('migrateMysql', mysqlNameRules, options)
  return migrate(poolOrUrl, mysqlNames(options))
}

async function migrate(poolOrUrl: MysqlPool | string, names: TableNames): Promise<MigrationResult> {
  try {
    if (typeof poolOrUrl !== 'string') return await migrateOver(poolOrUrl, names)
    const pool = await openPool(poolOrUrl, 1, requestTimeoutOf())
    try {
      return await migrateOver(pool, names)
    } finally {
      await pool.end()
    }
  } catch (cause) {
    throw toStoreError(cause)
  }
}

async function migrateOver(pool: MysqlPool, names: TableNames): Promise<MigrationResult> {
  const connection = await pool.getConnection()
  try {
    const { isMariadb } = await checkConnection(connection)
    return await migrateSchema(runnerOn(connection, isMariadb), names)
  } finally {
    connection.release()
  }
}
