import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpClient, Reply } from '../support/http-client.ts'
import {
  AT, MAC, CROSS_SITE, REFRESH, RT, SAME_ORIGIN, send, SIGNOUT, startSessionServer,
} from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

async function loggedIn(headers: Record<string, string> = SAME_ORIGIN): Promise<{ client: HttpClient; reply: Reply }> {
  const client = server.client()
  const reply = await client.send('POST', '/login', { headers, body: {} })
  expect(reply.status).toBe(200)
  return { client, reply }
}

describe('HDR-01: responses that contain or clear tokens are never cached', () => {
  test('login, refresh, sign-out, refusals', async () => {
    server = await startSessionServer()
    const { client, reply } = await loggedIn()
    const replies = [
      reply,
      await client.send('POST', REFRESH, { headers: SAME_ORIGIN }),
      await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN }),
      await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN }),
      await client.send('POST', REFRESH, { headers: CROSS_SITE }),
      await client.send('GET', '/me'),
    ]
    for (const { headers } of replies) expect(headers['cache-control']).toBe('private, no-store')
    for (const { headers } of replies.slice(0, 3)) {
      expect(headers['vary']?.split(', ')).toEqual(expect.arrayContaining(['Cookie', 'Authorization']))
    }
  })

  test('even if the handler sets Cache-Control, before or after', async () => {
    const cached = { 'Cache-Control': 'public, max-age=60' }
    server = await startSessionServer({
      routes: sessions => ({
        'POST /before': async (request, response) => {
          response.setHeader('cache-control', 'public')
          await sessions.createNewSession(request, response, 'alice')
          response.end()
        },
        'POST /set': async (request, response) => {
          await sessions.createNewSession(request, response, 'alice')
          response.setHeader('Cache-Control', 'public').end()
        },
        'POST /object': async (request, response) => {
          await sessions.createNewSession(request, response, 'alice')
          response.writeHead(200, 'Fine', { ...cached, 'Set-Cookie': ['own=1', 'other=2'], 'X-Own': 'yes' }).end()
        },
        'POST /flat': async (request, response) => {
          await sessions.createNewSession(request, response, 'alice')
          const flat = ['Cache-Control', 'public', 'Set-Cookie', 'own=1', 'Set-Cookie', 'other=2', 'X-Own', 'yes']
          response.writeHead(200, flat).end()
        },
        'POST /redirect': async (request, response) => {
          await sessions.createNewSession(request, response, 'alice')
          response.writeHead(302, { ...cached, location: '/home' }).end()
        },
      }),
    })
    for (const path of ['/before', '/set', '/object', '/flat', '/redirect']) {
      const reply = await server.client().send('POST', path, { headers: SAME_ORIGIN })
      expect(reply.headers['cache-control'], path).toBe('private, no-store')
      const names = reply.setCookies.map(line => line.split('=')[0])
      expect(names.slice(0, 3), path).toEqual([AT, MAC, RT])
      if (path === '/object' || path === '/flat') {
        expect(names.slice(3)).toEqual(['own', 'other'])
        expect(reply.headers['x-own']).toBe('yes')
      }
    }
  })

})

describe('S-09: a response to a verified session', () => {
  const routes = (sessions: AppSessions) => ({
    'GET /before': async (request: IncomingMessage, response: ServerResponse) => {
      response.setHeader('cache-control', 'max-age=60')
      await sessions.getSession(request, response)
      response.end()
    },
    'GET /set': async (request: IncomingMessage, response: ServerResponse) => {
      await sessions.getSession(request, response)
      response.setHeader('Cache-Control', 'max-age=60').end()
    },
    'GET /object': async (request: IncomingMessage, response: ServerResponse) => {
      await sessions.getSession(request, response)
      response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end()
    },
    'GET /flat': async (request: IncomingMessage, response: ServerResponse) => {
      await sessions.getSession(request, response)
      response.writeHead(200, ['Cache-Control', 'max-age=60']).end()
    },
    'GET /sent': async (request: IncomingMessage, response: ServerResponse) => {
      response.flushHeaders()
      await sessions.getSession(request, response)
      response.end('found')
    },
    'GET /optional': async (request: IncomingMessage, response: ServerResponse) => {
      await sessions.getSession(request, response, { required: false })
      response.end()
    },
  })

  test('is private', async () => {
    server = await startSessionServer()
    const { client } = await loggedIn()
    expect((await client.send('GET', '/me')).headers['cache-control']).toBe('private')
  })

  test('has the Cache-Control of the application, set before or after', async () => {
    server = await startSessionServer({ routes })
    const { client } = await loggedIn()
    for (const path of ['/before', '/set', '/object', '/flat']) {
      expect((await client.send('GET', path)).headers['cache-control'], path).toBe('max-age=60')
    }
  })

  test('is not changed if its headers were sent already; neither is a response without a session', async () => {
    server = await startSessionServer({ routes })
    const { client } = await loggedIn()
    const sent = await client.send('GET', '/sent')
    expect([sent.body, sent.headers['cache-control']]).toEqual(['found', undefined])
    expect((await server.client().send('GET', '/optional')).headers['cache-control']).toBeUndefined()
    expect((await client.send('GET', '/optional')).headers['cache-control']).toBe('private')
  })
})

test('HDR-02: the key set is public, cacheable, and has an ETag', async () => {
  server = await startSessionServer()
  await loggedIn()
  const reply = await server.client().send('GET', '/auth/jwt/jwks.json', {
    headers: { origin: 'https://other.example' },
  })
  expect(reply.status).toBe(200)
  expect(reply.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'public, max-age=60, must-revalidate',
    'access-control-allow-origin': '*',
  })
  const { keys } = JSON.parse(reply.body)
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) expect(Object.keys(key)).not.toContain('d')
  const again = await server.client().send('GET', '/auth/jwt/jwks.json', {
    headers: { 'if-none-match': reply.headers['etag'] ?? '' },
  })
  expect([again.status, again.body]).toEqual([304, ''])

  const own = await server.client().send('GET', '/auth/jwt/jwks.json', { headers: SAME_ORIGIN })
  expect(own.headers['access-control-allow-origin']).toBe('*')
  expect(own.headers['access-control-allow-credentials'], 'never * with credentials').toBeUndefined()

  const discovery = await server.client().send('GET', '/auth/.well-known/openid-configuration')
  expect(JSON.parse(discovery.body)).toEqual({
    issuer: 'https://app.example.com/auth', jwks_uri: 'https://app.example.com/auth/jwt/jwks.json',
  })
})

test('HDR-03: a 401 has a challenge in header mode only', async () => {
  server = await startSessionServer()
  const bearer = await server.client().send('GET', '/me', { headers: { authorization: 'Bearer x' } })
  expect(bearer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
  expect((await server.client().send('GET', '/me')).headers['www-authenticate']).toBeUndefined()
})

test('HDR-04, FP-10.3: error bodies contain what the client needs, and no internal details', async () => {
  server = await startSessionServer({
    sessionExpiredStatusCode: 440,
    invalidClaimStatusCode: 422,
    routes: sessions => ({
      'GET /bug': () => {
        throw new Error('password=hunter2 at /srv/app.ts')
      },
      'GET /claims': async (request, response) => {
        const claimValidators = [{ id: 'x', validate: (): { isValid: false } => ({ isValid: false }) }]
        await sessions.getSession(request, response, { claimValidators })
        send(response, {})
      },
    }),
  })
  const { client } = await loggedIn()
  const bug = await client.send('GET', '/bug')
  expect([bug.status, bug.body]).toEqual([500, '{"message":"internal error"}'])
  expect(server.failures).toHaveLength(1)
  expect((await client.send('GET', '/claims')).status).toBe(422)
  expect((await server.client().send('GET', '/me')).status).toBe(440)
  expect((await server.client().send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(440)
})

test('HDR-05, CSRF-14: responses of Keyturn are JSON that other pages cannot embed', async () => {
  server = await startSessionServer()
  const { client } = await loggedIn()
  const replies = [
    await client.send('POST', REFRESH, { headers: SAME_ORIGIN }),
    await client.send('POST', REFRESH, { headers: CROSS_SITE }),
    await client.send('GET', REFRESH),
    await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN }),
    await client.send('GET', '/me'),
  ]
  for (const { headers } of replies) {
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    })
  }
})

test('HDR-06: the query string is ignored', async () => {
  server = await startSessionServer()
  const { client } = await loggedIn()
  const reply = await client.send('POST', `${SIGNOUT}?next=//evil.tld&redirect=https://evil.tld`, {
    headers: SAME_ORIGIN,
  })
  expect([reply.status, reply.headers['location']]).toEqual([200, undefined])
})

describe('limits', () => {
  test('DOS-01: too long or too many values are rejected, without a 5xx error', async () => {
    server = await startSessionServer()
    const { client } = await loggedIn()
    const token = client.cookie(AT) ?? ''
    for (const cookie of [
      `${AT}=${'a'.repeat(8193)}`,
      `${AT}=${'a.'.repeat(3000)}`,
      `${'x=1;'.repeat(200)}${AT}=${token}`,
      Array.from({ length: 300 }, () => `${AT}=junk`).join(';'),
    ]) expect((await client.send('GET', '/me', { jar: false, headers: { cookie } })).status).toBe(401)
    const bearer = await client.send('GET', '/me', {
      jar: false, headers: { authorization: `Bearer ${'a'.repeat(8193)}` },
    })
    expect(bearer.status).toBe(401)
    const refresh = await client.send('POST', REFRESH, {
      jar: false, headers: { ...SAME_ORIGIN, cookie: `${AT}=${token}; ${RT}=${'a'.repeat(8000)}` },
    })
    expect(refresh.status).toBe(401)
    expect(server.failures).toEqual([])
  })

  test('DOS-01: a megabyte of cookies over a raw socket is closed by the server', async () => {
    server = await startSessionServer()
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(`GET /me HTTP/1.1\r\nHost: x\r\nCookie: ${'a=1;'.repeat(262_144)}\r\n\r\n`)
      })
      let text = ''
      socket.on('data', data => {
        text += String(data)
      }).on('close', () => resolve(text)).on('error', error => 'code' in error ? resolve(text) : reject(error))
    })
    expect(answer === '' || answer.startsWith('HTTP/1.1 431')).toBe(true)
    expect((await server.client().send('GET', '/me')).status).toBe(401)
  })

  test('CMP-13, CK-08: malformed cookies are ignored, without an error', async () => {
    server = await startSessionServer()
    const { client } = await loggedIn()
    const token = client.cookie(AT) ?? ''
    for (const cookie of [
      `${AT}=%`, `${AT}=%zz`, `${AT}=%c0%ae`, AT, `=${AT}=${token}`, `__host-sAccessToken=${token}`,
      `$Version=1, ${AT}=${token}`,
      `${AT}="${token}"`, `\u00a0${AT}=${token}`, '__proto__=1', ';;;;', `"${AT}"=${token}`,
    ]) {
      const headers = { cookie: Buffer.from(cookie).toString('latin1') }
      expect((await client.send('GET', '/me', { jar: false, headers })).status, cookie).toBe(401)
      const refresh = await client.send('POST', REFRESH, { jar: false, headers: { ...SAME_ORIGIN, ...headers } })
      expect(refresh.status, cookie).toBe(401)
    }
    expect(server.failures).toEqual([])
  })

  test('CK-07: several Cookie headers are read as one', async () => {
    server = await startSessionServer()
    const { client } = await loggedIn()
    const headers = { cookie: ['a=1', `${AT}=${client.cookie(AT)}`, 'b=2'] }
    expect((await client.send('GET', '/me', { jar: false, headers })).status).toBe(200)
  })

  test('DOS-03: bodies are not read', async () => {
    server = await startSessionServer()
    const { client } = await loggedIn()
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    for (const body of [{ refreshToken: { $gt: '' } }, [1], deep, 'x'.repeat(100_000)]) {
      expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN, body })).status).toBe(200)
    }
  })
})

test('CMP-12: headers that the application exposes stay, those of Keyturn are added once', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'POST /exposing': async (request, response) => {
        response.setHeader('Access-Control-Expose-Headers', 'x-front-token-foo')
        await sessions.createNewSession(request, response, 'alice')
        await sessions.createNewSession(request, response, 'alice')
        response.end()
      },
    }),
  })
  const reply = await server.client().send('POST', '/exposing', { headers: SAME_ORIGIN })
  const exposed = reply.headers['access-control-expose-headers']?.split(', ') ?? []
  expect(exposed).toContain('x-front-token-foo')
  expect(exposed.filter(name => name === 'front-token')).toHaveLength(1)
  expect(reply.setCookies, 'one line for each cookie').toHaveLength(3)
})
