import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { checkConnection, noLimit, unfit } from './check-connection.ts'
import type { ServerInfo } from './check-connection.ts'
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
export interface ReadyPool extends ServerInfo {
  readonly pool: MysqlPool
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

async function prepare(pool: MysqlPool, requestTimeout: Milliseconds, setUp: () => Promise<void>): Promise<ReadyPool> {
  if (resetsConnections(pool)) {
    throw unfit('resetOnRelease must be false, because a connection that is reset loses its session variables, such as '
      + 'autocommit: leave the option out')
  }
  const { isMariadb } = await check(await pool.getConnection(), requestTimeout)
  await setUp()
  return { pool, isMariadb }
}

/** Whether the pool clears the state of connections that are released. `mysql2` keeps its options in an inner pool. */
function resetsConnections(pool: object): boolean {
  const inner: unknown = Reflect.get(pool, 'pool')
  if (typeof inner !== 'object' || inner === null) return false
  const config: unknown = Reflect.get(inner, 'config')
  return typeof config === 'object' && config !== null && Reflect.get(config, 'resetOnRelease') === true
}

async function check(connection: MysqlConnection, requestTimeout: Milliseconds): Promise<ServerInfo> {
  const within = createDeadline(requestTimeout, 'the MySQL database')
  try {
    const server = await within(checkConnection(connection))
    connection.release()
    return server
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
      `SET SESSION autocommit = 1, completion_type = NO_CHAIN, sql_safe_updates = 0,
       sql_select_limit = ${noLimit}, innodb_lock_wait_timeout = ${seconds}`,
      () => undefined)
  })
  return pool
}
