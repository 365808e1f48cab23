import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import { createDeadline } from '../deadline.ts'
import type { Lender } from '../lender.ts'
import { once } from '../sql/once.ts'
import { readInteger, readText, rowOf } from '../sql/row.ts'
import { announcedPid } from './driver.ts'
import type { PostgresClient, PostgresListener, PostgresPool, PostgresResult, PostgresStatement } from './driver.ts'

/** The connections of a store: the application's pool, or the store's own. */
export interface Connections {
  /** The most connections that the pool opens; infinite if it does not say. */
  readonly size: number
  /** Resolves once statements can be run. */
  ready(): Promise<ReadyPool>
  /** Opens a separate connection to listen on; null if the pool has none to spare. */
  listen(): Promise<PostgresListener | null>
  /** Ends the pool if the store opened it. May wait for a server that does not answer. */
  end(): Promise<void>
  /** Destroys what is left of the connections that the store opened. */
  cut(): void
}

/** A pool, and what the store knows about the path to the server. */
export interface ReadyPool {
  readonly pool: PostgresPool
  /** Whether the server keeps prepared statements from one query to the next. */
  readonly prepared: boolean
}

/**
 * Whether a pooler between driver and server shares server connections among clients. If so, the server process that
 * answers is not the one that was announced when the connection was opened. Then prepared statements may be gone at the
 * next query, and notifications may be lost.
 */
export async function isPooled(
  client: { query(statement: PostgresStatement): Promise<PostgresResult> },
  announced: number | null,
): Promise<boolean> {
  if (announced === null) return false
  const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' })
  return rows.map(rowOf).every(row => readInteger(row, 'pid') !== announced)
}

/**
 * Whether all connections are one session of PostgreSQL, as those of PGlite are. Then a transaction, a setting or a
 * prepared statement of one connection is that of every other, and with `size` of more than 1 calls would disturb each
 * other.
 * @throws GeneralError (`MISUSE`) if so, and the pool may open more than one.
 */
export async function sharesSession(
  client: { query(statement: PostgresStatement): Promise<PostgresResult> },
  size: number,
): Promise<boolean> {
  const { rows } = await client.query({ text: 'SELECT version() AS version' })
  const shares = rows.map(rowOf).some(row => readText(row, 'version').includes('PGlite'))
  if (!shares || size === 1) return shares
  throw new GeneralError('MISUSE', 'the server is PGlite, which has one session for all its connections: open one only, '
    + 'with poolSize: 1 for a URL, or max: 1 in the Pool that you pass')
}

/** Uses the application's pool, which the application ends. */
export function useGivenPool(
  pool: PostgresPool,
  preparedStatements: boolean | null,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  // The pool drops an idle connection that breaks. Without a listener, the pool's error event would end the process.
  const ignore = (): void => undefined
  pool.on?.('error', ignore)

  const within = createDeadline(requestTimeout, 'the PostgreSQL database')

  const size = pool.options?.max ?? Number.POSITIVE_INFINITY

  async function detectPooler(): Promise<boolean> {
    const { client, release, destroy } = await acquireClient(pool)
    try {
      const pooled = await within(isPooled(client, announcedPid(client)))
      const shared = await within(sharesSession(client, size))
      release()
      return pooled || shared
    } finally {
      destroy()
    }
  }

  return {
    size,
    ready: once(async () => {
      const pooled = await detectPooler()
      await setUp()
      return { pool, prepared: preparedStatements ?? !pooled }
    }),
    async listen() {
      if (size === 1) return null
      const { client, destroy } = await acquireClient(pool)
      return {
        query: statement => client.query(statement),
        on: (event, listener) => client.on(event, listener),
        announcedPid: announcedPid(client),
        end: destroy,
      }
    },
    end: async () => undefined,
    cut() {
      pool.removeListener?.('error', ignore)
    },
  }
}

/** A connection that was taken out of a pool, and how to return it. Only the first `release` or `destroy` counts. */
export interface AcquiredClient {
  readonly client: PostgresClient
  /** Returns it to the pool for others to use. */
  release(): void
  /** Closes it, even while it runs a statement. */
  destroy(): void
}

/** Takes a connection out of a pool. @throws GeneralError (`MISUSE`) if the pool gives out something else. */
export async function connectTo(pool: PostgresPool): Promise<PostgresClient> {
  const client: Partial<PostgresClient> | undefined = await pool.connect()
  if (isClient(client)) return client
  throw new GeneralError('MISUSE', 'the pool that was passed has a connect() that does not return a connection with '
    + 'query() and release(): pass a Pool of pg')
}

function isClient(client: Partial<PostgresClient> | undefined): client is PostgresClient {
  return typeof client?.query === 'function' && typeof client.release === 'function'
}

/**
 * Takes a connection out of a pool, through its lender if there are several that take some. One that has yet to be opened
 * belongs to no request.
 */
export async function acquireClient(pool: PostgresPool, lender: Lender | null = null): Promise<AcquiredClient> {
  const connect = (): Promise<PostgresClient> => (
    (pool.idleCount ?? 0) > 0 ? connectTo(pool) : outsideRequests(() => connectTo(pool))
  )
  const client = await (lender === null ? connect() : lender.take(connect))
  // A connection that breaks also fails its query, which reports the error.
  const ignore = (): void => undefined
  client.on('error', ignore)
  let given = false
  return {
    client,
    release() {
      if (given) return
      given = true
      client.removeListener('error', ignore)
      // The pool may open a connection for a call that waits.
      outsideRequests(() => client.release())
      lender?.returned()
    },
    destroy() {
      if (given) return
      given = true
      outsideRequests(() => client.release(true))
      lender?.returned()
    },
  }
}
