import type { Duration } from '../base/duration.ts'
import { checkOptions, checkValue } from '../base/options.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import { durableObjectRules, namespaceRule, objectNameRule } from './async-sqlite/options.ts'
import { runWith } from './async-sqlite/run.ts'
import type { RunStatements, SqlStatement } from './async-sqlite/run.ts'
import { migrateSchema } from './async-sqlite/schema.ts'
import { createAsyncSqliteStore } from './async-sqlite/store.ts'
import { requestTimeoutOf } from './options.ts'
import type { SqlValue } from './sql/row.ts'
import { tableNames } from './sql/table-names.ts'

/** The part of a namespace of Durable Objects that the store needs. */
export interface DurableObjectNamespace {
  idFromName(name: string): DurableObjectId
  get(id: DurableObjectId): DurableObjectStub
}

/** The id of a Durable Object. */
export interface DurableObjectId {
  toString(): string
}

/** A way to a Durable Object. It belongs to the request that has made it. */
export interface DurableObjectStub {
  fetch(url: string, init: { readonly method: string; readonly body: string }): Promise<Response>
}

/** The part of a Durable Object's state that the object needs. */
export interface DurableObjectState {
  readonly storage: {
    readonly sql: { exec(sql: string, ...values: (string | number | null)[]): { toArray(): unknown[] } }
    transactionSync<T>(work: () => T): T
    getAlarm(): Promise<number | null>
    setAlarm(time: number): Promise<void>
  }
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>
}

/** Options of {@link createDurableObjectStore}. */
export interface DurableObjectStoreOptions {
  /** The name of the object that keeps the sessions. Default: `keyturn`. */
  readonly name?: string
  /** How long a call may wait for the object: from 1 ms to 1 hour. Default: 5 seconds. */
  readonly requestTimeout?: Duration
}

/** How often expired sessions are removed, while there are any. */
const CLEANUP_INTERVAL: Milliseconds = 3_600_000
/** How long until an alarm goes on with what the one before has left: meanwhile, the object serves requests. */
const BACKLOG_PAUSE: Milliseconds = 5_000
const CLEANUP_BATCH = 500
const CLEANUP_BATCHES = 100

const names = tableNames()
const cure = 'deploy the Worker that exports SessionObject, with this version of Keyturn: the object creates its tables '
  + 'when it starts'

/**
 * The Durable Object that keeps the sessions, in its SQLite database. Export it from the worker's main module, and name
 * it under `new_sqlite_classes` in the configuration of `wrangler`. It creates its tables itself, and an alarm removes
 * expired sessions.
 * @example
 * export { SessionObject } from 'keyturn/stores/durable-object'
 */
export class SessionObject {
  readonly #storage: DurableObjectState['storage']
  readonly #store: SessionStore
  #isAlarmSet = false

  constructor(state: DurableObjectState) {
    this.#storage = state.storage
    this.#store = createStore(this.#run, requestTimeoutOf())
    // No call comes before the tables are there.
    void state.blockConcurrencyWhile(() => migrateSchema({ run: this.#run, names, cure }))
  }

  /** Runs the statements that the store sends, all of them in one transaction that nothing can interrupt. */
  async fetch(request: Request): Promise<Response> {
    const statements: unknown = await request.json()
    if (!isListOfStatements(statements)) return Response.json('not a list of statements', { status: 400 })
    await this.#keepAlarm()
    try {
      return Response.json(await this.#run(statements))
    } catch (error) {
      return Response.json(error instanceof Error ? error.message : String(error), { status: 500 })
    }
  }

  /** Removes what has expired. Called by the platform. */
  async alarm(): Promise<void> {
    this.#isAlarmSet = false
    let more = true
    for (let batch = 0; more && batch < CLEANUP_BATCHES; batch++) {
      more = (await this.#store.removeExpired(Date.now(), CLEANUP_BATCH)).more
    }
    if (more) return this.#setAlarm(Date.now() + BACKLOG_PAUSE)
    const left = this.#storage.sql.exec(`SELECT 1 FROM ${names.session} LIMIT 1`).toArray()
    if (left.length > 0) await this.#keepAlarm()
  }

  readonly #run: RunStatements = async statements => this.#storage.transactionSync(() => (
    statements.map(({ sql, values }) => this.#storage.sql.exec(sql, ...values).toArray())
  ))

  /** Sets the alarm, unless it is set. */
  async #keepAlarm(): Promise<void> {
    if (this.#isAlarmSet) return
    if (await this.#storage.getAlarm() === null) await this.#setAlarm(Date.now() + CLEANUP_INTERVAL)
    this.#isAlarmSet = true
  }

  async #setAlarm(time: EpochMilliseconds): Promise<void> {
    await this.#storage.setAlarm(time)
    this.#isAlarmSet = true
  }
}

/**
 * Creates a store on a {@link SessionObject}: one object, which is in one place and does one thing at a time. Pass the
 * binding of its namespace, for example at module level, where `env` of `cloudflare:workers` has it. Every call is one
 * request to the object.
 * @throws GeneralError (`MISUSE`) if an option or the namespace is invalid.
 * @example
 * import { env } from 'cloudflare:workers'
 *
 * const store = createDurableObjectStore(env.SESSIONS)
 */
export function createDurableObjectStore(
  namespace: DurableObjectNamespace,
  options: DurableObjectStoreOptions = {},
): SessionStore {
  checkValue('namespace', namespaceRule, namespace)
  checkOptions('createDurableObjectStore', durableObjectRules, options)
  const { name = objectNameRule.defaultValue } = options
  return createStore(runWith(async statements => {
    // A stub that is kept would belong to the request that has made it.
    const stub = namespace.get(namespace.idFromName(name))
    const response = await stub.fetch('https://keyturn/', { method: 'POST', body: JSON.stringify(statements) })
    if (response.ok) return response.json()
    const message: unknown = await response.json().catch(() => null)
    throw new Error(typeof message === 'string' ? message : `the Durable Object answered with ${response.status}`)
  }), requestTimeoutOf(options.requestTimeout))
}

/** Whether the body of a request is what {@link createDurableObjectStore} sends. */
function isListOfStatements(body: unknown): body is readonly SqlStatement[] {
  return Array.isArray(body) && body.every((each: unknown) => (
    typeof each === 'object' && each !== null && 'sql' in each && typeof each.sql === 'string'
    && 'values' in each && Array.isArray(each.values) && each.values.every(isSqlValue)
  ))
}

function isSqlValue(value: unknown): value is SqlValue {
  return value === null || typeof value === 'string' || typeof value === 'number'
}

function createStore(run: RunStatements, requestTimeout: Milliseconds): SessionStore {
  return createAsyncSqliteStore({
    database: 'the Durable Object',
    run,
    names,
    cure,
    migrate: 'manual',
    requestTimeout,
    // The machines of Workers and of their objects keep the same time.
    readTime: null,
  })
}
