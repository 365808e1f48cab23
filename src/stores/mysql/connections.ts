import { GeneralError } from '../../base/errors.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createSockets } from '../closing.ts'
import type { Sockets } from '../closing.ts'
import { createDeadline } from '../deadline.ts'
import type { ConnectionLender } from '../lender.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { checkConnection, noLimit, unsuitableConnection } from './check-connection.ts'
import type { ServerInfo } from './check-connection.ts'
import type { MysqlConnection, MysqlPool } from './driver.ts'

/** The connections of a store: the application's pool, or the store's own. */
export interface Connections {
  /** The most connections that the pool opens; infinite if it does not say. */
  readonly size: number
  /** Resolves once statements can be run. */
  ready(): Promise<ReadyPool>
  /** Closes the pool if the store opened it. May wait for a server that does not answer. */
  end(): Promise<void>
  /** Destroys what is left of that pool. */
  cut(): void
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
    end: async () => undefined,
    cut: () => undefined,
  }
}

/** Opens a pool for a URL at the first use. */
export function openConnections(
  url: string,
  poolSize: number,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  const sockets = createSockets(socketOf)
  let opened: import('mysql2/promise').Pool | null = null
  let closed = false
  const pool = once(() => openPool(url, poolSize, requestTimeout, sockets))
  const ready = once(async () => {
    opened = await pool()
    if (closed) {
      await opened.end()
      throw new GeneralError('STORE_UNAVAILABLE', 'the MySQL store was closed')
    }
    return prepare(opened, requestTimeout, setUp)
  })
  return {
    size: poolSize,
    ready,
    async end() {
      closed = true
      // This also closes a connection that failed while it was being opened.
      await opened?.end()
      await sockets.closed()
    },
    cut: sockets.destroy,
  }
}

/** A connection that was taken out of a pool. Only the first `release` or `destroy` counts. */
export interface AcquiredConnection {
  readonly connection: MysqlConnection
  /** Returns it to the pool for others to use. */
  release(): void
  /** Closes it, even while it runs a statement, and even if the server has gone silent. */
  destroy(): void
}

/** Takes a connection out of a pool, through its lender. One that has yet to be opened belongs to no request. */
export async function acquireConnection(pool: MysqlPool, lender: ConnectionLender): Promise<AcquiredConnection> {
  const connection = await lender.take(() => outsideRequests(() => pool.getConnection()))
  let given = false
  const giveBack = (how: () => void) => (): void => {
    if (given) return
    given = true
    outsideRequests(how)
    // The driver never settles a statement whose connection was destroyed, so this must not wait for it.
    lender.returned()
  }
  return {
    connection,
    release: giveBack(() => connection.release()),
    destroy: giveBack(() => {
      connection.destroy()
      destroySocket(connection)
    }),
  }
}

/** The driver only takes leave, which a silent server would not answer. */
function destroySocket(connection: object): void {
  const inner: unknown = Reflect.get(connection, 'connection')
  const socket = typeof inner === 'object' && inner !== null ? socketOf(inner) : null
  if (typeof socket === 'object' && socket !== null && 'destroy' in socket && typeof socket.destroy === 'function') {
    socket.destroy()
  }
}

async function prepare(pool: MysqlPool, requestTimeout: Milliseconds, setUp: () => Promise<void>): Promise<ReadyPool> {
  if (resetsConnections(pool)) {
    throw unsuitableConnection('resetOnRelease must be false, because a connection that is reset loses its session '
      + 'variables, such as autocommit: leave the option out')
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

/** The socket of a connection, which TLS may have replaced while it was opened. */
function socketOf(connection: object): unknown {
  return Reflect.get(connection, 'stream')
}

/** Opens a pool for a URL. With `sockets`, its connections are added to them and do not keep the process alive. */
export async function openPool(
  url: string,
  poolSize: number,
  requestTimeout: Milliseconds,
  sockets: Sockets | null = null,
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
    sockets?.add(connection)
    connection.query(
      `SET SESSION autocommit = 1, completion_type = NO_CHAIN, sql_safe_updates = 0,
       sql_select_limit = ${noLimit}, innodb_lock_wait_timeout = ${seconds}`,
      () => undefined)
  })
  return pool
}
