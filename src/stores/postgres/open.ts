import type { ClientConfig } from 'pg'
import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { createSockets } from '../closing.ts'
import { loadDriver } from '../load-driver.ts'
import { once } from '../sql/once.ts'
import { checkSession, isPooled } from './connections.ts'
import type { Connections, ReadyPool } from './connections.ts'
import { announcedPid, socketOf } from './driver.ts'
import type { PostgresPool } from './driver.ts'

/**
 * Opens connections to a URL at the first use. A pooler refuses session settings (a statement timeout on the server,
 * and the isolation level), so they are set only if the first connection has met no pooler.
 */
export function openConnections(
  url: string,
  poolSize: number,
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
  const sockets = createSockets(socketOf)
  let shared = false
  let closed = false
  let opened: { readonly pool: PostgresPool; end(): Promise<void> } | null = null

  async function openPool(): Promise<{ readonly pool: PostgresPool; readonly pooled: boolean; end(): Promise<void> }> {
    const { Client, Pool } = await loadDriver('pg')
    const probe = new Client(base)
    probe.on('error', () => undefined)
    try {
      await probe.connect()
      sockets.add(probe)
      shared = await checkSession(probe, poolSize)
      const pooled = shared || await isPooled(probe, announcedPid(probe))
      const session: ClientConfig = pooled
        ? {}
        : { statement_timeout: requestTimeout, options: '-c default_transaction_isolation=read\\ committed' }
      const pool = new Pool({ ...base, ...session, max: poolSize, allowExitOnIdle: true })
      // An idle connection that breaks is not an error: the pool replaces it.
      pool.on('error', () => undefined)
      pool.on('connect', sockets.add)
      return { pool, pooled, end: () => pool.end() }
    } finally {
      void probe.end().catch(() => undefined)
    }
  }

  const pool = once(async () => {
    const created = await openPool()
    opened = created
    if (!closed) return created
    await created.end()
    throw new GeneralError('STORE_UNAVAILABLE', 'the PostgreSQL store was closed')
  })
  const ready = once(async (): Promise<ReadyPool> => {
    const created = await pool()
    await setUp()
    return { pool: created.pool, prepared: preparedStatements ?? !created.pooled }
  })
  return {
    size: poolSize,
    ready,
    async listen() {
      await pool()
      if (shared) return null
      const { Client } = await loadDriver('pg')
      const client = new Client(base)
      client.on('error', () => undefined)
      await client.connect()
      sockets.add(client)
      return {
        query: statement => client.query(statement),
        on: (event, listener) => client.on(event, listener),
        announcedPid: announcedPid(client),
        end: () => void client.end().catch(() => undefined),
      }
    },
    async end() {
      closed = true
      await opened?.end()
      await sockets.closed()
    },
    cut: sockets.destroy,
  }
}

/** Runs the work on one connection to a URL, opened for it. Without `requestTimeout` there is no time limit. */
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
