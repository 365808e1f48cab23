// The stores on SQLite databases that answer later, and what they are given.
import type { CreateSessionsOptions, Duration, KeepAlive, SessionStore } from 'keyturn'
import { createSessions } from 'keyturn'
import { createD1Store, migrateD1, printD1Migrations } from 'keyturn/stores/d1'
import type {
  AsyncSqliteNaming, AsyncSqliteOptions, D1Database, D1Result, D1Statement, MigrationResult,
} from 'keyturn/stores/d1'
import { createDurableObjectStore, SessionObject } from 'keyturn/stores/durable-object'
import type {
  DurableObjectId, DurableObjectNamespace, DurableObjectState, DurableObjectStoreOptions, DurableObjectStub,
} from 'keyturn/stores/durable-object'
import { createLibsqlStore, migrateLibsql } from 'keyturn/stores/libsql'
import type { LibsqlClient, LibsqlResult, LibsqlStatement } from 'keyturn/stores/libsql'
import type * as forLibsql from 'keyturn/stores/libsql'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export function d1(database: D1Database, statement: D1Statement): void {
  typeOf(createD1Store).is<(database: D1Database, options?: AsyncSqliteOptions) => SessionStore>()
  typeOf(migrateD1).is<(database: D1Database, options?: AsyncSqliteNaming) => Promise<MigrationResult>>()
  typeOf(printD1Migrations).is<(options?: AsyncSqliteNaming) => string>()
  typeOf(database.prepare('')).is<D1Statement>()
  typeOf(database.batch([statement])).is<Promise<D1Result[]>>()
  typeOf(statement.bind(1, 'a', null).all()).is<Promise<D1Result>>()
  // @ts-expect-error: no such option
  createD1Store(database, { file: 'keyturn.db' })
}

export function libsql(client: LibsqlClient, statement: LibsqlStatement): void {
  typeOf(createLibsqlStore).is<(client: LibsqlClient, options?: forLibsql.AsyncSqliteOptions) => SessionStore>()
  typeOf(migrateLibsql)
    .is<(client: LibsqlClient, options?: forLibsql.AsyncSqliteNaming) => Promise<forLibsql.MigrationResult>>()
  typeOf(client.execute(statement)).is<Promise<LibsqlResult>>()
  typeOf(client.batch([statement], 'write')).is<Promise<LibsqlResult[]>>()
  // @ts-expect-error: a client, not its URL
  createLibsqlStore('libsql://db.example.com')
}

export function durableObject(namespace: DurableObjectNamespace, state: DurableObjectState): void {
  typeOf(createDurableObjectStore)
    .is<(namespace: DurableObjectNamespace, options?: DurableObjectStoreOptions) => SessionStore>()
  typeOf(namespace.idFromName('keyturn')).is<DurableObjectId>()
  typeOf(namespace.get(namespace.idFromName('keyturn'))).is<DurableObjectStub>()
  const object = new SessionObject(state)
  typeOf(object.fetch(new Request('https://keyturn/'))).is<Promise<Response>>()
  typeOf(object.alarm()).is<Promise<void>>()
}

export type Options = [
  Expect<Equal<AsyncSqliteNaming, { readonly prefix?: string }>>,
  Expect<Equal<KeepAlive, (work: Promise<unknown>) => void>>,
  Expect<Equal<CreateSessionsOptions<object, object>['keepAlive'], KeepAlive | undefined>>,
  Expect<Equal<Pick<AsyncSqliteOptions, keyof AsyncSqliteOptions>, {
    readonly prefix?: string
    readonly migrate?: 'auto' | 'manual'
    readonly requestTimeout?: Duration
  }>>,
  Expect<Equal<DurableObjectStoreOptions, { readonly name?: string; readonly requestTimeout?: Duration }>>,
]

export function hosts(waitUntil: (work: Promise<unknown>) => void): void {
  createSessions({ origin: 'https://app.example.com', keepAlive: waitUntil })
  // @ts-expect-error: a function
  createSessions({ origin: 'https://app.example.com', keepAlive: true })
}
