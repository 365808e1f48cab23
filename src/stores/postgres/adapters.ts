import { GeneralError } from '../../base/errors.ts'
import type { KeepAlive } from '../../base/host.ts'
import { callback, checkOptions, checkValue, rule } from '../../base/options.ts'
import type { Rule, RulesFor } from '../../base/options.ts'
import type { PostgresClient, PostgresPool, PostgresResult, PostgresStatement } from './driver.ts'

/** What `neon(url)` of `@neondatabase/serverless` returns: PostgreSQL over HTTP. `Query` is its type of a query. */
export interface NeonSql<Query = unknown> {
  query(text: string, values: unknown[]): Query
  query(text: string, values: unknown[], options: { readonly fullResults: true }): PromiseLike<unknown>
  transaction(queries: Query[], options: { readonly fullResults: true }): PromiseLike<unknown>
}

/** What `postgres(url)` of postgres.js returns. */
export interface PostgresJsSql extends PostgresJsTransaction {
  begin(options: string, work: (transaction: PostgresJsTransaction) => Promise<unknown>): PromiseLike<unknown>
}

/** A transaction of postgres.js. */
export interface PostgresJsTransaction {
  unsafe(
    text: string, values: (string | number | boolean | null)[], options: { readonly prepare: boolean },
  ): PromiseLike<unknown>
}

/** What `new SQL(url)` of Bun returns. */
export interface ReservingSql {
  reserve(): PromiseLike<ReservedSql>
}

/** A connection of Bun that was taken out of the pool. */
export interface ReservedSql {
  unsafe(text: string, values: unknown[], options: { readonly prepare: boolean }): PromiseLike<unknown>
  release(): unknown
}

/** A database of PGlite, in this process. */
export interface PgliteDatabase {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>
  transaction<T>(work: (transaction: Pick<PgliteDatabase, 'query'>) => Promise<T>): Promise<T>
}

/** A `Client` of `pg`, which is not connected yet. */
export interface PgClient {
  connect(): Promise<unknown>
  query(statement: PostgresStatement): Promise<PostgresResult>
  on(event: 'error', listener: () => void): unknown
  end(): Promise<unknown>
}

/** Options of {@link poolPerCall}. */
export interface PoolPerCallOptions {
  /** Lets connections be closed after the response: `waitUntil` of the platform. Default: none. */
  readonly keepAlive?: KeepAlive
}

/** What the options of {@link poolPerCall} accept. */
export const poolPerCallRules: RulesFor<PoolPerCallOptions> = { keepAlive: callback<KeepAlive>() }

/**
 * A pool over `neon(url)` of `@neondatabase/serverless`, for `createPostgresStore`: every statement is an HTTP request,
 * so there is no connection that could end with a request. Create the tables over a socket:
 * `npx keyturn migrate <url>`.
 */
export function neonPool<Query>(sql: NeonSql<Query>): PostgresPool {
  checkValue(
    'sql',
    clientRule<NeonSql<Query>>('what neon(url) of @neondatabase/serverless returns', 'query', 'transaction'),
    sql,
  )
  const fullResults = { fullResults: true } as const
  const client: PostgresClient = {
    query: async ({ text, values = [] }) => resultOf(await sql.query(text, values, fullResults)),
    async batch(statements) {
      const queries = statements.map(({ text, values = [] }) => sql.query(text, values))
      const results = await sql.transaction(queries, fullResults)
      if (!Array.isArray(results) || results.length !== statements.length) throw notAResult()
      return results.map(resultOf)
    },
    ...withoutEvents,
    release: () => undefined,
  }
  return { notifies: false, connect: async () => client }
}

/**
 * A pool over a client of postgres.js, for `createPostgresStore`. The client must have no option `transform` that
 * renames columns, such as `postgres.camel`: the first use of the store refuses it. You end the client, after the
 * store. Create the tables by `npx keyturn migrate <url>`.
 */
export function postgresJsPool(sql: PostgresJsSql): PostgresPool {
  checkValue('sql', clientRule<PostgresJsSql>('a client of postgres.js', 'unsafe', 'begin'), sql)
  const run = async (
    on: PostgresJsTransaction,
    { name, text, values = [] }: PostgresStatement,
  ): Promise<PostgresResult> => (
    resultOf(await on.unsafe(text, values.map(parameterOf), { prepare: name !== undefined }))
  )
  // No connection is reserved: with `fetch_types: false`, postgres.js would wait for ever for a new one.
  const client: PostgresClient = {
    query: statement => run(sql, statement),
    async batch(statements) {
      const results: PostgresResult[] = []
      await sql.begin('ISOLATION LEVEL READ COMMITTED', async transaction => {
        for (const statement of statements) results.push(await run(transaction, statement))
      })
      return results
    },
    ...withoutEvents,
    release: () => undefined,
  }
  return { notifies: false, connect: async () => client }
}

/** A pool over `Bun.sql` or `new SQL(url)` of Bun, for `createPostgresStore`. You close it, after the store. */
export function bunSqlPool(sql: ReservingSql): PostgresPool {
  checkValue('sql', clientRule<ReservingSql>('an instance of Bun.SQL', 'reserve'), sql)
  return poolOfReserved(sql)
}

/**
 * A pool over a PGlite database in this process, for `createPostgresStore`. The application may use the database as
 * well, with `database.transaction` for its transactions: it shares a session with the store, whose statements would
 * become part of a transaction that was begun with `BEGIN`. You close the database, after the store.
 */
export function pglitePool(database: PgliteDatabase): PostgresPool {
  checkValue('database', clientRule<PgliteDatabase>('a PGlite database', 'query', 'exec', 'transaction'), database)
  const queryOn = (session: Pick<PgliteDatabase, 'query'>): Pick<PostgresClient, 'query'> => ({
    query: async ({ text, values = [] }) => resultOf(await session.query(text, values)),
  })
  const client: PostgresClient = {
    ...queryOn(database),
    // Statements of the application wait for the end of such a transaction. One that is begun with `BEGIN` they join.
    transaction: work => database.transaction(transaction => work(queryOn(transaction))),
    ...withoutEvents,
    release: () => undefined,
  }
  return { notifies: false, options: { max: 1 }, connect: async () => client }
}

/**
 * A pool that keeps nothing, for `createPostgresStore` on a platform where a connection ends with the request that
 * opened it, as on Cloudflare Workers behind Hyperdrive: each call opens a client of `pg` and closes it afterwards.
 * @example
 * import { env, waitUntil } from 'cloudflare:workers'
 *
 * const pool = poolPerCall(() => new Client(env.HYPERDRIVE.connectionString), { keepAlive: waitUntil })
 */
export function poolPerCall(open: () => PgClient, options: PoolPerCallOptions = {}): PostgresPool {
  checkValue('open', callback<() => PgClient>(), open)
  checkOptions('poolPerCall', poolPerCallRules, options)
  return {
    notifies: false,
    async connect() {
      const client = open()
      // A connection that breaks also fails its query, which reports the error.
      client.on('error', () => undefined)
      await client.connect()
      return {
        // Nothing is prepared: the next call has another connection.
        query: ({ text, values = [] }) => client.query({ text, values }),
        ...withoutEvents,
        release() {
          const ending = client.end().catch(() => undefined)
          options.keepAlive?.(ending)
        },
      }
    },
  }
}

const withoutEvents: Pick<PostgresClient, 'on' | 'removeListener'> = {
  on: () => undefined,
  removeListener: () => undefined,
}

function poolOfReserved(sql: ReservingSql): PostgresPool {
  return {
    notifies: false,
    async connect() {
      const connection = await sql.reserve()
      let running: Promise<unknown> = Promise.resolve()
      let given = false
      const run = async ({ name, text, values = [] }: PostgresStatement): Promise<PostgresResult> => {
        try {
          return resultOf(await connection.unsafe(text, values.map(parameterOf), { prepare: name !== undefined }))
        } catch (error) {
          throw withSqlState(error)
        }
      }
      return {
        async query(statement) {
          // The rest of a transaction whose caller has waited too long must not run while others have the connection.
          if (given) throw new GeneralError('STORE_UNAVAILABLE', 'the connection was given back')
          const answer = run(statement)
          running = answer.catch(() => undefined)
          return answer
        },
        ...withoutEvents,
        /** Bun cannot close one connection: it goes back when it is idle, and without a transaction. */
        release(destroy = false) {
          given = true
          const idle = destroy ? running.then(() => run({ text: 'ROLLBACK' })).catch(() => undefined) : running
          void idle.then(() => connection.release())
        },
      }
    },
  }
}

/**
 * A value of a statement as drivers take it, an array as PostgreSQL writes it: drivers need to know the type of an
 * array, and need not learn it.
 */
function parameterOf(value: unknown): string | number | boolean | null {
  if (Array.isArray(value)) {
    return `{${value.map(item => `"${String(item).replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
  }
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value)
}

/** Bun's errors have the SQLSTATE in `errno`, and a code of their own in `code`. */
function withSqlState(error: unknown): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'string') return error
  return Object.assign(new Error(error.message, { cause: error }), { code: error.errno })
}

/**
 * The rows of a result, which is an array of them or has them as a member. Without rows it is no answer of the
 * database: to take it for an empty one would log users out.
 */
function resultOf(result: unknown): PostgresResult {
  const { rows }: { readonly rows?: unknown } = Array.isArray(result) ? { rows: result } : Object(result)
  if (!Array.isArray(rows)) throw notAResult()
  const list: unknown[] = [...rows]
  return { rows: list, rowCount: list.length }
}

function notAResult(): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', 'the database driver did not return the rows of each statement')
}

function clientRule<Client extends object>(expected: string, ...methods: readonly string[]): Rule<Client, undefined> {
  return {
    ...rule(expected, (value): value is Client => (
      (typeof value === 'object' || typeof value === 'function') && value !== null
        && methods.every(name => typeof Reflect.get(value, name) === 'function')
    )),
    isSecret: true,
  }
}
