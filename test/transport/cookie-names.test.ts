import { afterEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { CookieOptions } from '../../src/transport/cookie-config.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { AT, MAC, ORIGIN, REFRESH, RT, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let servers: SessionServer[] = []

afterEach(async () => {
  for (const server of servers) await server.close()
  servers = []
})

async function start(options: Parameters<typeof startSessionServer>[0]): Promise<SessionServer> {
  const server = await startSessionServer(options)
  servers.push(server)
  return server
}

test('L-14: two applications on localhost do not log each other out', async () => {
  const origins = ['http://localhost:3000', 'http://localhost:3001'] as const
  const shop = await start({ origin: origins[0] })
  const blog = await start({ origin: origins[1] })
  const clients = [shop.client(), blog.client()] as const
  // One browser: it sends the cookies of a host to every port of it.
  const send = async (which: 0 | 1, method: string, path: string, body?: unknown): Promise<Reply> => {
    const reply = await clients[which].send(method, path, { headers: { origin: origins[which] }, body })
    clients[1 - which as 0 | 1].jar = clients[which].jar
    return reply
  }
  await send(0, 'POST', '/login', {})
  await send(1, 'POST', '/login', {})
  expect(clients[0].jar.map(({ name }) => name)).toEqual([
    'sAccessToken-3000', 'sAccessToken-3000Mac', 'sRefreshToken-3000',
    'sAccessToken-3001', 'sAccessToken-3001Mac', 'sRefreshToken-3001',
  ])
  expect((await send(0, 'GET', '/me')).status).toBe(200)
  expect((await send(1, 'GET', '/me')).status).toBe(200)
  expect((await send(0, 'POST', REFRESH)).status).toBe(200)
  expect((await send(0, 'POST', SIGNOUT)).status).toBe(200)
  expect((await send(0, 'GET', '/me')).status).toBe(401)
  expect((await send(1, 'GET', '/me')).status).toBe(200)
  expect((await send(1, 'POST', REFRESH)).status).toBe(200)
})

describe('L-14: the option cookie.partitioned', () => {
  const lasting = createMemoryStore

  /** One browser that talks to two releases of one application, which differ in the option. */
  async function releases(
    before: CookieOptions,
    after: CookieOptions,
  ): Promise<{ old: HttpClient; now: SessionServer }> {
    const store = lasting()
    const shared = { store: { ...store, close: async () => undefined } }
    const old = await start({ ...shared, cookie: { sameSite: 'none', ...before } })
    const client = old.client()
    await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
    return { old: client, now: await start({ ...shared, cookie: { sameSite: 'none', ...after } }) }
  }

  test('all cookies are partitioned, and the sign-out clears them', async () => {
    const server = await start({ cookie: { sameSite: 'none', partitioned: true } })
    const client = server.client()
    const login = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
    expect(login.setCookies.map(line => line.endsWith('Secure; SameSite=None; Partitioned')))
      .toEqual([true, true, true])
    const refreshed = await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
    expect([refreshed.status, client.jar.length]).toEqual([200, 3])
    const signout = await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })
    expect(signout.setCookies.every(line => line.endsWith('; Partitioned'))).toBe(true)
    expect(client.jar).toEqual([])
  })

  test.each([
    ['switched on', { partitioned: false }, { partitioned: true }],
    ['switched off', { partitioned: true }, { partitioned: false }],
  ])('%s: the session goes on, and no cookie of before is left after the refresh and a request',
    async (_, before, after) => {
      const { old, now } = await releases(before, after)
      const client = now.client()
      client.jar = old.jar
      expect((await client.send('GET', '/me')).status).toBe(200)
      expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
      expect(client.jar.length, 'browsers keep both').toBe(6)
      now.clock.advance(90_000)
      expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
      expect(client.jar.map(({ name, partitioned }) => [name, partitioned]).toSorted()).toEqual(
        [AT, MAC, RT].map(name => [name, after.partitioned]).toSorted(),
      )
      expect((await client.send('GET', '/me')).status).toBe(200)
      expect((await client.send('POST', SIGNOUT, { headers: { ...SAME_ORIGIN, origin: ORIGIN } })).status).toBe(200)
      expect(client.jar).toEqual([])
    })
})
