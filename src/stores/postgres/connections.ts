import type { Milliseconds } from '../../base/time.ts'
import { createDeadline } from '../deadline.ts'
import { once } from '../sql/once.ts'
import { readInteger, rowOf } from '../sql/row.ts'
import { announcedPid } from './driver.ts'
import type { PostgresClient, PostgresListener, PostgresPool, PostgresResult, PostgresStatement } from './driver.ts'

/** The connections of a store: those that the application gave it, or its own. */
export interface Connections {
  /** Resolves once statements can be run. */
  ready(): Promise<ReadyPool>
  /** A connection of its own to listen on; null if there is none to spare. */
  listen(): Promise<PostgresListener | null>
  /** Ends what the store opened itself. */
  close(): Promise<void>
}

/** A pool, and what is known of the way to the server. */
export interface ReadyPool {
  readonly pool: PostgresPool
  /** Whether the server keeps prepared statements from one query to the next. */
  readonly prepared: boolean
}

/**
 * Whether something between driver and server shares server connections among clients: the server process that answers
 * is not the one that was announced when the connection was made. Then prepared statements may be gone at the next
 * query, and notifications go astray.
 */
export async function isPooled(
  client: { query(statement: PostgresStatement): Promise<PostgresResult> },
  announced: number | null,
): Promise<boolean> {
  if (announced === null) return false
  const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' })
  return rows.map(rowOf).every(row => readInteger(row, 'pid') !== announced)
}

/** Uses a pool that the application made and will end. */
export function useGivenPool(
  pool: PostgresPool,
  preparedStatements: boolean | null,
  requestTimeout: Milliseconds,
  setUp: () => Promise<void>,
): Connections {
  // The pool drops an idle connection that breaks; without a listener, its report of that would end the process.
  const ignore = (): void => undefined
  pool.on?.('error', ignore)

  const within = createDeadline(requestTimeout, 'the PostgreSQL database')

  async function detectPooler(): Promise<boolean> {
    const { client, release, destroy } = await lease(pool)
    try {
      const pooled = await within(isPooled(client, announcedPid(client)))
      release()
      return pooled
    } finally {
      destroy()
    }
  }

  return {
    ready: once(async () => {
      await setUp()
      return { pool, prepared: preparedStatements ?? !await detectPooler() }
    }),
    async listen() {
      if (pool.options?.max === 1) return null
      const { client, destroy } = await lease(pool)
      return {
        query: statement => client.query(statement),
        on: (event, listener) => client.on(event, listener),
        announcedPid: announcedPid(client),
        end: destroy,
      }
    },
    async close() {
      pool.removeListener?.('error', ignore)
    },
  }
}

/** A connection that was taken out of a pool, and how to give it back: once, whoever does so first. */
export interface Lease {
  readonly client: PostgresClient
  /** Gives it back for others to use. */
  release(): void
  /** Ends it, whatever it is busy with. */
  destroy(): void
}

/** Takes a connection out of a pool. */
export async function lease(pool: PostgresPool): Promise<Lease> {
  const client = await pool.connect()
  // A connection that breaks also fails its query, which is report enough.
  const ignore = (): void => undefined
  client.on('error', ignore)
  let given = false
  return {
    client,
    release() {
      if (given) return
      given = true
      client.removeListener('error', ignore)
      client.release()
    },
    destroy() {
      if (given) return
      given = true
      client.release(true)
    },
  }
}
