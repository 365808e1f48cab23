import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import { createDeadline } from '../deadline.ts'
import type { ConnectionLender } from '../lender.ts'
import { once } from '../sql/once.ts'
import { readInteger, readText, rowOf } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
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
 * A value of each type of column that the store reads, and how many characters the server received. One name has an
 * underscore, as most columns of the tables: a driver may be set to rename such columns.
 */
const probe = `SELECT version() AS version, 7::smallint AS small, 9007199254740991::bigint AS big,
  NULL::bigint AS nothing, $1::text AS letter, char_length($1::text)::bigint AS letter_count`

const probeColumns = ['version', 'small', 'big', 'nothing', 'letter', 'letter_count']

/** A character that only Unicode has. */
const letter = '\u{1F511}'

/**
 * Checks, with a statement that writes nothing, what the store relies on: what the driver makes of rows, and the
 * character set. Returns whether all connections are one session of PostgreSQL, as those of PGlite are. Then a
 * transaction, a setting or a prepared statement of one connection is that of every other, and with `size` of more than
 * 1 calls would disturb each other.
 * @throws GeneralError (`MISUSE`) that names what to set; or if the pool may open more than one connection to PGlite.
 */
export async function checkSession(
  client: { query(statement: PostgresStatement): Promise<PostgresResult> },
  size: number,
): Promise<boolean> {
  const { rows } = await client.query({ text: probe, values: [letter] }).catch((error: unknown) => {
    throw isUntranslatable(error) ? unsuitableConnection(encoding) : error
  })
  const row = rowOf(rows[0])
  if (!probeColumns.every(column => column in row)) throw unsuitableConnection(columnNames)
  if (!isUnchanged(row)) throw unsuitableConnection(typeParsers)
  if (readInteger(row, 'letter_count') !== 1 || row['letter'] !== letter) throw unsuitableConnection(encoding)
  const shares = readText(row, 'version').includes('PGlite')
  if (!shares || size === 1) return shares
  throw new GeneralError('MISUSE', 'the server is PGlite, which has one session for all its connections: open one '
    + 'only, with poolSize: 1 for a URL, or max: 1 in the Pool that you pass')
}

const encoding = 'client_encoding, and the encoding of the database, must be UTF8: leave the option out'
const columnNames = 'rows must have the names of columns as the server sends them: leave the option transform out'
const typeParsers = 'parsers (types, pg.types.setTypeParser) must leave numbers, texts and null as they are: remove '
  + 'those for smallint, bigint and text, and leave the option binary out'

function isUnchanged(row: Row): boolean {
  try {
    const numbers = ['small', 'big', 'letter_count'].map(column => readInteger(row, column))
    return row['nothing'] === null && typeof row['letter'] === 'string' && readText(row, 'version') !== ''
      && numbers.slice(0, 2).join() === `7,${Number.MAX_SAFE_INTEGER}`
  } catch {
    return false
  }
}

/** Whether the server could not convert a character from or to the character set of the connection or the database. */
function isUntranslatable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '22P05' || error.code === '22021')
}

/** The error for an option of the driver. */
function unsuitableConnection(what: string): GeneralError {
  return new GeneralError('MISUSE', `the connection has an option that Keyturn cannot work with: ${what}`)
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
      const shared = await within(checkSession(client, size))
      const pooled = await within(isPooled(client, announcedPid(client)))
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
      if (size === 1 || pool.notifies === false) return null
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
 * Takes a connection out of a pool, through its lender if there are several that take some. One that has yet to be
 * opened belongs to no request.
 */
export async function acquireClient(
  pool: PostgresPool,
  lender: ConnectionLender | null = null,
): Promise<AcquiredClient> {
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
