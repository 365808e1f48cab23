import { afterEach, expect, test } from 'vitest'
import { AT, CROSS_SITE, RT, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

test('L-02: a new token for the browser’s own session does not lift the check of the origin', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'POST /twice': async (request, response) => {
        const session = await sessions.getSession(request, response, { csrf: false })
        await session.updateJwtPayload({ role: 'admin' })
        send(response, { userId: (await sessions.getSession(request, response)).getUserId() })
      },
    }),
  })
  const client = server.client()
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  expect((await client.send('POST', '/twice', { headers: CROSS_SITE })).status).toBe(403)
  expect((await client.send('POST', '/twice', { headers: SAME_ORIGIN })).status).toBe(200)
})

test('L-02: a new token for the browser’s own session needs the anti-CSRF token, a login’s does not', async () => {
  server = await startSessionServer({
    antiCsrf: 'token',
    routes: sessions => ({
      'POST /twice': async (request, response) => {
        const session = await sessions.getSession(request, response, { csrf: false })
        await session.updateJwtPayload({ role: 'admin' })
        send(response, { userId: (await sessions.getSession(request, response)).getUserId() })
      },
      'POST /relogin': async (request, response) => {
        await sessions.createNewSession(request, response, 'bob')
        send(response, { userId: (await sessions.getSession(request, response)).getUserId() })
      },
    }),
  })
  const client = server.client()
  const login = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  const antiCsrf = { 'anti-csrf': login.headers['anti-csrf'] ?? '' }
  expect((await client.send('POST', '/twice', { headers: SAME_ORIGIN })).status).toBe(401)
  expect((await client.send('POST', '/twice', { headers: { ...SAME_ORIGIN, ...antiCsrf } })).status).toBe(200)
  expect((await client.send('POST', '/relogin', { headers: SAME_ORIGIN })).status).toBe(200)
})

test('L-01, L-02: a login by a form of another site is the session of its request', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'POST /callback': async (request, response) => {
        await sessions.createNewSession(request, response, { userId: 'bob', allowCrossSitePost: true })
        send(response, { userId: (await sessions.getSession(request, response, true)).getUserId() })
      },
    }),
  })
  const client = server.client()
  const headers = { ...CROSS_SITE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const reply = await client.send('POST', '/callback', { headers, body: {} })
  expect([reply.status, reply.body]).toEqual([200, '{"userId":"bob"}'])
})

test('L-02: several instances share no session of a request', async () => {
  const other = await startSessionServer({ cookie: { accessTokenName: '__Host-other', refreshTokenName: 'other' } })
  server = await startSessionServer({
    routes: sessions => ({
      'POST /both': async (request, response) => {
        await sessions.createNewSession(request, response, 'bob')
        send(response, { kind: (await other.sessions.readSession(request)).kind })
      },
    }),
  })
  expect((await server.client().send('POST', '/both', { headers: SAME_ORIGIN })).body).toBe('{"kind":"none"}')
  await other.close()
})

test('L-04: the refresh token in its cookie suffices, whatever became of the access token', async () => {
  server = await startSessionServer({ cookie: { refreshTokenPath: '/' } })
  const client = server.client()
  await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
  const forge = (token = ''): string => token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4)
  const access = client.cookie(AT)
  const leave = (cookie: string): Promise<{ status: number }> => (
    client.send('POST', '/auth/signout', { headers: { ...SAME_ORIGIN, cookie }, jar: false })
  )
  server.clock.advance(3_600_000)
  expect((await leave(`${AT}=${forge(access)}; ${RT}=${forge(client.cookie(RT))}`)).status).toBe(401)
  expect((await leave(`${RT}=${client.cookie(RT)}`)).status, 'alone, another host may have set it').toBe(401)
  expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
  expect((await leave(`${AT}=${forge(access)}; ${RT}=${client.cookie(RT)}`)).status).toBe(200)
  expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
})
