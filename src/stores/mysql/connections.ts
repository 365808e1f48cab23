import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { rowOf } from '../sql/row.ts'
import type { MysqlConnection, MysqlPool } from './driver.ts'

/** The connections of a store: the application's pool, or the store's own. */
export interface Connections {
  /** The most connections that the pool opens; infinite if it does not say. */
  readonly size: number
  /** Resolves once statements can be run. */
  ready(): Promise<ReadyPool>
  /** Closes the pool if the store opened it. */
  close(): Promise<void>
}

/** A pool, and what the store knows about the server. */
export interface ReadyPool {
  readonly pool: MysqlPool
  /** Whether the server is a MariaDB, whose INSERT can return the row that it wrote. */
  readonly isMariadb: boolean
}

/** Uses the application's pool, which the application ends. */
export function useGivenPool(
  pool: MysqlPool,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  return {
    size: Number.POSITIVE_INFINITY,
    ready: once(() => prepare(pool, requestTimeout, setUp)),
    close: async () => undefined,
  }
}

/** Opens a pool for a URL at the first use. */
export function openConnections(
  url: string,
  poolSize: number,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  let opened: import('mysql2/promise').Pool | null = null
  const ready = once(async () => {
    opened ??= await openPool(url, poolSize, requestTimeout)
    return prepare(opened, requestTimeout, setUp)
  })
  return {
    size: poolSize,
    ready,
    async close() {
      // This also closes a connection that failed while it was being opened.
      await opened?.end().catch(() => undefined)
      opened = null
    },
  }
}

/** MariaDB and MySQL name the isolation level differently. */
const variables = `SHOW VARIABLES WHERE Variable_name IN
  ('version', 'autocommit', 'completion_type', 'sql_safe_updates', 'tx_isolation', 'transaction_isolation')`

function readSetting(row: unknown): readonly [name: string, value: string] {
  const { Variable_name: name, Value: value } = rowOf(row)
  return [String(name), String(value)]
}

/**
 * Refuses connections with settings that do not fit: writes might never be committed, or reads might see uncommitted
 * data, so that the change log has gaps; or the server might refuse to delete rows by a list of keys.
 * @throws GeneralError (`MISUSE`)
 */
function checkSettings(settings: ReadonlyMap<string, string>): void {
  const commits = settings.get('autocommit') === 'ON' && settings.get('completion_type') === 'NO_CHAIN'
  const isolation = settings.get('transaction_isolation') ?? settings.get('tx_isolation')
  const deletes = settings.get('sql_safe_updates') !== 'ON'
  if (commits && deletes && isolation !== 'READ-UNCOMMITTED') return
  throw new GeneralError('MISUSE', 'connections to MySQL have settings that do not fit: set autocommit = 1, '
    + 'completion_type = NO_CHAIN, sql_safe_updates = 0 and the isolation level READ COMMITTED or a stricter one')
}

async function prepare(pool: MysqlPool, requestTimeout: Milliseconds, setUp: () => Promise<void>): Promise<ReadyPool> {
  await setUp()
  const settings = await readSettings(await pool.getConnection(), requestTimeout)
  checkSettings(settings)
  return { pool, isMariadb: /mariadb/i.test(settings.get('version') ?? '') }
}

async function readSettings(connection: MysqlConnection, requestTimeout: Milliseconds): Promise<Map<string, string>> {
  const within = createDeadline(requestTimeout, 'the MySQL database')
  try {
    const [rows] = await within(connection.execute(variables))
    connection.release()
    return new Map(Array.isArray(rows) ? rows.map(readSetting) : [])
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** Opens a pool for a URL. */
export async function openPool(
  url: string,
  poolSize: number,
  requestTimeout: Milliseconds,
): Promise<import('mysql2/promise').Pool> {
  const { createPool } = await loadDriver('mysql2/promise')
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    connectTimeout: requestTimeout,
    enableKeepAlive: true,
  })
  // To wait for a lock longer than the caller waits would only block others.
  const seconds = Math.max(1, Math.ceil(requestTimeout / 1000))
  pool.pool.on('connection', connection => {
    connection.query(
      `SET SESSION autocommit = 1, completion_type = NO_CHAIN, sql_safe_updates = 0, innodb_lock_wait_timeout = ${seconds}`,
      () => undefined)
  })
  return pool
}
