import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { rowOf } from '../sql/row.ts'
import type { MysqlConnection, MysqlPool } from './driver.ts'

/** The connections of a store: those that the application gave it, or its own. */
export interface Connections {
  /** Resolves once statements can be run. */
  ready(): Promise<ReadyPool>
  /** Ends what the store opened itself. */
  close(): Promise<void>
}

/** A pool, and what is known of the server. */
export interface ReadyPool {
  readonly pool: MysqlPool
  /** Whether the server is a MariaDB, whose INSERT can return what it wrote. */
  readonly isMariadb: boolean
}

const POOL_SIZE = 10

/** Uses a pool that the application made and will end. */
export function useGivenPool(
  pool: MysqlPool,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  return {
    ready: once(() => prepare(pool, requestTimeout, setUp)),
    close: async () => undefined,
  }
}

/** Opens a pool on a URL when it is first needed. */
export function openConnections(
  url: string,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  let opened: import('mysql2/promise').Pool | null = null
  const ready = once(async () => {
    opened ??= await openPool(url, requestTimeout)
    return prepare(opened, requestTimeout, setUp)
  })
  return {
    ready,
    async close() {
      // A connection that was still being made, and failed, is closed too.
      await opened?.end().catch(() => undefined)
      opened = null
    },
  }
}

/** MariaDB and MySQL name the isolation level differently. */
const variables = `SHOW VARIABLES WHERE Variable_name IN
  ('version', 'autocommit', 'completion_type', 'tx_isolation', 'transaction_isolation')`

function readSetting(row: unknown): readonly [name: string, value: string] {
  const { Variable_name: name, Value: value } = rowOf(row)
  return [String(name), String(value)]
}

/**
 * Refuses connections on which nothing is safe: what is written may never be committed, or what is read may never
 * have been, so that the log of changes has gaps.
 * @throws GeneralError (`MISUSE`)
 */
function checkSettings(settings: ReadonlyMap<string, string>): void {
  const commits = settings.get('autocommit') === 'ON' && settings.get('completion_type') === 'NO_CHAIN'
  const isolation = settings.get('transaction_isolation') ?? settings.get('tx_isolation')
  if (commits && isolation !== 'READ-UNCOMMITTED') return
  throw new GeneralError('MISUSE', 'connections to MySQL leave transactions open, or read what is not committed: '
    + 'they need autocommit = 1, completion_type = NO_CHAIN and READ COMMITTED or a stricter isolation level')
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

/** Opens a pool on a URL. */
export async function openPool(url: string, requestTimeout: Milliseconds): Promise<import('mysql2/promise').Pool> {
  const { createPool } = await loadDriver('mysql2/promise')
  const pool = createPool({
    uri: url,
    connectionLimit: POOL_SIZE,
    connectTimeout: requestTimeout,
    enableKeepAlive: true,
  })
  // A lock that is waited for longer than the caller waits would only hold up others.
  const seconds = Math.max(1, Math.ceil(requestTimeout / 1000))
  pool.pool.on('connection', connection => {
    connection.query(
      `SET SESSION autocommit = 1, completion_type = NO_CHAIN, innodb_lock_wait_timeout = ${seconds}`, () => undefined)
  })
  return pool
}
