// Sessions that Auth.js and NextAuth themselves have made in the databases of their adapters are taken over.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { checkImport, fromAuthJsDatabase, importSessions } from '../../src/import/index.ts'
import type { AuthJsSessionsOptions, ForeignDatabase, ImportMode } from '../../src/import/index.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { openPool as openMysqlPool } from '../support/mysql-pools.ts'
import { openAuthJs5, openNextAuth4 } from '../support/old-auth-js.ts'
import type { AuthJsAdapter, OldAuthJs } from '../support/old-auth-js.ts'
import { createDrizzleTables, pgAdapterTables } from '../support/old-auth-js-tables.ts'
import { hasOldSystems, importOld, importOldFile, requireOld } from '../support/old-systems.ts'
import { openPool as openPostgresPool } from '../support/postgres-pools.ts'
import { SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const postgresUrl = inject('postgresUrl')
const mysqlUrl = inject('mysqlUrl') ?? inject('mariadbUrl')
const DAY = 86_400_000

/** An adapter with its database, and how an importer reads it. */
interface Kind {
  readonly name: string
  readonly available: boolean
  readonly version: (adapter: AuthJsAdapter) => Promise<OldAuthJs>
  open(): Promise<{
    readonly adapter: AuthJsAdapter
    readonly options: Pick<AuthJsSessionsOptions, 'database' | 'tables'>
    /** The number of rows in the table of the sessions. */
    count(): Promise<number>
  }>
}

const drizzleNames = { sessions: 'session', users: 'user' } as const

/** A pool in whose sessions the time zone is neither UTC nor that of this process. */
async function openZonedPostgres(schema: string): Promise<ReturnType<typeof openPostgresPool>> {
  const options = encodeURIComponent(`-c search_path=${schema} -c timezone=Asia/Kathmandu`)
  const pool = openPostgresPool(`${postgresUrl}?options=${options}`)
  await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`)
  return pool
}

async function openPgAdapter(schema: string): ReturnType<Kind['open']> {
  const pool = await openZonedPostgres(schema)
  await pool.query(pgAdapterTables)
  const { default: createAdapter } = await importOldFile<{ default(pool: unknown): AuthJsAdapter }>(
    '@auth/pg-adapter/index.js')
  return {
    adapter: createAdapter(pool),
    options: { database: pool },
    count: async () => Number((await pool.query('SELECT count(*) FROM sessions')).rows[0].count),
  }
}

const drizzleAdapter = async (): Promise<(database: unknown) => AuthJsAdapter> => (
  (await importOld<{ DrizzleAdapter(database: unknown): AuthJsAdapter }>('@auth/drizzle-adapter')).DrizzleAdapter
)

const kinds: readonly Kind[] = [
  {
    name: 'Auth.js 5 with @auth/pg-adapter', available: postgresUrl !== null, version: openAuthJs5,
    open: () => openPgAdapter('auth_js_5'),
  },
  {
    name: 'NextAuth 4 with @auth/pg-adapter', available: postgresUrl !== null, version: openNextAuth4,
    open: () => openPgAdapter('auth_js_4'),
  },
  {
    name: 'Auth.js 5 with @auth/drizzle-adapter on PostgreSQL', available: postgresUrl !== null, version: openAuthJs5,
    async open() {
      const pool = await openZonedPostgres('auth_js_drizzle')
      await createDrizzleTables('pg', statement => pool.query(statement))
      const { drizzle } = await importOld<{ drizzle(pool: unknown): unknown }>('drizzle-orm/node-postgres')
      return {
        adapter: (await drizzleAdapter())(drizzle(pool)),
        options: { database: pool, tables: drizzleNames },
        count: async () => Number((await pool.query('SELECT count(*) FROM session')).rows[0].count),
      }
    },
  },
  {
    name: 'Auth.js 5 with @auth/drizzle-adapter on MySQL', available: mysqlUrl !== null, version: openAuthJs5,
    async open() {
      const pool = openMysqlPool(mysqlUrl ?? '')
      pool.pool.on('connection', connection => {
        connection.query('SET SESSION time_zone = \'+05:45\'', () => undefined)
      })
      await pool.query('SET FOREIGN_KEY_CHECKS = 0')
      await createDrizzleTables('mysql', statement => pool.query(statement))
      const { drizzle } = requireOld<{ drizzle(pool: unknown): unknown }>('drizzle-orm/mysql2')
      return {
        adapter: (await drizzleAdapter())(drizzle(pool)),
        options: { database: pool, tables: drizzleNames },
        async count() {
          const [rows] = await pool.query('SELECT count(*) AS count FROM session')
          return Array.isArray(rows) ? Number(Reflect.get(rows[0] ?? {}, 'count')) : -1
        },
      }
    },
  },
  {
    name: 'Auth.js 5 with @auth/drizzle-adapter on SQLite', available: true, version: openAuthJs5,
    async open() {
      const database = new DatabaseSync(':memory:')
      await createDrizzleTables('sqlite', async statement => database.exec(statement))
      const { drizzle } = await importOld<{
        drizzle(run: (sql: string, values: (string | number | null)[], method: string) => Promise<{ rows: unknown }>): unknown
      }>('drizzle-orm/sqlite-proxy')
      const proxy = drizzle(async (sql, values, method) => {
        const statement = database.prepare(sql)
        statement.setReturnArrays(true)
        const rows = statement.all(...values)
        return { rows: method === 'get' ? rows[0] : rows }
      })
      return {
        adapter: (await drizzleAdapter())(proxy),
        options: { database, tables: drizzleNames },
        count: async () => Number(database.prepare('SELECT count(*) AS count FROM session').get()?.['count']),
      }
    },
  },
]

async function start(
  options: { readonly database: ForeignDatabase } & Partial<AuthJsSessionsOptions>,
  mode: ImportMode = 'retire',
): Promise<SessionServer> {
  const server = await startSessionServer({
    imports: importSessions({ importers: [fromAuthJsDatabase(options)], until: '2026-06-30', mode }),
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer, cookies: readonly string[]): HttpClient {
  const client = server.client()
  for (const line of cookies) client.keep(line)
  return client
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')

describe.runIf(hasOldSystems()).each(kinds)('$name', ({ available, version, open }) => {
  test.runIf(available)('IMP-01, IMP-04: a session is taken over once, by parallel requests, and gone after the sign-out', async () => {
    const { adapter, options, count } = await open()
    const old = await version(adapter)
    const cookies = await old.logIn('alice@example.com')
    expect(await old.emailOf(cookies)).toBe('alice@example.com')
    const server = await start(options)
    const clients = Array.from({ length: 5 }, () => browser(server, cookies))
    const replies = await Promise.all(clients.map(me))
    expect(replies.map(({ status }) => status)).toEqual(Array(5).fill(200))
    const users = new Set(replies.map(({ body }) => JSON.parse(body).userId))
    expect(users.size).toBe(1)
    const [userId = ''] = users
    expect(await server.sessions.getAllSessionHandlesForUser(userId)).toHaveLength(1)
    expect([await count(), await old.emailOf(cookies)]).toEqual([0, null])
    const [client] = clients
    expect(client?.jar.filter(({ name }) => name.includes('session-token'))).toEqual([])
    expect((await client?.send('POST', SIGNOUT, { headers: SAME_ORIGIN }))?.status).toBe(200)
    expect((await me(browser(server, cookies))).status).toBe(401)
    expect(await server.sessions.getAllSessionHandlesForUser(userId)).toEqual([])
  })

  test.runIf(available)('in mode keep, Auth.js still knows the session, until the user signs out', async () => {
    const { adapter, options } = await open()
    const old = await version(adapter)
    const cookies = await old.logIn('alice@example.com')
    const server = await start(options, 'keep')
    const client = browser(server, cookies)
    expect((await me(client)).status).toBe(200)
    expect(await old.emailOf(cookies)).toBe('alice@example.com')
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(await old.emailOf(cookies)).toBeNull()
  })

  test.runIf(available)('IMP-10: a session ends when the adapter means, whatever the zone of the database', async () => {
    const { adapter, options } = await open()
    const old = await version(adapter)
    const [first, second] = [await old.logIn('alice@example.com'), await old.logIn('bob@example.com')]
    const loggedInAt = Date.now()
    let now = loggedInAt + 30 * DAY - 60_000
    const server = await start({ ...options, clock: () => now })
    expect((await me(browser(server, first))).status).toBe(200)
    now = loggedInAt + 30 * DAY + 1000
    expect((await me(browser(server, second))).status).toBe(401)
  })

  test.runIf(available)('IMP-06: a revocation deletes what a user has there; the check counts the others', async () => {
    const { adapter, options, count } = await open()
    const old = await version(adapter)
    const cookies = [await old.logIn('alice@example.com'), await old.logIn('alice@example.com'), await old.logIn('bob@example.com')]
    const server = await start(options)
    const { body } = await me(browser(server, cookies[0] ?? []))
    await server.sessions.revokeAllSessionsForUser(JSON.parse(body).userId)
    expect(await count()).toBe(1)
    expect((await me(browser(server, cookies[1] ?? []))).status).toBe(401)
    const check = await checkImport(importSessions({ importers: [fromAuthJsDatabase(options)], until: '2026-12-31' }))
    expect([check.read, check.alive]).toEqual([1, 1])
  })
})
