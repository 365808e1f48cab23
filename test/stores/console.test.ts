// The console of an application on each kind of store: what it reads and changes goes through the port.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import type { WebSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions } from '../../src/index.ts'
import type { JsonObject } from '../../src/base/json.ts'
import type { ConsoleEvents, Keys, SessionDetail, SessionRows } from '../../src/console/api-types.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { ConsoleClient } from '../support/console-client.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const ORIGIN = 'https://app.example.com'
const postgresUrl = inject('postgresUrl')
const redisUrl = inject('redisUrl')

const stores: readonly (readonly [name: string, open: (() => Promise<SessionStore>) | null])[] = [
  ['memory', async () => createMemoryStore()],
  ['SQLite', async () => openSqliteStore(':memory:')],
  ['PostgreSQL', postgresUrl === null ? null : async () => (
    createPostgresStore(await createPostgresDatabase(postgresUrl, 'console'), { migrate: 'auto' })
  )],
  ['Redis', redisUrl === null ? null : async () => createRedisStore(redisUrl, { prefix: 'console:' })],
]

describe.each(stores)('CON-22: the console on %s', (_, open) => {
  let sessions: Sessions<JsonObject, JsonObject> & WebSessions<JsonObject, JsonObject>
  let client: ConsoleClient

  beforeAll(async () => {
    if (open === null) return
    sessions = webSessions(createSessions({ origin: ORIGIN, store: await open(), reuseInterval: 0 }), {
      clientIp: request => request.headers.get('x-ip'),
    })
    sessions.sessionRoutes()
    await sessions.ready()
    const handle = sessions.console({ authorize: () => ({ name: 'ada', role: 'manage' }) })
    client = new ConsoleClient(`${ORIGIN}/console`,
      async (url, init) => await handle(new Request(url, init)) ?? Response.error())
    await client.readToken()
  })
  afterAll(() => sessions?.close())

  async function logIn(
    userId: string,
    ip: string,
    userAgent: string,
  ): Promise<{ readonly handle: string; readonly cookies: string }> {
    const headers = new Headers()
    const request = new Request(`${ORIGIN}/login`, {
      method: 'POST', headers: { origin: ORIGIN, 'x-ip': ip, 'user-agent': userAgent },
    })
    const session = await sessions.createNewSession(request, headers, userId, { role: 'a' }, { n: 0 })
    return { handle: session.getHandle(), cookies: headers.getSetCookie().map(line => line.split(';')[0]).join('; ') }
  }

  async function read<Body>(path: string): Promise<Body> {
    const { status, text } = await client.get(path)
    expect([path, status]).toEqual([path, 200])
    return JSON.parse(text)
  }

  test.skipIf(open === null)('finds, shows, changes and revokes sessions', async () => {
    const made = [await logIn('alice', '192.0.2.1', 'curl/8'), await logIn('bob', '192.0.2.2', 'Firefox')]
    const handles = async (path: string): Promise<readonly string[]> => (
      (await read<SessionRows>(path)).sessions.map(({ handle }) => handle)
    )
    expect((await handles('/sessions')).toSorted()).toEqual(made.map(({ handle }) => handle).toSorted())
    expect(await handles('/sessions?device=CURL')).toEqual([made[0]?.handle])
    expect(await handles('/sessions?ip=192.0.2.2')).toEqual([made[1]?.handle])
    expect(await handles('/sessions?userId=alice&device=fire')).toEqual([])
    const detail = await read<SessionDetail>(`/sessions/${made[0]?.handle}`)
    expect(detail)
      .toMatchObject({ userId: 'alice', jwtPayload: { value: { role: 'a' } }, sessionInfo: { value: { n: 0 } } })
    for (const [path, { version }] of [['payload', detail.jwtPayload], ['info', detail.sessionInfo]] as const) {
      const put = (value: JsonObject): Promise<number> => (
        client.call('PUT', `/api/sessions/${made[0]?.handle}/${path}`, { body: { value, version } }).then((
          { status },
        ) => status)
      )
      expect((await Promise.all([put({ by: 1 }), put({ by: 2 })])).toSorted()).toEqual([204, 409])
      expect(await put({ by: 3 })).toBe(409)
    }
    expect((await client.call('DELETE', `/api/sessions/${made[0]?.handle}`)).status).toBe(204)
    expect((await client.call('POST', '/api/revocations', { body: { userId: 'bob' } })).json).toEqual({ revoked: 1 })
    expect(await handles('/sessions')).toEqual([])
    expect((await read<Keys>('/keys')).keys.length).toBeGreaterThan(1)
  })

  test.skipIf(open === null)('logs thefts and what operators do, and exports both', async () => {
    const { handle, cookies } = await logIn('victim', '192.0.2.1', 'Firefox')
    const refresh = async (cookie: string): Promise<string> => {
      const headers = new Headers()
      const request = new Request(`${ORIGIN}/auth/session/refresh`, {
        method: 'POST',
        headers: { origin: ORIGIN, cookie },
      })
      await sessions.refreshSession(request, headers)
      return headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
    }
    await refresh(await refresh(cookies))
    await expect(refresh(cookies)).rejects.toMatchObject({ code: 'TOKEN_THEFT_DETECTED' })
    await expect.poll(async () => (await read<ConsoleEvents>(`/events?kind=theft&handle=${handle}`)).events.length).toBe(1)
    expect((await read<ConsoleEvents>('/events?kind=theft&userId=victim')).events[0]).toMatchObject({ isRevoked: true, presented: { generation: 0 } })
    // Intent and result of both. The result of an action may have a later time than the intent of the next.
    const { events } = await read<ConsoleEvents>('/events?kind=audit&limit=6')
    const countOf = (action: string): number => (
      events.filter(event => event.kind === 'audit' && event.action === action).length
    )
    expect([countOf('revoke-session'), countOf('revoke-user')]).toEqual([2, 2])
    const { text } = await client.get('/events/export?kind=theft&format=csv')
    expect(text.trimEnd().split('\r\n')).toHaveLength(2)
  })
})
