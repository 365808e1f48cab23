import { afterEach, describe, expect, test } from 'vitest'
import { parseRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { AT, MAC, CROSS_SITE, REFRESH, RT, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

let server: SessionServer

afterEach(() => server.close())

const HOUR = 3_600_000

async function login(
  client: HttpClient,
  userId = 'alice',
  headers: Record<string, string> = SAME_ORIGIN,
): Promise<Reply> {
  const reply = await client.send('POST', '/login', { headers, body: { userId } })
  expect(reply.status).toBe(200)
  return reply
}

const refresh = (
  client: HttpClient,
  headers: Record<string, string> = {},
  extraCookies: string[] = [],
): Promise<Reply> =>
  client.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, ...headers }, extraCookies })
const refreshWith = (client: HttpClient, cookie: string): Promise<Reply> =>
  client.send('POST', REFRESH, { jar: false, headers: { ...SAME_ORIGIN, cookie } })
const message = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).message]

describe('FP-10.2#1, FP-10.2#2, CMP-02: duplicate cookies', () => {
  test('beside invalid ones, the valid token is exchanged, and injected cookies on the own host are removed', async () => {
    server = await startSessionServer({ cookie: { accessTokenName: 'at', refreshTokenName: 'rt' } })
    const client = server.client()
    await login(client)
    client.keep(`rt=tossed; Domain=app.example.com; Path=${REFRESH}; Secure`)
    client.keep('at=tossed; Domain=app.example.com; Path=/; Secure')
    expect((await refresh(client)).status).toBe(200)
    expect(client.jar.map(({ name, hostOnly }) => [name, hostOnly]))
      .toEqual([['at', true], ['atMac', true], ['rt', true]])
    expect((await client.send('GET', '/me')).status).toBe(200)
  })

  test('of an older generation of the same session are not theft: the newest is exchanged', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const first = client.cookie(RT)
    for (const _ of [1, 2]) {
      server.clock.advance(HOUR)
      expect((await refresh(client)).status).toBe(200)
    }
    server.clock.advance(HOUR)
    const newest = client.cookie(RT)
    const cookies = (...tokens: (string | undefined)[]): string =>
      [`${AT}=${client.cookie(AT)}`, ...tokens.map(token => `${RT}=${token}`)].join('; ')
    expect((await refreshWith(client, cookies(first, newest))).status).toBe(200)
    expect((await refreshWith(client, cookies(newest, first))).status).toBe(200)
  })

  test('forged with a higher generation do not hide the valid one', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const valid = client.cookie(RT) ?? ''
    const parts = valid.split('.')
    const forged = [...parts.slice(0, 3), '999', ...parts.slice(4)].join('.')
    expect(parseRefreshToken(forged)).toMatchObject({ generation: 999 })
    const reply = await refresh(client, {}, [`${RT}=${forged}`])
    expect(reply.status).toBe(200)
  })

  test('of two sessions are 401, never 5xx; those on other domains are removed, and the next attempt succeeds', async () => {
    server = await startSessionServer({ cookie: { accessTokenName: 'at', refreshTokenName: 'rt' } })
    const [alice, mallory] = [server.client(), server.client()]
    await login(alice)
    await login(mallory, 'mallory')
    alice.keep(`rt=${mallory.cookie('rt')}; Domain=example.com; Path=${REFRESH}; Secure`)
    alice.keep(`at=${mallory.cookie('at')}; Domain=example.com; Path=/; Secure`)
    expect(message(await refresh(alice))).toEqual([401, 'unauthorised'])
    expect((await refresh(alice)).status).toBe(200)
    expect(JSON.parse((await alice.send('GET', '/me')).body).userId).toBe('alice')
    expect((await mallory.send('GET', '/me')).status).toBe(200)
  })
})

describe('FP-10.2#3: no refresh token', () => {
  test('is 401 and front-token: remove, and no cookie is changed', async () => {
    server = await startSessionServer()
    const reply = await refresh(server.client(), { rid: 'session' })
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.headers['front-token']).toBe('remove')
    expect(reply.setCookies).toEqual([])
  })

  test('a cookie counts only beside an access token of the same session', async () => {
    server = await startSessionServer()
    const [alice, mallory] = [server.client(), server.client()]
    await login(alice)
    await login(mallory, 'mallory')
    for (const cookie of [
      `${RT}=${mallory.cookie(RT)}`,
      `${AT}=${alice.cookie(AT)}; ${RT}=${mallory.cookie(RT)}`,
      `${AT}=junk; ${RT}=${mallory.cookie(RT)}`,
    ]) {
      const reply = await refreshWith(alice, cookie)
      expect(message(reply)).toEqual([401, 'unauthorised'])
      expect(reply.setCookies).toEqual([])
    }
    server.clock.advance(10 * HOUR)
    expect((await refresh(mallory)).status, 'an expired access token is enough').toBe(200)
  })
})

describe('FP-10.2#4: without a valid anti-CSRF header, a refresh is 401 and no cookie is changed', () => {
  test('custom-header', async () => {
    server = await startSessionServer({ antiCsrf: 'custom-header' })
    const client = server.client()
    await login(client)
    const reply = await refresh(client)
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.setCookies).toEqual([])
    expect((await refresh(client, { rid: 'session' })).status).toBe(200)
  })

  test('token: also with a wrong one; the response to a valid one contains the next', async () => {
    server = await startSessionServer({ antiCsrf: 'token' })
    const client = server.client()
    const first = (await login(client)).headers['anti-csrf'] ?? ''
    for (const headers of [{}, { 'anti-csrf': 'x' }]) {
      const reply = await refresh(client, headers)
      expect(message(reply)).toEqual([401, 'unauthorised'])
      expect(reply.setCookies).toEqual([])
    }
    const reply = await refresh(client, { 'anti-csrf': first })
    expect(reply.status).toBe(200)
    const next = reply.headers['anti-csrf'] ?? ''
    expect((await client.send('POST', '/act', { headers: { ...SAME_ORIGIN, 'anti-csrf': next } })).status).toBe(200)
  })
})

describe('FP-10.2#5: a refresh token that does not work', () => {
  test('is cleared if its session has ended', async () => {
    server = await startSessionServer()
    const client = server.client()
    const { handle } = JSON.parse((await login(client)).body)
    await server.sessions.revokeSession(handle)
    const reply = await refresh(client)
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.headers['front-token']).toBe('remove')
    expect(client.jar).toEqual([])
  })

  test('CK-12: is rejected after the session expired, even if its cookie is kept for longer', async () => {
    server = await startSessionServer({ idleTimeout: 7200 })
    const client = server.client()
    await login(client)
    const cookie = `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
    server.clock.advance(3 * HOUR)
    expect(client.cookie(RT)).toBeUndefined()
    const reply = await refreshWith(client, cookie)
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.setCookies.map(line => line.split('=')[0])).toEqual([AT, MAC, RT])
  })

  test('is not cleared if Keyturn did not issue it', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const token = client.cookie(RT) ?? ''
    const forged = token.slice(0, -1) + (token.endsWith('A') ? 'E' : 'A')
    const reply = await refreshWith(client, `${AT}=${client.cookie(AT)}; ${RT}=${forged}`)
    expect(message(reply)).toEqual([401, 'unauthorised'])
    expect(reply.headers['front-token']).toBe('remove')
    expect(reply.setCookies).toEqual([])
    expect((await refresh(client)).status).toBe(200)
  })
})

test('FP-10.2#6: theft clears the tokens and revokes the session', async () => {
  server = await startSessionServer({ accessTokenBlacklisting: 'strict' })
  const client = server.client()
  await login(client)
  const stolen = `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
  for (const _ of [1, 2]) {
    server.clock.advance(HOUR)
    expect((await refresh(client)).status).toBe(200)
  }
  const reply = await refreshWith(client, stolen)
  expect(message(reply)).toEqual([401, 'token theft detected'])
  expect(reply.headers['front-token']).toBe('remove')
  expect(reply.setCookies.map(line => line.split('=')[0])).toEqual([AT, MAC, RT])
  expect((await client.send('GET', '/me')).status).toBe(401)
  expect((await refresh(client)).status).toBe(401)
})

test('FP-10.2#7, REV-11: if the store is down, a refresh is 503, nothing is cleared, and it succeeds later', async () => {
  server = await startSessionServer()
  const client = server.client()
  await login(client)
  server.cut.down = true
  const reply = await refresh(client)
  expect(message(reply)).toEqual([503, 'session service unavailable'])
  expect(reply.headers['retry-after']).toBe('1')
  expect(reply.headers['front-token']).toBeUndefined()
  expect(reply.setCookies).toEqual([])
  expect(reply.body).not.toContain('db.internal')
  expect(server.failures, 'the application is notified').toHaveLength(1)
  server.cut.down = false
  expect((await refresh(client)).status).toBe(200)
})

describe('FP-10.2#8: success', () => {
  test('is 200 {} with a new pair and a new front token', async () => {
    server = await startSessionServer()
    const client = server.client()
    const before = await login(client)
    const [at, rt] = [client.cookie(AT), client.cookie(RT)]
    server.clock.advance(HOUR)
    server.cut.calls.length = 0
    const reply = await refresh(client, { 'fdi-version': '9.9', rid: 'session' })
    expect([reply.status, reply.body]).toEqual([200, '{}'])
    expect(server.cut.calls).toEqual(['rotate'])
    expect(client.cookie(AT)).not.toBe(at)
    expect(client.cookie(RT)).not.toBe(rt)
    const front = JSON.parse(atob(reply.headers['front-token'] ?? ''))
    expect(front.ate).toBeGreaterThan(JSON.parse(atob(before.headers['front-token'] ?? '')).ate)
  })

  test('a retry with the old token returns the same child', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const cookie = `${AT}=${client.cookie(AT)}; ${RT}=${client.cookie(RT)}`
    await refresh(client)
    const again = await refreshWith(client, cookie)
    expect(again.status).toBe(200)
    expect(again.setCookies.find(line => line.startsWith(RT))).toContain(`${RT}=${client.cookie(RT)};`)
  })

  test('in header mode has the tokens in headers, and clears cookies', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    const header = await server.client().send('POST', '/login', { headers: { 'st-auth-mode': 'header' }, body: {} })
    const reply = await client.send('POST', REFRESH, {
      headers: { authorization: `Bearer ${header.headers['st-refresh-token']}` },
    })
    expect([reply.status, reply.body]).toEqual([200, '{}'])
    expect(reply.headers['st-refresh-token']).not.toBe(header.headers['st-refresh-token'])
    expect(reply.headers['front-token']).not.toBe('remove')
    expect(client.jar).toEqual([])
    const me = await client.send('GET', '/me', {
      headers: { authorization: `Bearer ${reply.headers['st-access-token']}` },
    })
    expect(me.status).toBe(200)
  })

  test('an unrecognized bearer token does not hide the cookie', async () => {
    server = await startSessionServer()
    const client = server.client()
    await login(client)
    for (const bearer of ['junk', 'a.b.c', client.cookie(AT)]) {
      expect((await refresh(client, { authorization: `Bearer ${bearer}` })).status).toBe(200)
    }
  })

  test('also works on the path with a tenant', async () => {
    server = await startSessionServer()
    const header = await server.client().send('POST', '/login', { headers: { 'st-auth-mode': 'header' }, body: {} })
    const reply = await server.client().send('POST', '/auth/public/session/refresh', {
      headers: { authorization: `Bearer ${header.headers['st-refresh-token']}` },
    })
    expect(reply.status).toBe(200)
  })
})

test('CMP-04, CSRF-15: a refresh of another site clears nothing, with or without cookies', async () => {
  server = await startSessionServer()
  const client = server.client()
  await login(client)
  const jar = client.jar
  for (const options of [{}, { jar: false }, { jar: false, extraCookies: [`${RT}=junk`] }]) {
    for (const headers of [
      CROSS_SITE, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' },
    ]) {
      const reply = await client.send('POST', REFRESH, { headers, ...options })
      expect(reply.status).toBe(403)
      expect(JSON.parse(reply.body)).toEqual({ message: 'cross-site request refused' })
      expect(reply.setCookies).toEqual([])
      expect(reply.headers['front-token']).toBeUndefined()
    }
  }
  expect(client.jar).toEqual(jar)
  expect((await refresh(client)).status).toBe(200)
})
