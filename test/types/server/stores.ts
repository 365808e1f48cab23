// The stores, and the drivers that they are given.
import { DatabaseSync } from 'node:sqlite'
import { Cluster, Redis } from 'ioredis'
import type { Duration, SessionStore } from 'keyturn'
import type * as mysqlEntry from 'keyturn/stores/mysql'
import { createMysqlStore, migrateMysql, printMysqlMigrations } from 'keyturn/stores/mysql'
import type { MysqlConnection, MysqlNameOptions, MysqlPool, MysqlStoreOptions } from 'keyturn/stores/mysql'
import { createPostgresStore, migratePostgres, printPostgresMigrations } from 'keyturn/stores/postgres'
import type {
  MigrationResult, PostgresClient, PostgresNameOptions, PostgresPool, PostgresResult, PostgresStatement,
  PostgresStoreOptions,
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
import { Pool } from 'pg'
import { createClient, createCluster } from 'redis'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export function sqlite(database: SqliteDatabase): void {
  typeOf(openSqliteStore('keyturn.db', { prefix: 'app_' })).is<SessionStore>()
  typeOf(createSqliteStore(new DatabaseSync('keyturn.db'), { fast: database })).is<SessionStore>()
  typeOf(printSqliteMigrations()).is<string>()
  typeOf(database.prepare('')).is<SqliteStatement>()
  typeOf(database.prepare('').all()).is<unknown[]>()
  // @ts-expect-error: a file, or a database: each has its function
  createSqliteStore('keyturn.db')
  // @ts-expect-error: no such option
  openSqliteStore('keyturn.db', { migrate: 'auto' })
}
export type OfSqlite = Expect<Equal<SqliteStoreOptions, { readonly prefix?: string }>>
export type OfSqliteDrivers = Expect<Equal<
  SqliteDriverOptions, { readonly prefix?: string; readonly fast?: SqliteDatabase }
>>

export function postgres(pool: PostgresPool, client: PostgresClient, statement: PostgresStatement): void {
  typeOf(createPostgresStore(new Pool(), { migrate: 'auto', schema: 'app' })).is<SessionStore>()
  typeOf(createPostgresStore('postgres://localhost/app')).is<SessionStore>()
  typeOf(migratePostgres(pool, { prefix: 'app_' })).is<Promise<MigrationResult>>()
  typeOf(printPostgresMigrations()).is<string>()
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
}>>
export type PostgresNames = Expect<Equal<PostgresNameOptions, { readonly schema?: string; readonly prefix?: string }>>
export type Migrated = [
  Expect<Equal<MigrationResult, { readonly from: number; readonly to: number }>>,
  Expect<Equal<mysqlEntry.MigrationResult, MigrationResult>>,
]
export type Row = Expect<Equal<PostgresResult['rows'], unknown[]>>

export function mysql(pool: MysqlPool, connection: MysqlConnection): void {
  typeOf(createMysqlStore(createPool('mysql://localhost/app'), { migrate: 'auto' })).is<SessionStore>()
  typeOf(createMysqlStore('mysql://localhost/app')).is<SessionStore>()
  typeOf(migrateMysql(pool)).is<Promise<mysqlEntry.MigrationResult>>()
  typeOf(printMysqlMigrations()).is<string>()
  typeOf(connection.execute('', [])).is<Promise<[unknown, unknown]>>()
  // @ts-expect-error: a store needs connections of its own
  createMysqlStore(connection)
}
export type OfMysql = Expect<Equal<MysqlStoreOptions, {
  readonly prefix?: string
  readonly migrate?: 'auto' | 'manual'
  readonly requestTimeout?: Duration
}>>
export type MysqlNames = Expect<Equal<MysqlNameOptions, { readonly prefix?: string }>>

export function redis(cluster: Cluster): void {
  typeOf(createRedisStore('redis://localhost', { [allowEviction]: true })).is<SessionStore>()
  typeOf(createRedisStore(new Redis())).is<SessionStore>()
  typeOf(createRedisStore(cluster)).is<SessionStore>()
  typeOf(createRedisStore(createClient())).is<SessionStore>()
  typeOf(createRedisStore(createCluster({ rootNodes: [] }))).is<SessionStore>()
  // @ts-expect-error: not a client
  createRedisStore({ get: () => null })
  // @ts-expect-error: a number of replicas
  createRedisStore('redis://localhost', { replicas: true })
}
export type Clients = Expect<Equal<
  RedisClient, IoredisClient | IoredisCluster | NodeRedisClient | NodeRedisCluster
>>
export type OfRedis = Expect<Equal<RedisStoreOptions, {
  readonly prefix?: string
  readonly replicas?: number
  readonly requestTimeout?: Duration
  readonly [allowEviction]?: boolean
}>>
