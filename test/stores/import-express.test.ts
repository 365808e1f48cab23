// Sessions that express-session itself has made, in each of its stores, are taken over.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { createClient } from 'redis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import {
  betterSqlite3Sessions, checkImport, connectPgSimpleSessions, connectRedisSessions, expressMysqlSessions,
  fromExpressSession,
  importSessions,
} from '../../src/import/index.ts'
import type { ExpressRecords, ExpressSessionsOptions, ImportOptions } from '../../src/import/index.ts'
import { hasDrivers, openBetterSqlite3 } from '../support/drivers.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { openPool as openMysqlPool } from '../support/mysql-pools.ts'
import { expressSession, OLD_SECRET, startOldExpress } from '../support/old-express.ts'
import type { ExpressStore, OldData, OldExpressOptions } from '../support/old-express.ts'
import { hasOldSystems, importOld, oldFile, requireOld } from '../support/old-systems.ts'
import { openPool as openPostgresPool } from '../support/postgres-pools.ts'
import { connectIoredis } from '../support/redis-store.ts'
import { SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

/** A store of express-session, and how an importer reads it. */
interface Kind {
  readonly name: string
  readonly available: boolean
  open(): Promise<{ readonly store: ExpressStore; readonly sessions: ExpressRecords; readonly count: number | null }>
}

const agent = new Agent()
const [postgresUrl, mysqlUrl, mariadbUrl, redisUrl] = [
  inject('postgresUrl'), inject('mysqlUrl'), inject('mariadbUrl'), inject('redisUrl'),
]

async function openRedisStore(prefix: string): Promise<ExpressStore> {
  const client = createClient({ url: redisUrl ?? '' })
  client.on('error', () => undefined)
  onTestFinished(() => client.destroy())
  await client.connect()
  const { RedisStore } = await importOld<{ RedisStore: new (options: object) => ExpressStore }>('connect-redis')
  return new RedisStore({ client, prefix })
}

function mysqlKind(name: string, url: string | null): Kind {
  return {
    name,
    available: url !== null,
    async open() {
      const pool = openMysqlPool(url ?? '')
      await pool.query('DROP TABLE IF EXISTS sessions')
      const create: (
        module: unknown,
      ) => new(options: object, pool: unknown) => ExpressStore & { onReady(): Promise<void> } = requireOld(
        'express-mysql-session',
      )
      const store = new (create(expressSession()))({ createDatabaseTable: true, clearExpired: false }, pool)
      await store.onReady()
      return { store, sessions: expressMysqlSessions(pool), count: 1 }
    },
  }
}

const kinds: readonly Kind[] = [
  {
    name: 'connect-redis (read with ioredis)',
    available: redisUrl !== null,
    open: async () => ({
      store: await openRedisStore('sess:'), sessions: connectRedisSessions(connectIoredis(redisUrl ?? '')), count: null,
    }),
  },
  {
    name: 'connect-redis (read with node-redis)',
    available: redisUrl !== null,
    async open() {
      const client = createClient({ url: redisUrl ?? '' })
      onTestFinished(() => client.destroy())
      await client.connect()
      return {
        store: await openRedisStore('other:'),
        sessions: connectRedisSessions(client, { prefix: 'other:' }),
        count: null,
      }
    },
  },
  {
    name: 'connect-pg-simple',
    available: postgresUrl !== null,
    async open() {
      const pool = openPostgresPool(postgresUrl ?? '')
      await pool.query('DROP TABLE IF EXISTS session')
      await pool.query(readFileSync(oldFile('connect-pg-simple/table.sql'), 'utf8'))
      const create: (module: unknown) => new(options: object) => ExpressStore & { close(): void } = requireOld(
        'connect-pg-simple',
      )
      const store = new (create(expressSession()))({ pool, pruneSessionInterval: false })
      onTestFinished(() => store.close())
      return { store, sessions: connectPgSimpleSessions(pool), count: 1 }
    },
  },
  mysqlKind('express-mysql-session on MySQL', mysqlUrl),
  mysqlKind('express-mysql-session on MariaDB', mariadbUrl),
  {
    name: 'better-sqlite3-session-store',
    available: hasDrivers(),
    async open() {
      const database = openBetterSqlite3(':memory:')
      const create: (module: unknown) => new(options: object) => ExpressStore = requireOld(
        'better-sqlite3-session-store',
      )
      const store = new (create(expressSession()))({ client: database, expired: { clear: false, intervalMs: 2 ** 30 } })
      return { store, sessions: betterSqlite3Sessions(database), count: 1 }
    },
  },
]

async function start(
  sessions: ExpressRecords,
  options: Partial<ExpressSessionsOptions> = {},
  plan: Partial<ImportOptions> = {},
): Promise<SessionServer> {
  const server = await startSessionServer({
    imports: importSessions({
      importers: [fromExpressSession({ secret: OLD_SECRET, sessions, ...options })], until: '2026-06-30',
      mode: 'retire', ...plan,
    }),
  })
  onTestFinished(() => server.close())
  return server
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const userOf = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).userId]

/** A client that the old application has logged in. */
async function loggedIn(
  server: SessionServer,
  options: OldExpressOptions,
  data: OldData = { userId: 'alice' },
): Promise<HttpClient> {
  const port = await startOldExpress(options)
  const client = server.client()
  const reply = await client.send('POST', '/old-login', { body: data, to: { port, agent } })
  expect(reply.status).toBe(200)
  return client
}

describe.runIf(hasOldSystems())('express-session', () => {
  for (const kind of kinds) {
    test.runIf(kind.available)(`in ${kind.name}: taken over once, and gone after the sign-out`, async () => {
      const { store, sessions, count } = await kind.open()
      const server = await start(sessions)
      const client = await loggedIn(server, { store }, { userId: 'alice', cart: [1] })
      const cookie = client.cookie('connect.sid') ?? ''
      const id = decodeURIComponent(cookie).slice(2).split('.')[0] ?? ''
      expect(await sessions.find(id)).toMatchObject({ data: { userId: 'alice' } })
      expect(await sessions.count()).toBe(count)
      const clients = Array.from({ length: 15 }, () => {
        const other = server.client()
        other.jar = client.jar
        return other
      })
      const replies = await Promise.all(clients.map(me))
      expect(replies.map(userOf)).toEqual(Array(15).fill([200, 'alice']))
      expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
      expect(await sessions.find(id)).toBeNull()
      const [first] = clients
      expect(first?.cookie('connect.sid')).toBeUndefined()
      expect((await first?.send('POST', SIGNOUT, { headers: SAME_ORIGIN }))?.status).toBe(200)
      expect((await me(client)).status).toBe(401)
    })

    test.runIf(kind.available)(
      `IMP-10: in ${kind.name}, an expired session is refused by the time that the store means`,
      async () => {
        const { store, sessions } = await kind.open()
        let now = Date.now()
        const server = await start(sessions, { clock: () => now })
        const client = await loggedIn(server, { store, maxAge: 7_200_000 })
        const id = decodeURIComponent(client.cookie('connect.sid') ?? '').slice(2).split('.')[0] ?? ''
        const expiresAt = (await sessions.find(id))?.expiresAt
        if (expiresAt === null) return
        expect(Math.abs((expiresAt ?? 0) - Date.now() - 7_200_000)).toBeLessThan(60_000)
        now = (expiresAt ?? 0) + 1
        expect((await me(client)).status).toBe(401)
      },
    )

    test.runIf(kind.available)(`in ${kind.name}: the check counts, with reasons and examples that are no secrets`,
      async () => {
        const { store, sessions } = await kind.open()
        const server = await start(sessions)
        const setup = importSessions({
          importers: [fromExpressSession({ secret: OLD_SECRET, sessions })],
          until: '2026-12-31',
        })
        const before = await checkImport(setup)
        const cookies: string[] = []
        for (const data of [{ userId: 'alice' }, { cart: [] }, { userId: 'x'.repeat(256) }]) {
          const client = await loggedIn(server, { store }, data)
          cookies.push(decodeURIComponent(client.cookie('connect.sid') ?? '').slice(2).split('.')[0] ?? '')
        }
        const result = await checkImport(setup, { batch: 2 })
        expect([result.read - before.read, result.alive - before.alive, result.done]).toEqual([3, 1, true])
        expect(result.reasons).toMatchObject({ anonymous: 1, unwritable: 1 })
        expect(result.examples.find(({ reason }) => reason === 'unwritable')?.detail).toMatch(/user id/)
        for (const id of cookies) expect(JSON.stringify(result)).not.toContain(id)
      })
  }

  test('IMP-09: the old middleware, which still runs and saves, revives nothing', async () => {
    const store = new (expressSession().MemoryStore)()
    const sessions = memorySessions(store)
    const server = await start(sessions)
    const client = await loggedIn(server, { store, resave: true })
    const copy = server.client()
    copy.jar = client.jar
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    const id = decodeURIComponent(copy.cookie('connect.sid') ?? '').slice(2).split('.')[0] ?? ''
    expect(await sessions.find(id)).toBeNull()
    // A request that the old application was still working on writes the whole session again.
    await new Promise(resolve => Reflect.apply(Reflect.get(store, 'set'), store, [id, {
      cookie: { originalMaxAge: 1000, expires: new Date(Date.now() + 60_000) }, userId: 'alice',
    }, resolve]))
    expect(await sessions.find(id)).not.toBeNull()
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect((await me(copy)).status).toBe(401)
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test('IMP-11: a session id with dots, a cookie beside one of another path, and a value that is not ours', async () => {
    const store = new (expressSession().MemoryStore)()
    const server = await start(memorySessions(store))
    const client = await loggedIn(server, { store })
    const value = client.cookie('connect.sid') ?? ''
    const cookie = (...values: string[]): string => values.map(each => `connect.sid=${each}`).join('; ')
    const send = (text: string): Promise<Reply> => client.send('GET', '/me', { jar: false, headers: { cookie: text } })
    const tampered = value.replace(/.$/, last => last === 'A' ? 'B' : 'A')
    expect((await send(cookie(tampered))).status).toBe(401)
    expect((await send(cookie(value.slice(4)))).status).toBe(401)
    const dotted = 'a.b.c'
    const signature = createHmac('sha256', OLD_SECRET).update(dotted).digest('base64').replace(/=+$/, '')
    await new Promise(resolve => Reflect.apply(Reflect.get(store, 'set'), store, [
      dotted, { cookie: { originalMaxAge: null, expires: null }, passport: { user: { id: 7 } } }, resolve,
    ]))
    expect(userOf(await send(cookie(encodeURIComponent(`s:${dotted}.${signature}`))))).toEqual([200, '7'])
    expect(userOf(await send(cookie('s%3Aother.value', tampered, value)))).toEqual([200, 'alice'])
  })

  test('IMP-12: every secret that the old application accepts', async () => {
    const store = new (expressSession().MemoryStore)()
    const server = await start(memorySessions(store), { secret: ['new secret', OLD_SECRET] })
    expect(userOf(await me(await loggedIn(server, { store, secret: OLD_SECRET })))).toEqual([200, 'alice'])
    const newer = await loggedIn(server, { store, secret: ['new secret', OLD_SECRET] }, { userId: 'bob' })
    expect(userOf(await me(newer))).toEqual([200, 'bob'])
    const strange = await loggedIn(server, { store, secret: 'of another application' }, { userId: 'eve' })
    expect((await me(strange)).status).toBe(401)
  })

  test('mode keep: after going back, the old application still knows the browser', async () => {
    const store = new (expressSession().MemoryStore)()
    const server = await start(memorySessions(store), {}, { mode: 'keep' })
    const port = await startOldExpress({ store })
    const client = server.client()
    const to = { port, agent }
    await client.send('POST', '/old-login', { body: { userId: 'alice' }, to })
    expect(userOf(await me(client))).toEqual([200, 'alice'])
    expect(JSON.parse((await client.send('GET', '/old-me', { to })).body)).toMatchObject({ userId: 'alice' })
  })
})

/** The memory store of express-session as an importer reads it, in the same process. */
function memorySessions(store: ExpressStore): ExpressRecords {
  const call = (name: string, ...args: unknown[]): Promise<unknown> => new Promise((resolve, reject) => {
    Reflect.apply(Reflect.get(store, name), store, [...args, (error: unknown, value: unknown) =>
      error ? reject(error) : resolve(value)])
  })
  return {
    async find(id) {
      const data = await call('get', id)
      return data ? { data: JSON.parse(JSON.stringify(data)), expiresAt: null } : null
    },
    remove: async id => void await call('destroy', id),
    page: async () => ({ records: [], next: null }),
    count: async () => null,
  }
}
