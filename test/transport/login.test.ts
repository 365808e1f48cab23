import { afterEach, describe, expect, test } from 'vitest'
import type { HttpClient, Reply } from '../support/http-client.ts'
import {
  AT, MAC, createTestClock, CROSS_SITE, ORIGIN, REFRESH, RT, SAME_ORIGIN, send, startSessionServer,
} from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

const HEADER_MODE = { 'st-auth-mode': 'header' }
const NOW = createTestClock()()

function login(client: HttpClient, body: unknown = {}, headers: Record<string, string> = SAME_ORIGIN): Promise<Reply> {
  return client.send('POST', '/login', { headers, body })
}

const frontTokenOf = (reply: Reply): { uid: string; ate: number; up: Record<string, unknown> } =>
  JSON.parse(Buffer.from(reply.headers['front-token'] ?? '', 'base64').toString('utf8'))

describe('FP-3, FP-4, FP-5: the response to a login in cookie mode', () => {
  test('CK-01, CK-02, CK-03: has three protected cookies, a front token, and no token anywhere else', async () => {
    server = await startSessionServer()
    const client = server.client()
    const reply = await login(client, { userId: 'älice', payload: { role: 'ünï' } })
    const attributes = 'Path=/; HttpOnly; Secure; SameSite=Lax'
    expect(reply.setCookies).toEqual([
      `${AT}=${client.cookie(AT)}; Expires=${new Date(NOW + 365 * 86_400_000).toUTCString()}; Max-Age=${365 * 86_400}; `
        + attributes,
      `${MAC}=${client.cookie(MAC)}; Expires=${new Date(NOW + 365 * 86_400_000).toUTCString()}; `
        + `Max-Age=${365 * 86_400}; ${attributes}`,
      `${RT}=${client.cookie(RT)}; Expires=${new Date(NOW + 100 * 86_400_000).toUTCString()}; Max-Age=${100 * 86_400}; `
        + attributes.replace('Path=/', `Path=${REFRESH}`),
    ])
    expect(reply.headers['st-access-token']).toBeUndefined()
    expect(reply.headers['st-refresh-token']).toBeUndefined()
    expect(reply.headers['anti-csrf']).toBeUndefined()
    const outside = JSON.stringify({ ...reply.headers, 'set-cookie': '' }) + reply.body
    for (const name of [AT, RT]) {
      for (const part of (client.cookie(name) ?? '').split('.')) {
        if (part.length > 23) expect(outside).not.toContain(part)
      }
    }
  })

  test('CMP-09: the front token is base64 of compact JSON, expires in milliseconds and holds no secret', async () => {
    server = await startSessionServer()
    const client = server.client()
    const reply = await login(client, { userId: 'älice', payload: { role: 'ünï 😀' } })
    expect(reply.headers['front-token']).toMatch(/^[A-Za-z0-9+/]+={0,2}$/)
    const front = frontTokenOf(reply)
    const claims = JSON.parse(Buffer.from(client.cookie(AT)?.split('.')[1] ?? '', 'base64url').toString('utf8'))
    expect(front).toEqual({ uid: 'älice', ate: claims.exp * 1000, up: claims })
    expect(front.up).toMatchObject({ sub: 'älice', role: 'ünï 😀', iat: NOW / 1000 })
    expect(JSON.stringify(front)).not.toContain(client.cookie(RT)?.split('.')[6])
  })

  test('with `persistent: false`, the cookies are session cookies', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client, { options: { persistent: false } })
    expect(client.jar.map(({ expires }) => expires)).toEqual([null, null, null])
    await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
    expect(client.jar.map(({ expires }) => expires)).toEqual([null, null, null])
    client.closeBrowser()
    expect(client.jar).toEqual([])
  })

  test('with a cookie domain, also on another host of the domain', async () => {
    server = await startSessionServer({ cookie: { domain: 'example.com', sameSite: 'strict' } })
    const client = server.client()
    await login(client)
    expect(client.jar.map(({ name, domain, hostOnly, sameSite }) => [name, domain, hostOnly, sameSite])).toEqual([
      ['__Secure-sAccessToken', 'example.com', false, 'strict'],
      ['__Secure-sAccessTokenMac', 'example.com', false, 'strict'],
      [RT, 'example.com', false, 'strict'],
    ])
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

  test('on localhost without https, plain names', async () => {
    server = await startSessionServer({ origin: 'http://localhost:3000' })
    const client = server.client()
    await login(client, {}, { origin: 'http://localhost:3000' })
    expect(client.jar.map(({ name, secure }) => [name, secure]))
      .toEqual([['sAccessToken-3000', false], ['sAccessToken-3000Mac', false], ['sRefreshToken-3000', false]])
    const refreshed = await client.send('POST', REFRESH, { headers: { origin: 'http://localhost:3000' } })
    expect(refreshed.status).toBe(200)
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

})

test('FP-6: in header mode the tokens come in headers, and no cookie is set', async () => {
  server = await startSessionServer({ antiCsrf: 'token' })
  const client = server.client()
  const reply = await login(client, {}, { 'st-auth-mode': 'HEADER', origin: 'https://anywhere.example' })
  expect(reply.status).toBe(200)
  expect(reply.setCookies).toEqual([])
  expect(reply.headers['anti-csrf']).toBeUndefined()
  expect(reply.headers['access-control-expose-headers']?.split(', ').toSorted())
    .toEqual(['front-token', 'st-access-token', 'st-refresh-token'])
  const authorization = `Bearer ${reply.headers['st-access-token']}`
  const act = await client.send('POST', '/act', { headers: { authorization, ...CROSS_SITE } })
  expect(act.status, 'no anti-CSRF in header mode').toBe(200)
})

test('FP-6: a login without a transfer mode, as of a form or curl, is in cookie mode', async () => {
  server = await startSessionServer()
  for (const headers of [{}, { 'st-auth-mode': 'any' }, { 'st-auth-mode': 'cookie' }]) {
    const reply = await login(server.client(), {}, headers)
    expect(reply.status).toBe(200)
    expect(reply.setCookies).toHaveLength(3)
  }
})

describe('FP-11: a login over an existing session', () => {
  test.each([
    ['while its access token is valid', 60_000, {}],
    ['and afterwards, if its refresh token comes along', 4_000_000, { cookie: { refreshTokenPath: '/' } }],
  ] as const)('CMP-11, CSRF-10: revokes the session that the browser had, %s', async (_, age, options) => {
    server = await startSessionServer({ accessTokenBlacklisting: 'strict', ...options })
    const client = server.client()
    await login(client)
    const old = `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
    server.clock.advance(age)
    await login(client, { userId: 'bob' })
    expect(JSON.parse((await client.send('GET', '/me')).body).userId).toBe('bob')
    const reply = await client.send('POST', REFRESH, { jar: false, headers: { ...SAME_ORIGIN, cookie: old } })
    expect(reply.status).toBe(401)
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test.each<[name: string, beside: 'nothing' | 'other' | 'forged' | 'own']>([
    ['alone', 'nothing'],
    ['beside a refresh token of another session', 'other'],
    ['beside a refresh token that we did not issue', 'forged'],
    ['beside the tokens of the login\'s own client', 'own'],
  ])('S-11: revokes nothing because of an expired access token %s', async (_, beside) => {
    server = await startSessionServer({ cookie: { refreshTokenPath: '/' } })
    const [alice, mallory] = [server.client(), server.client()]
    await login(alice)
    await login(mallory, { userId: 'mallory' })
    const leaked = alice.cookie(AT)
    const valid = alice.cookie(RT) ?? ''
    const companions = {
      nothing: [],
      other: [`${RT}=${mallory.cookie(RT)}`],
      forged: [`${RT}=${valid.slice(0, -4)}AAAA`],
      own: [`${AT}=${mallory.cookie(AT)}`, `${RT}=${mallory.cookie(RT)}`],
    }
    server.clock.advance(4_000_000)
    server.cut.calls.length = 0
    const cookies = [`${AT}=${leaked}`, ...companions[beside]]
    const reply = await mallory.send('POST', '/login', {
      jar: false, headers: { ...SAME_ORIGIN, cookie: cookies.join('; ') }, body: { userId: 'mallory' },
    })
    expect(reply.status).toBe(200)
    expect(server.cut.calls).toEqual(beside === 'own' ? ['insert', 'remove'] : ['insert'])
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
    expect((await alice.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  })

  test('S-11: revokes nothing because of an expired bearer token', async () => {
    server = await startSessionServer()
    const header = await login(server.client(), {}, HEADER_MODE)
    server.clock.advance(4_000_000)
    await login(server.client(), { userId: 'mallory' }, {
      ...HEADER_MODE, authorization: `Bearer ${header.headers['st-access-token']}`,
    })
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
  })

  test('keeps it with keepExistingSession', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    await login(client, { options: { keepExistingSession: true } })
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(2)
  })

  test('revokes nothing because of a forged token, or of one in the other transfer mode', async () => {
    server = await startSessionServer()
    const [alice, mallory] = [server.client(), server.client()]
    await login(alice)
    const token = alice.cookie(AT) ?? ''
    // Only the upper bits of the last character count: changing the one before it always changes the signature.
    const forged = token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1)
    await mallory.send('POST', '/login', { headers: { ...SAME_ORIGIN, cookie: `${AT}=${forged}` }, body: {} })
    await mallory.send('POST', '/login', { headers: { ...SAME_ORIGIN, authorization: `Bearer ${token}` }, body: {} })
    expect((await alice.send('GET', '/me')).status).toBe(200)
    expect((await alice.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  })

  test('in the other transfer mode clears the tokens of the previous one', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const header = await login(client, {}, HEADER_MODE)
    expect(client.jar).toEqual([])
    expect(frontTokenOf(header).uid).toBe('alice')

    const authorization = `Bearer ${header.headers['st-access-token']}`
    const cookie = await login(client, {}, { ...SAME_ORIGIN, authorization })
    expect(cookie.headers).toMatchObject({ 'st-access-token': '', 'st-refresh-token': '' })
    expect(frontTokenOf(cookie).uid).toBe('alice')
    expect(client.jar).toHaveLength(3)
  })
})

test('CSRF-10: another site cannot log a user in', async () => {
  server = await startSessionServer()
  for (const headers of [CROSS_SITE, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }]) {
    const reply = await login(server.client(), {}, headers)
    expect(reply.status).toBe(403)
    expect(reply.setCookies).toEqual([])
  }
  expect(server.cut.calls).toEqual([])
})

test('CK-04: claims that are too long for a cookie are an error, and no session is left', async () => {
  server = await startSessionServer()
  const reply = await login(server.client(), { payload: { filler: 'x'.repeat(5000) } })
  expect([reply.status, reply.body]).toEqual([400, '{"message":"invalid data"}'])
  expect(reply.setCookies).toEqual([])
  expect(reply.headers['front-token']).toBeUndefined()
  expect(server.failures).toEqual([])
  expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
})

describe('the session object', () => {
  test('reads and changes the data of the session', async () => {
    server = await startSessionServer({
      routes: sessions => ({
        'POST /all': async (request, response) => {
          const session = await sessions.getSession(request, response)
          const before = await session.getSessionInfo()
          await session.updateSessionInfo({ note: 'replaced' })
          await session.updateSessionInfo(({ note }) => ({ note: `${note} twice` }))
          await session.updateJwtPayload({ role: 'admin' })
          send(response, {
            before,
            info: await session.getSessionInfo(),
            payload: session.getJwtPayload(),
            frozen: Object.isFrozen(session.getJwtPayload()),
            created: session.getTimeCreated(),
            lives: session.getExpiry() - server.clock(),
            userId: session.getUserId(),
            tenantId: session.getTenantId(),
          })
        },
      }),
    })
    const client = server.client()
    await login(client, { payload: { role: 'user' }, info: { note: 'first' }, options: { tenantId: 'acme' } })
    server.clock.advance(60_000)
    const reply = await client.send('POST', '/all', { headers: SAME_ORIGIN })
    const { lives, ...rest } = JSON.parse(reply.body)
    expect(rest).toEqual({
      before: { note: 'first' }, info: { note: 'replaced twice' }, payload: { role: 'admin' }, frozen: true,
      created: NOW, userId: 'alice', tenantId: 'acme',
    })
    expect(lives).toBeGreaterThan(3_600_000 * 0.8 - 61_000)
    expect(lives).toBeLessThanOrEqual(3_600_000 - 60_000)
    expect(reply.setCookies.map(line => line.split('=')[0])).toEqual([AT, MAC])
    expect(frontTokenOf(reply).up['role']).toBe('admin')
    expect(JSON.parse((await client.send('GET', '/me')).body).payload).toEqual({ role: 'admin' })
  })

  test.each(['getSessionInfo', 'updateSessionInfo', 'updateJwtPayload'] as const)(
    'REV-07: %s on a revoked session throws, clears the tokens and does not restore it',
    async call => {
      server = await startSessionServer({
        routes: sessions => ({
          'POST /late': async (request, response) => {
            const session = await sessions.getSession(request, response)
            await sessions.revokeSession(session.getHandle())
            await session[call]({})
            send(response, {})
          },
        }),
      })
      const client = server.client()
      await login(client)
      const reply = await client.send('POST', '/late', { headers: SAME_ORIGIN })
      expect([reply.status, reply.body]).toEqual([401, '{"message":"unauthorised"}'])
      expect(reply.headers['front-token']).toBe('remove')
      expect(client.jar).toEqual([])
      expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
    },
  )

  test('revokeSession revokes the session and clears the tokens', async () => {
    server = await startSessionServer({
      routes: sessions => ({
        'POST /leave': async (request, response) => {
          await (await sessions.getSession(request, response)).revokeSession()
          send(response, {})
        },
      }),
    })
    const client = server.client()
    await login(client)
    expect((await client.send('POST', '/leave', { headers: SAME_ORIGIN })).headers['front-token']).toBe('remove')
    expect(client.jar).toEqual([])
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test('L-03: after the response was sent, methods reject, and a revocation takes effect', async () => {
    const late: Promise<unknown>[] = []
    server = await startSessionServer({
      routes: sessions => ({
        'POST /slow': async (request, response) => {
          const session = await sessions.getSession(request, response)
          send(response, {})
          late.push(session.updateJwtPayload({ role: 'late' }), session.revokeSession())
          // They reject before the test awaits them.
          for (const call of late) call.catch(() => undefined)
        },
      }),
    })
    const client = server.client()
    await login(client)
    const reply = await client.send('POST', '/slow', { headers: SAME_ORIGIN })
    expect(reply.setCookies).toEqual([])
    expect(late).toHaveLength(2)
    for (const call of late) await expect(call).rejects.toThrow('the response was already sent')
    expect(await server.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test('a request with a session costs no store call, a login one, the next login two', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    expect(server.cut.calls).toEqual(['insert'])
    await client.send('GET', '/me')
    await client.send('POST', '/act', { headers: SAME_ORIGIN })
    expect(server.cut.calls).toEqual(['insert'])
    await login(client)
    expect(server.cut.calls).toEqual(['insert', 'insert', 'remove'])
  })
})

test('CK-11: two applications on one host do not affect each other', async () => {
  server = await startSessionServer({
    cookie: { accessTokenName: '__Host-one-at', refreshTokenName: '__Secure-one-rt' },
  })
  const other = await startSessionServer({
    cookie: { accessTokenName: '__Host-two-at', refreshTokenName: '__Secure-two-rt' },
  })
  try {
    const [one, two] = [server.client(), other.client()]
    await login(one)
    two.jar = one.jar
    await login(two)
    one.jar = two.jar
    expect((await one.send('GET', '/me')).status).toBe(200)
    await one.send('POST', '/auth/signout', { headers: { origin: ORIGIN } })
    two.jar = one.jar
    expect((await two.send('GET', '/me')).status).toBe(200)
  } finally {
    await other.close()
  }
})
