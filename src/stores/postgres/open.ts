import type { ClientConfig } from 'pg'
import type { Milliseconds } from '../../base/time.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { isPooled } from './connections.ts'
import type { Connections, ReadyPool } from './connections.ts'
import { announcedPid } from './driver.ts'
import type { PostgresPool } from './driver.ts'

const POOL_SIZE = 10

/**
 * Opens connections to a URL when they are first needed. A pooler refuses the settings of a session, so they are only
 * made where the first connection met none: a statement's time limit on the server, and the isolation level.
 */
export function openConnections(
  url: string,
  preparedStatements: boolean | null,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  const base: ClientConfig = {
    connectionString: url,
    connectionTimeoutMillis: requestTimeout,
    query_timeout: requestTimeout,
    keepAlive: true,
  }
  let opened: { readonly pool: PostgresPool; end(): Promise<void> } | null = null

  async function openPool(): Promise<{ readonly pool: PostgresPool; readonly pooled: boolean; end(): Promise<void> }> {
    const { Client, Pool } = await loadDriver('pg')
    const scout = new Client(base)
    scout.on('error', () => undefined)
    try {
      await scout.connect()
      const pooled = await isPooled(scout, announcedPid(scout))
      const session: ClientConfig = pooled
        ? {}
        : { statement_timeout: requestTimeout, options: '-c default_transaction_isolation=read\\ committed' }
      const pool = new Pool({ ...base, ...session, max: POOL_SIZE, allowExitOnIdle: true })
      // An idle connection that breaks is no error: the pool replaces it.
      pool.on('error', () => undefined)
      return { pool, pooled, end: () => pool.end() }
    } finally {
      void scout.end().catch(() => undefined)
    }
  }

  const pool = once(async () => {
    const created = await openPool()
    opened = created
    return created
  })
  const ready = once(async (): Promise<ReadyPool> => {
    const created = await pool()
    await setUp()
    return { pool: created.pool, prepared: preparedStatements ?? !created.pooled }
  })
  return {
    ready,
    async listen() {
      const { Client } = await loadDriver('pg')
      const client = new Client(base)
      client.on('error', () => undefined)
      await client.connect()
      if ('unref' in client && typeof client.unref === 'function') client.unref()
      return {
        query: statement => client.query(statement),
        on: (event, listener) => client.on(event, listener),
        announcedPid: announcedPid(client),
        end: () => void client.end().catch(() => undefined),
      }
    },
    async close() {
      await opened?.end()
      opened = null
    },
  }
}

/** Runs the work on one connection to a URL, which is made for it. Without `requestTimeout` it has all the time. */
export async function withConnection<T>(
  url: string,
  work: (client: import('pg').Client) => Promise<T>,
  requestTimeout?: Milliseconds,
): Promise<T> {
  const { Client } = await loadDriver('pg')
  const limits = requestTimeout === undefined
    ? {}
    : { connectionTimeoutMillis: requestTimeout, query_timeout: requestTimeout }
  const client = new Client({ connectionString: url, ...limits })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
