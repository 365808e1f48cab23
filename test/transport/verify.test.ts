import { afterEach, describe, expect, test } from 'vitest'
import type { HttpClient, Reply } from '../support/http-client.ts'
import {
  AT, CROSS_SITE, REFRESH, RT, SAME_ORIGIN, send, SIGNOUT, startSessionServer,
} from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

const HEADER_MODE = { 'st-auth-mode': 'header' }

async function login(
  client: HttpClient,
  userId = 'alice',
  headers: Record<string, string> = SAME_ORIGIN,
): Promise<Reply> {
  const reply = await client.send('POST', '/login', { headers, body: { userId } })
  expect(reply.status).toBe(200)
  return reply
}

const message = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).message]
const touchesNothing = ({ setCookies, headers }: Reply): boolean =>
  setCookies.length === 0 && headers['front-token'] === undefined

test('FP-10.1#1, CMP-03: the legacy cookie sIdRefreshToken is ignored', async () => {
  server = await startSessionServer()
  const client = server.client()
  await login(client)
  expect((await client.send('GET', '/me', { extraCookies: ['sIdRefreshToken=x'] })).status).toBe(200)
  expect(message(await server.client().send('GET', '/me', { extraCookies: ['sIdRefreshToken=x'] })))
    .toEqual([401, 'unauthorised'])
})

test('FP-10.1#2: without an access token, an optional session is null', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'GET /optional': async (request, response) => {
        const session = await sessions.getSession(request, response, { required: false })
        send(response, { userId: session?.getUserId() ?? null })
      },
    }),
  })
  const client = server.client()
  expect((await client.send('GET', '/optional')).body).toBe('{"userId":null}')
  expect((await client.send('GET', '/optional', { headers: { authorization: 'Bearer unrecognized' } })).body)
    .toBe('{"userId":null}')
  await login(client)
  expect((await client.send('GET', '/optional')).body).toBe('{"userId":"alice"}')
})

test('FP-10.1#3: without an access token, a required session is 401, and nothing is cleared', async () => {
  server = await startSessionServer()
  for (const headers of [
    {}, { authorization: 'Bearer a.b.c' }, { cookie: `${AT}=junk` }, { authorization: 'Basic x' },
  ]) {
    const reply = await server.client().send('GET', '/me', { headers })
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(touchesNothing(reply)).toBe(true)
  }
})

describe('FP-10.1#4, CK-06: duplicate access tokens', () => {
  test('of one session, or beside invalid ones, work in either order and in two headers', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const old = client.cookie(AT)
    server.clock.advance(60_000)
    await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
    const current = client.cookie(AT)
    expect(old).not.toBe(current)
    for (const other of [old, 'junk', current]) {
      for (const cookie of [`${AT}=${other}; ${AT}=${current}`, `${AT}=${current}; ${AT}=${other}`]) {
        const reply = await client.send('GET', '/me', { jar: false, headers: { cookie } })
        expect(reply.status).toBe(200)
      }
    }
    const lines = await client.send('GET', '/me', {
      jar: false, headers: { cookie: [`${AT}=junk`, `${AT}=${current}`] },
    })
    expect(lines.status).toBe(200)
  })

  test('of two active sessions are rejected in any order, and nothing changes', async () => {
    server = await startSessionServer()
    const [alice, mallory] = [server.client(), server.client()]
    await login(alice)
    await login(mallory, 'mallory')
    const tokens = [alice.cookie(AT), mallory.cookie(AT)]
    server.cut.calls.length = 0
    for (const [first, second] of [tokens, tokens.toReversed()]) {
      const reply = await alice.send('GET', '/me', {
        jar: false, headers: { cookie: `${AT}=${first}; ${AT}=${second}` },
      })
      expect(message(reply)).toEqual([401, 'try refresh token'])
      expect(touchesNothing(reply)).toBe(true)
    }
    expect(server.cut.calls).toEqual([])
    expect((await alice.send('GET', '/me')).status).toBe(200)
    expect((await mallory.send('GET', '/me')).status).toBe(200)
  })

  test('an injected token of another domain is removed', async () => {
    server = await startSessionServer({ cookie: { accessTokenName: 'at', refreshTokenName: 'rt' } })
    const [client, mallory] = [server.client(), server.client()]
    await login(mallory, 'mallory')
    server.clock.advance(3_600_000)
    await login(client)
    const token = client.cookie('at')
    client.keep(`at=${mallory.cookie('at')}; Domain=example.com; Path=/; Secure`)
    expect(client.jar.filter(({ name }) => name === 'at')).toHaveLength(2)
    expect((await client.send('GET', '/me')).status).toBe(200)
    expect(client.jar.filter(({ name }) => name === 'at').map(({ value }) => value)).toEqual([token])
  })

  test('at most four are verified', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const cookies = (junk: number): string => [
      ...Array.from({ length: junk }, (_, index) => `${AT}=junk${index}`), `${AT}=${client.cookie(AT)}`,
    ].join('; ')
    expect((await client.send('GET', '/me', { jar: false, headers: { cookie: cookies(3) } })).status).toBe(200)
    expect((await client.send('GET', '/me', { jar: false, headers: { cookie: cookies(4) } })).status).toBe(401)
  })
})

describe('FP-10.1#5: a missing anti-CSRF header', () => {
  test('with custom-header is 401 try refresh token on unsafe methods', async () => {
    server = await startSessionServer({ antiCsrf: 'custom-header' })
    const client = server.client()
    await login(client)
    for (const rid of [undefined, '', ' ']) {
      const headers = { ...SAME_ORIGIN, ...rid === undefined ? {} : { rid } }
      const reply = await client.send('POST', '/act', { headers })
      expect(message(reply)).toEqual([401, 'try refresh token'])
      expect(touchesNothing(reply)).toBe(true)
    }
    expect((await client.send('POST', '/act', { headers: { ...SAME_ORIGIN, rid: 'anti-csrf' } })).status).toBe(200)
    expect((await client.send('POST', '/act?rid=x', { headers: SAME_ORIGIN })).status, 'CMP-06').toBe(401)
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

  test('CSRF-06, CSRF-07, CSRF-08: with token is 401 unless it is a token of this session', async () => {
    server = await startSessionServer({ antiCsrf: 'token' })
    const [alice, mallory] = [server.client(), server.client()]
    const own = (await login(alice)).headers['anti-csrf'] ?? ''
    const malloryToken = (await login(mallory, 'mallory')).headers['anti-csrf'] ?? ''
    const act = (token: string, extraCookies: string[] = []): Promise<Reply> =>
      alice.send('POST', '/act', { headers: { ...SAME_ORIGIN, rid: 'anti-csrf', 'anti-csrf': token }, extraCookies })
    expect((await act(own)).status).toBe(200)
    for (const token of [
      '', 'null', 'undefined', '0', '[]', '{}', malloryToken, `${own}x`, own.slice(0, -1), `${own}, ${own}`,
    ]) {
      expect(message(await act(token, [`anti-csrf=${token}`])), token).toEqual([401, 'try refresh token'])
    }
    const missing = await alice.send('POST', '/act', { headers: { ...SAME_ORIGIN, rid: 'anti-csrf' } })
    expect(message(missing)).toEqual([401, 'try refresh token'])

    await login(alice)
    expect((await act(own)).status, 'a token from before the login').toBe(401)
  })
})

describe('FP-10.1#6: an expired or invalid access token is 401 try refresh token', () => {
  test('expired', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    server.clock.advance(3_600_000)
    const reply = await client.send('GET', '/me')
    expect(message(reply)).toEqual([401, 'try refresh token'])
    expect(touchesNothing(reply)).toBe(true)
  })

  test('invalid signature', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const token = client.cookie(AT) ?? ''
    const [header, payload, signature = ''] = token.split('.')
    const broken = [header, payload, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.')
    for (const headers of [{ cookie: `${AT}=${broken}` }, { authorization: `Bearer ${broken}` }]) {
      expect((await client.send('GET', '/me', { jar: false, headers })).status).toBe(401)
    }
  })
})

test('FP-10.1#7: after all keys were replaced, clients get try refresh token, and then have to log in', async () => {
  server = await startSessionServer()
  const client = server.client()
  await login(client)
  await server.sessions.revokeEverySession()
  expect(message(await client.send('GET', '/me'))).toEqual([401, 'try refresh token'])
  expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(401)
})

describe('FP-10.1#8: a revoked session is 401 unauthorised', () => {
  test('and cleared, in cookie mode', async () => {
    server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
    const client = server.client()
    const { handle } = JSON.parse((await login(client)).body)
    await server.sessions.revokeSession(handle)
    const reply = await client.send('GET', '/me')
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.headers['front-token']).toBe('remove')
    expect(client.jar).toEqual([])
  })

  test('and cleared, in header mode', async () => {
    server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
    const client = server.client()
    const started = await login(client, 'alice', HEADER_MODE)
    await server.sessions.revokeSession(JSON.parse(started.body).handle)
    const headers = { authorization: `Bearer ${started.headers['st-access-token']}` }
    const reply = await client.send('GET', '/me', { headers })
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.headers).toMatchObject({ 'front-token': 'remove', 'st-access-token': '', 'st-refresh-token': '' })
    expect(reply.setCookies).toEqual([])
  })

  test('CSRF-15: but a request of another site clears nothing', async () => {
    server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
    const client = server.client()
    const { handle } = JSON.parse((await login(client)).body)
    await server.sessions.revokeSession(handle)
    const reply = await client.send('POST', '/act', { headers: CROSS_SITE })
    expect(reply.status).toBe(403)
    expect(touchesNothing(reply)).toBe(true)
  })
})

test('FP-10.1#9: failed claim validations are 403, with all of them in the body', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'GET /admin': async (request, response) => {
        await sessions.getSession(request, response, {
          claimValidators: [
            { id: 'role', validate: ({ role }) => ({ isValid: role === 'admin', reason: { message: 'wrong value' } }) },
            { id: 'never', validate: () => ({ isValid: false }) },
            { id: 'always', validate: () => ({ isValid: true }) },
          ],
        })
        send(response, {})
      },
    }),
  })
  const client = server.client()
  await login(client)
  const reply = await client.send('GET', '/admin')
  expect(reply.status).toBe(403)
  expect(JSON.parse(reply.body)).toEqual({
    message: 'invalid claim',
    claimValidationErrors: [{ id: 'role', reason: { message: 'wrong value' } }, { id: 'never' }],
  })
  expect(touchesNothing(reply)).toBe(true)
})

test('REV-09: a route can require a recent login; a refresh does not count', async () => {
  server = await startSessionServer({
    routes: sessions => ({
      'GET /payment': async (request, response) => {
        await sessions.getSession(request, response, { maxAuthenticationAge: 300 })
        send(response, {})
      },
    }),
  })
  const client = server.client()
  await login(client)
  server.clock.advance(300_000)
  expect((await client.send('GET', '/payment')).status).toBe(200)
  await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
  server.clock.advance(1000)
  const reply = await client.send('GET', '/payment')
  expect(reply.status).toBe(403)
  expect(JSON.parse(reply.body).claimValidationErrors).toEqual([
    { id: 'auth_time', reason: { message: 'expired', ageInSeconds: 301, maxAgeInSeconds: 300 } },
  ])
})

test('FP-10.1#10: otherwise the route runs, and a reissued access token is in the response', async () => {
  server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
  const client = server.client()
  const { handle } = JSON.parse((await login(client)).body)
  const before = { at: client.cookie(AT), rt: client.cookie(RT) }
  expect((await client.send('GET', '/me')).setCookies).toEqual([])

  await server.sessions.updateJwtPayload(handle, { role: 'editor' })
  const reply = await client.send('GET', '/me')
  expect(JSON.parse(reply.body).payload).toEqual({ role: 'editor' })
  expect(JSON.parse(atob(reply.headers['front-token'] ?? '')).up).toMatchObject({ role: 'editor' })
  expect(client.cookie(AT)).not.toBe(before.at)
  expect(client.cookie(RT)).toBe(before.rt)
  expect((await client.send('GET', '/me')).setCookies).toEqual([])
})

describe('sign-out', () => {
  test('FP-1, REV-08: revokes the presented session and no other', async () => {
    server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
    const [alice, bob] = [server.client(), server.client()]
    await login(alice)
    const { handle } = JSON.parse((await login(bob, 'bob')).body)
    const stolen = { [AT]: alice.cookie(AT), [RT]: alice.cookie(RT) }
    const out = await alice.send('POST', SIGNOUT, {
      headers: SAME_ORIGIN, body: { handle }, extraCookies: [`handle=${handle}`],
    })
    expect([out.status, out.body]).toEqual([200, '{"status":"OK"}'])
    expect(out.headers['front-token']).toBe('remove')
    expect(alice.jar).toEqual([])
    expect((await bob.send('GET', '/me')).status).toBe(200)

    const cookie = Object.entries(stolen).map(pair => pair.join('=')).join('; ')
    expect((await alice.send('GET', '/me', { headers: { cookie } })).status).toBe(401)
    expect((await alice.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, cookie } })).status).toBe(401)
  })

  test('L-04: without a session is 401; an expired access token suffices, a token of an unknown key does not', async () => {
    server = await startSessionServer()
    const client = server.client()
    const none = await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })
    expect(message(none)).toEqual([401, 'unauthorised'])
    expect(touchesNothing(none)).toBe(true)
    await login(client)
    server.clock.advance(3_600_000)
    const [head = '', ...rest] = (client.cookie(AT) ?? '').split('.')
    const header: { kid: string } = JSON.parse(Buffer.from(head, 'base64url').toString())
    header.kid = header.kid.slice(0, -1) + (header.kid.endsWith('A') ? 'B' : 'A')
    const other = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')
    const unknown = await client.send('POST', SIGNOUT, {
      headers: { ...SAME_ORIGIN, cookie: `${AT}=${other}` }, jar: false,
    })
    expect(message(unknown)).toEqual([401, 'try refresh token'])
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    expect(client.jar).toEqual([])
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test('in header mode clears only the headers', async () => {
    server = await startSessionServer()
    const client = server.client()
    const { headers } = await login(client, 'alice', HEADER_MODE)
    const out = await client.send('POST', '/auth/public/signout', {
      headers: { authorization: `Bearer ${headers['st-access-token']}` },
    })
    expect(out.status).toBe(200)
    expect(out.headers).toMatchObject({ 'front-token': 'remove', 'st-access-token': '', 'st-refresh-token': '' })
    expect(out.setCookies).toEqual([])
  })
})
