// The stores, and the drivers that they are given.
import { DatabaseSync } from 'node:sqlite'
import { Cluster, Redis } from 'ioredis'
import type { Duration, SessionStore } from 'keyturn'
import type * as mysqlEntry from 'keyturn/stores/mysql'
import { createMysqlStore, migrateMysql, printMysqlMigrations } from 'keyturn/stores/mysql'
import type { MysqlConnection, MysqlNameOptions, MysqlPool, MysqlStoreOptions } from 'keyturn/stores/mysql'
import {
  bunSqlPool, createPostgresStore, migratePostgres, neonPool, pglitePool, poolPerCall, postgresJsPool,
  printPostgresMigrations,
} from 'keyturn/stores/postgres'
import type {
  MigrationResult, NeonSql, PgClient, PgliteDatabase, PoolPerCallOptions, PostgresClient, PostgresJsSql,
  PostgresJsTransaction, PostgresNameOptions, PostgresPool,
  PostgresResult, PostgresStatement, PostgresStoreOptions, ReservedSql, ReservingSql,
} from 'keyturn/stores/postgres'
import { allowEviction, createRedisStore } from 'keyturn/stores/redis'
import type {
  IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient, RedisStoreOptions,
} from 'keyturn/stores/redis'
import { createSqliteStore, openSqliteStore, printSqliteMigrations } from 'keyturn/stores/sqlite'
import type {
  SqliteDatabase, SqliteDriverOptions, SqliteStatement, SqliteStoreOptions,
} from 'keyturn/stores/sqlite'
import { createPool } from 'mysql2/promise'
import { Client, Pool } from 'pg'
import { createClient, createCluster } from 'redis'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export function sqlite(database: SqliteDatabase): void {
  typeOf(openSqliteStore).is<(file: string, options?: SqliteStoreOptions) => SessionStore>()
  typeOf(createSqliteStore).is<(database: SqliteDatabase, options?: SqliteDriverOptions) => SessionStore>()
  createSqliteStore(new DatabaseSync('keyturn.db'), { fast: new DatabaseSync('keyturn.db') })
  typeOf(printSqliteMigrations).is<(options?: SqliteStoreOptions) => string>()
  typeOf(database.prepare('')).is<SqliteStatement>()
  typeOf(database.prepare('').all()).is<unknown[]>()
  // @ts-expect-error: a file, or a database: each has its function
  createSqliteStore('keyturn.db')
  // @ts-expect-error: no such option
  openSqliteStore('keyturn.db', { migrate: 'auto' })
}
export type SqliteDriver = [
  Expect<Equal<SqliteDatabase, {
    exec(sql: string): unknown
    prepare(sql: string): SqliteStatement
    close(): unknown
  }>>,
  Expect<Equal<SqliteStatement['setReturnArrays'], ((enabled: boolean) => void) | undefined>>,
]
export type OfSqlite = Expect<Equal<SqliteStoreOptions, { readonly prefix?: string }>>
export type OfSqliteDrivers = Expect<Equal<
  SqliteDriverOptions, { readonly prefix?: string; readonly fast?: SqliteDatabase }
>>

export function postgresDrivers(
  neon: NeonSql<string>, postgresJs: PostgresJsSql, sql: ReservingSql, reserved: ReservedSql, database: PgliteDatabase,
): void {
  typeOf(neonPool<string>).is<(sql: NeonSql<string>) => PostgresPool>()
  typeOf(neon.transaction([neon.query('', [])], { fullResults: true })).is<PromiseLike<unknown>>()
  typeOf(postgresJsPool).is<(sql: PostgresJsSql) => PostgresPool>()
  typeOf(postgresJs.begin('', async (transaction: PostgresJsTransaction) => transaction)).is<PromiseLike<unknown>>()
  typeOf(bunSqlPool).is<(sql: ReservingSql) => PostgresPool>()
  typeOf(pglitePool).is<(database: PgliteDatabase) => PostgresPool>()
  typeOf(poolPerCall).is<(open: () => PgClient, options?: PoolPerCallOptions) => PostgresPool>()
  createPostgresStore(poolPerCall(() => new Client('postgres://db.example.com/app'), { keepAlive: work => void work }))
  for (const pool of [neonPool(neon), postgresJsPool(postgresJs), bunSqlPool(sql), pglitePool(database)]) {
    createPostgresStore(pool)
  }
  typeOf(reserved.release()).is<unknown>()
  // @ts-expect-error: a function that makes one for each call
  poolPerCall(new Client())
}
export type OfPgClient = Expect<Equal<keyof PgClient, 'connect' | 'query' | 'on' | 'end'>>

export function postgres(pool: PostgresPool, client: PostgresClient, statement: PostgresStatement): void {
  typeOf(createPostgresStore).is<(poolOrUrl: PostgresPool | string, options?: PostgresStoreOptions) => SessionStore>()
  createPostgresStore(new Pool(), { migrate: 'auto', schema: 'app' })
  typeOf(migratePostgres)
    .is<(poolOrUrl: PostgresPool | string, options?: PostgresNameOptions) => Promise<MigrationResult>>()
  typeOf(printPostgresMigrations).is<(options?: PostgresNameOptions) => string>()
  typeOf(client.query(statement)).is<Promise<PostgresResult>>()
  // @ts-expect-error: a store needs connections of its own
  createPostgresStore(client)
  // @ts-expect-error: no such way
  createPostgresStore(pool, { migrate: 'never' })
}
export type OfPostgres = Expect<Equal<PostgresStoreOptions, {
  readonly schema?: string
  readonly prefix?: string
  readonly migrate?: 'auto' | 'manual'
  readonly preparedStatements?: boolean
  readonly requestTimeout?: Duration
  readonly poolSize?: number
}>>
export type PostgresNames = Expect<Equal<PostgresNameOptions, { readonly schema?: string; readonly prefix?: string }>>
export type Migrated = [
  Expect<Equal<MigrationResult, { readonly from: number; readonly to: number }>>,
  Expect<Equal<mysqlEntry.MigrationResult, MigrationResult>>,
]
export type PostgresDriver = [
  Expect<Equal<PostgresPool, {
    connect(): Promise<PostgresClient>
    on?(event: 'error', listener: () => void): unknown
    removeListener?(event: 'error', listener: () => void): unknown
    readonly idleCount?: number
    readonly options?: { readonly max?: number | undefined }
    readonly notifies?: boolean
  }>>,
  Expect<Equal<PostgresClient, {
    query(statement: PostgresStatement): Promise<PostgresResult>
    batch?(statements: readonly PostgresStatement[]): Promise<readonly PostgresResult[]>
    transaction?<T>(work: (transaction: Pick<PostgresClient, 'query'>) => Promise<T>): Promise<T>
    on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
    removeListener(event: 'error', listener: () => void): unknown
    release(destroy?: boolean): void
  }>>,
  Expect<Equal<PostgresStatement, { readonly name?: string; readonly text: string; readonly values?: unknown[] }>>,
  Expect<Equal<PostgresResult, { readonly rows: unknown[]; readonly rowCount: number | null }>>,
]

export function mysql(connection: MysqlConnection): void {
  typeOf(createMysqlStore).is<(poolOrUrl: MysqlPool | string, options?: MysqlStoreOptions) => SessionStore>()
  createMysqlStore(createPool('mysql://localhost/app'), { migrate: 'auto' })
  typeOf(migrateMysql).is<(poolOrUrl: MysqlPool | string, options?: MysqlNameOptions) => Promise<MigrationResult>>()
  typeOf(printMysqlMigrations).is<(options?: MysqlNameOptions) => string>()
  typeOf(connection.execute('', [])).is<Promise<[unknown, unknown]>>()
  // @ts-expect-error: a store needs connections of its own
  createMysqlStore(connection)
}
export type OfMysql = Expect<Equal<MysqlStoreOptions, {
  readonly prefix?: string
  readonly migrate?: 'auto' | 'manual'
  readonly requestTimeout?: Duration
  readonly poolSize?: number
}>>
export type MysqlDriver = [
  Expect<Equal<MysqlPool, { getConnection(): Promise<MysqlConnection> }>>,
  Expect<Equal<MysqlConnection['query'], (sql: string) => Promise<[unknown, unknown]>>>,
]
export type MysqlNames = Expect<Equal<MysqlNameOptions, { readonly prefix?: string }>>

export function redis(cluster: Cluster): void {
  typeOf(createRedisStore).is<(clientOrUrl: RedisClient | string, options?: RedisStoreOptions) => SessionStore>()
  createRedisStore('redis://localhost', { [allowEviction]: true })
  createRedisStore(new Redis())
  createRedisStore(cluster)
  createRedisStore(createClient())
  createRedisStore(createCluster({ rootNodes: [] }))
  // @ts-expect-error: not a client
  createRedisStore({ get: () => null })
  // @ts-expect-error: a number of replicas
  createRedisStore('redis://localhost', { replicas: true })
}
export type RedisDrivers = [
  Expect<Equal<IoredisClient, {
    readonly isCluster: boolean
    readonly options: object
    call(command: string, args: string[]): Promise<unknown>
    duplicate(override?: object): IoredisClient
    subscribe(channel: string): Promise<unknown>
    on(event: string, listener: () => void): unknown
    disconnect(): void
  }>>,
  Expect<Equal<NodeRedisClient['sendCommand'], (command: readonly string[]) => Promise<unknown>>>,
  Expect<Equal<NodeRedisClient['duplicate'], () => NodeRedisClient>>,
]
export type Clients = Expect<Equal<
  RedisClient, IoredisClient | IoredisCluster | NodeRedisClient | NodeRedisCluster
>>
export type OfRedis = Expect<Equal<RedisStoreOptions, {
  readonly prefix?: string
  readonly replicas?: number
  readonly requestTimeout?: Duration
  readonly [allowEviction]?: boolean
}>>
