import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpClient, Reply } from '../support/http-client.ts'
import {
  AT, CROSS_SITE, MAC, ORIGIN, REFRESH, RT, SAME_ORIGIN, send, startSessionServer,
} from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

const MINUTE = 60_000
const R = 30_000
const IN_HEADERS = { ...SAME_ORIGIN, 'st-auth-mode': 'header' } as const

/** What a route has seen of a session after it was re-authenticated. */
interface Seen {
  readonly code?: string
  readonly userId?: string
  readonly created?: number
}

const routes = (sessions: AppSessions) => ({
  'GET /recent': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response, { maxAuthenticationAge: '5m' })
    send(response, { created: session.getTimeCreated() })
  },
  'POST /again': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    await session.reauthenticate(request, response)
    send(response, { userId: session.getUserId(), created: session.getTimeCreated() })
  },
  'GET /again': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    await session.reauthenticate(request, response)
    send(response, {})
  },
  'POST /twice': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    await session.reauthenticate(request, response)
    await session.reauthenticate(request, response)
    await session.updateJwtPayload({ role: 'second factor' })
    send(response, { created: session.getTimeCreated() })
  },
  'POST /refresh-after': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    await session.reauthenticate(request, response)
    const refreshed = await sessions.refreshSession(request, response)
    send(response, { created: refreshed.getTimeCreated() })
  },
  'POST /revoked': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    await sessions.revokeSession(session.getHandle())
    await session.reauthenticate(request, response)
  },
  'POST /late': async (request: IncomingMessage, response: ServerResponse) => {
    const session = await sessions.getSession(request, response)
    send(response, {})
    late = session.reauthenticate(request, response).then(() => 'done', (error: { code?: string }) => error.code)
  },
})

let late: Promise<string | undefined> = Promise.resolve(undefined)
let server: SessionServer
afterEach(() => server.close())

async function start(options: Parameters<typeof startSessionServer>[0] = {}): Promise<HttpClient> {
  server = await startSessionServer({ routes, ...options })
  const client = server.client()
  expect((await client.send('POST', '/login', { headers: SAME_ORIGIN })).status).toBe(200)
  return client
}

const seenIn = (reply: Reply): Seen => JSON.parse(reply.body)
const claimsIn = (reply: Reply): Record<string, unknown> => (
  JSON.parse(Buffer.from(reply.headers['front-token'] ?? '', 'base64').toString()).up
)

describe('L-17: session.reauthenticate in cookie mode', () => {
  test('makes a login recent again, with new cookies; the call sees its own result', async () => {
    const client = await start()
    const before = [AT, MAC, RT].map(name => client.cookie(name))
    server.clock.advance(6 * MINUTE)
    expect(await client.send('GET', '/recent')).toMatchObject({
      status: 403, body: expect.stringContaining('"id":"auth_time","reason":{"message":"expired"'),
    })
    server.cut.calls.length = 0
    const reply = await client.send('POST', '/again', { headers: SAME_ORIGIN })
    // The feed is not followed here, so that verification reads the session as well.
    expect(server.cut.calls.slice(-2)).toEqual(['find', 'reauthenticate'])
    expect([reply.status, seenIn(reply)]).toEqual([200, { userId: 'alice', created: server.clock() }])
    expect(claimsIn(reply)).toMatchObject({ auth_time: server.clock() / 1000 })
    expect(reply.headers['cache-control']).toBe('private, no-store')
    for (const [index, name] of [AT, MAC, RT].entries()) {
      expect(client.cookie(name)).toMatch(/./)
      expect(client.cookie(name)).not.toBe(before[index])
    }
    expect((await client.send('GET', '/recent')).status).toBe(200)
    server.clock.advance(2 * R + 1)
    expect(claimsIn(await client.send('POST', REFRESH, { headers: SAME_ORIGIN }))['auth_time'])
      .toBe(claimsIn(reply)['auth_time'])
  })

  test('ends the older tokens: busy within the reuse interval, then refused without a theft', async () => {
    const thefts: unknown[] = []
    const client = await start({ events: { onTokenTheft: event => thefts.push(event) } })
    const { jar: old } = client
    server.clock.advance(6 * MINUTE)
    await client.send('POST', '/again', { headers: SAME_ORIGIN })
    const { jar: current } = client
    const withOld = async (method: string, path: string): Promise<Reply> => {
      client.jar = old
      const reply = await client.send(method, path, { headers: SAME_ORIGIN })
      expect(client.jar, 'nothing is cleared').toEqual(old)
      client.jar = current
      return reply
    }
    expect(await withOld('POST', REFRESH)).toMatchObject({ status: 503, headers: { 'retry-after': '31' } })
    expect(await withOld('POST', '/again')).toMatchObject({ status: 503, headers: { 'retry-after': '31' } })
    expect((await withOld('GET', '/recent')).status, 'the older access token keeps its auth_time').toBe(403)
    server.clock.advance(R + 1)
    expect((await withOld('POST', REFRESH)).status).toBe(401)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(thefts).toEqual([])
    client.jar = old
    expect((await client.send('POST', '/again', { headers: SAME_ORIGIN })).status).toBe(200)
  })

  test('can be followed by other calls of the same session', async () => {
    const client = await start()
    const reply = await client.send('POST', '/twice', { headers: SAME_ORIGIN })
    expect(reply.status).toBe(200)
    expect(claimsIn(reply)).toMatchObject({ role: 'second factor', auth_time: server.clock() / 1000 + 2 })
    expect((await client.send('GET', '/me')).body).toContain('second factor')
  })

  test('leaves nothing to refresh in its own request: the client does not have the new refresh token yet', async () => {
    const client = await start()
    server.clock.advance(6 * MINUTE)
    server.cut.calls.length = 0
    const reply = await client.send('POST', '/refresh-after', {
      headers: SAME_ORIGIN, extraCookies: [`${RT}=${client.cookie(RT)}`],
    })
    expect([reply.status, seenIn(reply).created]).toEqual([200, server.clock()])
    expect(server.cut.calls).not.toContain('rotate')
    server.clock.advance(2 * R + 1)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  })

  test.each([
    ['GET', '/again', CROSS_SITE],
    ['POST', '/again', CROSS_SITE],
    ['GET', '/again', { origin: 'null' }],
  ] as const)('needs the origin proof of a login: %s %s with %o is refused, and nothing is written',
    async (method, path, headers) => {
    const client = await start()
    const before = client.jar
    server.cut.calls.length = 0
    expect((await client.send(method, path, { headers })).status).toBe(403)
    expect(server.cut.calls).not.toContain('reauthenticate')
    expect(client.jar).toEqual(before)
  })

  test('may be the callback of an identity provider: a navigation of the tab from another site', async () => {
    const client = await start()
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    expect((await client.send('GET', '/again', { headers })).status).toBe(200)
    expect((await client.send('GET', '/recent')).status).toBe(200)
  })

  test('brings a new anti-CSRF token with `antiCsrf: token`, and needs one', async () => {
    server = await startSessionServer({ routes, antiCsrf: 'token' })
    const client = server.client()
    const login = await client.send('POST', '/login', { headers: SAME_ORIGIN })
    const proof = login.headers['anti-csrf'] ?? ''
    expect((await client.send('POST', '/again', { headers: SAME_ORIGIN })).status).toBe(401)
    const reply = await client.send('POST', '/again', { headers: { ...SAME_ORIGIN, 'anti-csrf': proof } })
    const renewed = reply.headers['anti-csrf'] ?? ''
    expect(reply.status).toBe(200)
    for (const token of [proof, renewed]) {
      expect((await client.send('POST', '/act', { headers: { ...SAME_ORIGIN, 'anti-csrf': token } })).status).toBe(200)
    }
    expect(renewed).not.toBe(proof)
  })

  test('of a session that is gone is 401, and clears the cookies', async () => {
    const client = await start()
    const reply = await client.send('POST', '/revoked', { headers: SAME_ORIGIN })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([401, { message: 'unauthorised' }])
    expect(client.jar).toEqual([])
    expect(reply.headers['front-token']).toBe('remove')
  })

  test('after the response was sent rejects, and writes nothing', async () => {
    const client = await start()
    server.cut.calls.length = 0
    expect((await client.send('POST', '/late', { headers: SAME_ORIGIN })).status).toBe(200)
    expect(await late).toBe('MISUSE')
    expect(server.cut.calls).not.toContain('reauthenticate')
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  })
})

test('L-17: session.reauthenticate in header mode sends the new pair in headers, to clients without an origin too', async () => {
  await start()
  const client = server.client()
  const login = await client.send('POST', '/login', { headers: IN_HEADERS })
  server.clock.advance(6 * MINUTE)
  const authorization = `Bearer ${login.headers['st-access-token']}`
  expect((await client.send('GET', '/recent', { headers: { authorization } })).status).toBe(403)
  const reply = await client.send('POST', '/again', { headers: { authorization } })
  expect([reply.status, reply.setCookies]).toEqual([200, []])
  const { 'st-access-token': accessToken, 'st-refresh-token': refreshToken } = reply.headers
  expect(refreshToken).not.toBe(login.headers['st-refresh-token'])
  expect((await client.send('GET', '/recent', { headers: { authorization: `Bearer ${accessToken}` } })).status)
    .toBe(200)
  server.clock.advance(2 * R + 1)
  const refresh = (token: string | undefined): Promise<Reply> => (
    client.send('POST', REFRESH, { headers: { authorization: `Bearer ${token}`, origin: ORIGIN } })
  )
  expect((await refresh(login.headers['st-refresh-token'])).status).toBe(401)
  expect((await refresh(refreshToken)).status).toBe(200)
})
