import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpClient } from '../support/http-client.ts'
import {
  AT, CROSS_SITE, ORIGIN, REFRESH, SAME_ORIGIN, send, SIGNOUT, startSessionServer,
} from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

const FRONT_END = 'https://www.example.com'

async function loggedIn(userId = 'alice'): Promise<HttpClient> {
  const client = server.client()
  expect((await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId } })).status).toBe(200)
  return client
}

const refusals: [name: string, headers: Record<string, string>][] = [
  ['a page of another site', CROSS_SITE],
  ['a page of a sibling (CMP-05)', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }],
  ['another site, without Origin', { 'sec-fetch-site': 'cross-site' }],
  ['an unknown Sec-Fetch-Site', { 'sec-fetch-site': 'same-galaxy' }],
  ['an old browser on another site', { origin: 'https://evil.tld' }],
  ['Origin null (CSRF-02)', { origin: 'null' }],
  ['the http twin (CSRF-03)', { origin: 'http://app.example.com' }],
  ['another port (CSRF-03)', { origin: 'https://app.example.com:444' }],
  ['a longer host (CSRF-03)', { origin: 'https://app.example.com.evil.tld' }],
  ['a host that ends with the own host (CSRF-03)', { origin: 'https://evilapp.example.com' }],
  ['credentials in the origin (CSRF-03)', { origin: 'https://app.example.com@evil.tld' }],
  ['nothing at all', {}],
  ['an empty custom header (CMP-06)', { rid: '' }],
  ['a header of the other transfer mode (CSRF-16)', { 'st-auth-mode': 'header', authorization: 'Bearer junk' }],
  ['a sibling\'s page on its own host (S-18)', { 'sec-fetch-site': 'same-origin', origin: 'https://blog.example.com' }],
  ['an untrusted origin with Sec-Fetch-Site: none (S-18)', { 'sec-fetch-site': 'none', origin: 'https://evil.tld' }],
  ['the own origin with Sec-Fetch-Site: cross-site (S-18)', { 'sec-fetch-site': 'cross-site', origin: ORIGIN }],
  ['a method override (CSRF-09)', { 'x-http-method-override': 'GET', ...CROSS_SITE }],
]

const passes: [name: string, headers: Record<string, string>][] = [
  ['a page of the own origin', SAME_ORIGIN],
  ['the address bar', { 'sec-fetch-site': 'none' }],
  ['an old browser on the own origin', { origin: ORIGIN }],
  ['a trusted front end', { 'sec-fetch-site': 'same-site', origin: FRONT_END }],
  ['no browser, with the custom header', { rid: 'anti-csrf' }],
  ['a form of an own page with no-referrer (S-18)', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
]

describe('CSRF-01: cookies on unsafe methods', () => {
  test.each(refusals)('%s: 403 and nothing happens', async (_, headers) => {
    server = await startSessionServer({ trustedOrigins: [FRONT_END], accessTokenBlacklisting: 'strict' })
    const client = await loggedIn()
    const jar = client.jar
    for (const [method, path] of [
      ['POST', '/act'], ['PUT', '/act'], ['PATCH', '/act'], ['DELETE', '/act'], ['POST', REFRESH], ['POST', SIGNOUT],
    ] as const) {
      const reply = await client.send(method, path, { headers })
      expect(reply.status, `${method} ${path}`).toBe(403)
      expect(JSON.parse(reply.body)).toEqual({ message: 'cross-site request refused' })
      expect(reply.setCookies).toEqual([])
      expect(reply.headers['front-token']).toBeUndefined()
    }
    expect(client.jar).toEqual(jar)
    expect((await client.send('GET', '/me', { headers })).status, 'safe methods are not checked').toBe(200)
  })

  test.each(passes)('%s: passes', async (_, headers) => {
    server = await startSessionServer({ trustedOrigins: [FRONT_END] })
    const client = await loggedIn()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect((await client.send(method, '/act', { headers })).status).toBe(200)
    }
    expect((await client.send('POST', REFRESH, { headers })).status).toBe(200)
    expect((await client.send('POST', SIGNOUT, { headers })).status).toBe(200)
  })
})

test.each(['strict', 'feed', 'off'] as const)(
  'S-20: with %s, a request of another site is rejected without a store call',
  async accessTokenBlacklisting => {
    // The feed is always stale, so that every verification would call the store.
    server = await startSessionServer({
      trustedOrigins: [FRONT_END], accessTokenBlacklisting, maxStaleness: 1, pollInterval: 1, routes: guarded,
    })
    const [client, other] = [await loggedIn(), await loggedIn('bob')]
    const ownToken = client.cookie(AT) ?? ''
    server.clock.advance(60_000)
    server.cut.calls.length = 0
    for (const [, headers] of refusals) {
      for (const path of ['/act', SIGNOUT, REFRESH]) {
        expect((await client.send('POST', path, { headers })).status, path).toBe(403)
      }
      expect((await client.send('GET', '/guarded', { headers })).status).toBe(403)
    }
    expect(server.cut.calls).toEqual([])
    const twoSessions = { headers: CROSS_SITE, extraCookies: [`${AT}=${ownToken}`] }
    expect((await other.send('POST', '/act', twoSessions)).status).toBe(403)
    expect(server.cut.calls).toEqual([])
    expect((await client.send('POST', '/act', { headers: SAME_ORIGIN })).status).toBe(200)
  },
)

test('S-20: a request of another site without a session cookie is not rejected as cross-site', async () => {
  server = await startSessionServer({ routes: guarded })
  for (const cookie of ['', `${AT}=junk`, 'other=1']) {
    const headers = { ...CROSS_SITE, ...cookie === '' ? {} : { cookie } }
    const reply = await server.client().send('POST', '/optional', { headers })
    expect([reply.status, reply.body]).toEqual([200, '{"userId":null}'])
  }
})

const guarded = (sessions: AppSessions) => ({
  'GET /guarded': async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await sessions.getSession(request, response, true)
    send(response, {})
  },
  'POST /optional': async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = await sessions.getSession(request, response, { required: false })
    send(response, { userId: session?.getUserId() ?? null })
  },
})

describe('S-18: with a cookie domain and several hosts on one process', () => {
  const siblings = { 'sec-fetch-site': 'same-origin', origin: 'https://user-content.example.com' }

  test('an untrusted page of a sibling host changes nothing, on its own host or on another', async () => {
    server = await startSessionServer({ cookie: { domain: 'example.com' }, trustedOrigins: [FRONT_END] })
    const client = await loggedIn()
    for (const headers of [
      siblings, { ...siblings, origin: 'null' }, { ...siblings, 'sec-fetch-site': 'same-site' },
    ]) {
      for (const path of ['/act', SIGNOUT, REFRESH, '/login']) {
        expect((await client.send('POST', path, { headers, body: {} })).status, path).toBe(403)
      }
    }
    const front = { 'sec-fetch-site': 'same-origin', origin: FRONT_END }
    expect((await client.send('POST', '/act', { headers: front })).status, 'a trusted one does').toBe(200)
  })

  test('its handshake is rejected', async () => {
    server = await startSessionServer({ cookie: { domain: 'example.com' } })
    const client = await loggedIn()
    const cookie = `__Secure-sAccessToken=${client.cookie('__Secure-sAccessToken')}`
    const handshake = (headers: Record<string, string>): Promise<unknown> => (
      server.sessions.http.authenticateHandshake({
        identity: {}, method: 'GET', path: '/', query: '', client: { ip: null, userAgent: null },
        header: name => ({ ...headers, cookie })[name] ?? null,
      })
    )
    for (const headers of [siblings, { ...siblings, origin: 'null' }, { origin: 'https://user-content.example.com' }]) {
      await expect(handshake(headers)).rejects.toMatchObject({ code: 'CROSS_SITE_REQUEST' })
    }
    await expect(handshake({ origin: ORIGIN })).resolves.toBeDefined()
    await expect(handshake({ 'sec-fetch-site': 'same-origin', origin: ORIGIN })).resolves.toBeDefined()
  })
})

test('CSRF-05: no content type is exempt', async () => {
  server = await startSessionServer()
  const client = await loggedIn()
  for (const type of [
    'text/plain', 'TEXT/PLAIN', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
    'application/json', 'application/json; charset=utf-8', '',
  ]) {
    for (const path of ['/act', REFRESH, SIGNOUT]) {
      const reply = await client.send('POST', path, { headers: { ...CROSS_SITE, 'content-type': type } })
      expect(reply.status, `${path} with ${type}`).toBe(403)
    }
  }
})

test('CSRF-09: routes that change something answer 405 to safe methods', async () => {
  server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
  const client = await loggedIn()
  for (const path of [REFRESH, SIGNOUT, '/auth/public/signout']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const reply = await client.send(method, `${path}?_method=POST`, { headers: SAME_ORIGIN })
      expect([reply.status, reply.headers['allow']]).toEqual([405, 'POST, OPTIONS'])
    }
  }
  expect((await client.send('GET', '/me')).status).toBe(200)
  const keys = await client.send('POST', '/auth/jwt/jwks.json', { headers: SAME_ORIGIN })
  expect([keys.status, keys.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS'])
})

test('CSRF-13: with a bearer token, all cookies are ignored', async () => {
  server = await startSessionServer()
  const bob = await loggedIn('bob')
  const header = await server.client().send('POST', '/login', {
    headers: { 'st-auth-mode': 'header' }, body: { userId: 'alice' },
  })
  const authorization = `Bearer ${header.headers['st-access-token']}`
  const reply = await bob.send('POST', '/act', { headers: { ...CROSS_SITE, authorization } })
  expect(JSON.parse(reply.body).userId).toBe('alice')
  server.clock.advance(3_600_000)
  expect((await bob.send('POST', '/act', { headers: { ...SAME_ORIGIN, authorization } })).status).toBe(401)
})

test('CK-14: a token of one transfer mode is rejected in the other, and is not read from anywhere else', async () => {
  server = await startSessionServer()
  const client = await loggedIn()
  const header = await server.client().send('POST', '/login', { headers: { 'st-auth-mode': 'header' }, body: {} })
  const cookieToken = client.cookie(AT)
  const headerToken = header.headers['st-access-token']
  for (const headers of [
    { authorization: `Bearer ${cookieToken}` },
    { authorization: `Bearer ${cookieToken}`, cookie: `${AT}=${cookieToken}` },
    { cookie: `${AT}=${headerToken}` },
    { 'st-access-token': headerToken },
  ]) expect((await client.send('GET', '/me', { jar: false, headers })).status).toBe(401)
  for (const query of [`access_token=${headerToken}`, `token=${headerToken}`]) {
    expect((await client.send('GET', `/me?${query}`, { jar: false })).status).toBe(401)
  }
  const refreshWithCookieToken = await client.send('POST', REFRESH, {
    jar: false, headers: { authorization: `Bearer ${client.cookie('__Secure-sRefreshToken')}` },
  })
  expect(refreshWithCookieToken.status).toBe(401)
  expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
})

test('the option csrf overrides the default, true and false', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'GET /always': async (request, response) => {
        await sessions.getSession(request, response, true)
        send(response, {})
      },
      'POST /never': async (request, response) => {
        await sessions.getSession(request, response, { csrf: false })
        send(response, {})
      },
    }),
  })
  const client = await loggedIn()
  expect((await client.send('GET', '/always', { headers: CROSS_SITE })).status).toBe(403)
  expect((await client.send('GET', '/always', { headers: SAME_ORIGIN })).status).toBe(200)
  expect((await client.send('POST', '/never', { headers: CROSS_SITE })).status).toBe(200)
})

test('DOS-05: forwarding headers change neither the origin nor the client', async () => {
  server = await startSessionServer()
  const client = await loggedIn()
  const forwarded = {
    'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil.tld', 'x-forwarded-proto': 'http',
    forwarded: 'for=6.6.6.6;host=evil.tld;proto=http', 'x-real-ip': '6.6.6.6', host: 'evil.tld',
  }
  expect((await client.send('POST', '/act', {
    headers: { ...forwarded, origin: 'https://evil.tld' },
  })).status).toBe(403)
  const reply = await client.send('POST', REFRESH, {
    headers: { ...forwarded, ...SAME_ORIGIN, 'user-agent': `a\tb${'c'.repeat(600)}` },
  })
  expect(reply.status).toBe(200)
  expect(reply.setCookies.every(line => line.includes('; Secure'))).toBe(true)
  const [session] = (await server.sessions.listSessions('alice')).sessions
  expect(session?.ip).toBe('127.0.0.1')
  expect(session?.userAgent).toBe(`a?b${'c'.repeat(509)}`)
})

describe('CSRF-11, FP-13: CORS', () => {
  test('a trusted origin may read responses with credentials', async () => {
    server = await startSessionServer({ trustedOrigins: [FRONT_END] })
    const client = await loggedIn()
    const reply = await client.send('GET', '/me', { headers: { origin: FRONT_END } })
    expect(reply.headers['access-control-allow-origin']).toBe(FRONT_END)
    expect(reply.headers['access-control-allow-credentials']).toBe('true')
    expect(reply.headers['vary']?.split(', ')).toContain('Origin')
    const exposed = reply.headers['access-control-expose-headers']?.split(', ') ?? []
    expect(exposed.toSorted()).toEqual([
      'anti-csrf', 'front-token', 'retry-after', 'session-ended', 'st-access-token', 'st-refresh-token',
    ])
    const refreshed = await client.send('POST', REFRESH, { headers: { origin: FRONT_END } })
    expect(refreshed.headers['access-control-expose-headers']?.split(', ').toSorted()).toEqual(exposed.toSorted())
  })

  test('no other origin gets permission, not even for errors', async () => {
    server = await startSessionServer({ trustedOrigins: [FRONT_END] })
    for (const origin of ['https://evil.tld', 'null', 'http://www.example.com', 'https://www.example.com.evil.tld']) {
      const reply = await server.client().send('GET', '/me', { headers: { origin } })
      expect(reply.status).toBe(401)
      expect(reply.headers['access-control-allow-origin']).toBeUndefined()
      expect(reply.headers['access-control-allow-credentials']).toBeUndefined()
      expect(reply.headers['vary']?.split(', ')).toContain('Origin')
    }
    const refused = await server.client().send('GET', '/me', { headers: { origin: FRONT_END } })
    expect(refused.status).toBe(401)
    expect(refused.headers['access-control-allow-origin']).toBe(FRONT_END)
  })

  test('a preflight needs no session, changes nothing and reflects nothing', async () => {
    server = await startSessionServer({ trustedOrigins: [FRONT_END] })
    const preflight = (origin: string): ReturnType<HttpClient['send']> => server.client().send('OPTIONS', REFRESH, {
      headers: {
        origin,
        'access-control-request-method': 'X-EVIL',
        'access-control-request-headers': 'x-evil',
      },
    })
    const allowed = await preflight(FRONT_END)
    expect(allowed.status).toBe(204)
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': FRONT_END,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'content-type, rid, fdi-version, anti-csrf, authorization, st-auth-mode',
      vary: 'Origin',
    })
    const refused = await preflight('https://evil.tld')
    expect(refused.status).toBe(204)
    expect(Object.keys(refused.headers).filter(name => name.startsWith('access-control'))).toEqual([])
    expect(JSON.stringify([allowed, refused])).not.toContain('evil')
    expect(server.cut.calls).toEqual([])
  })
})
