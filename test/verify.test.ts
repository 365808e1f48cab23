import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../src/stores/memory.ts'
import { signIn } from '../src/testing/index.ts'
import { createVerifier } from '../src/verify.ts'
import type { SessionReading, Verifier, VerifierOptions } from '../src/verify.ts'
import { AT, ORIGIN, REFRESH, SAME_ORIGIN, startSessionServer } from './support/session-server.ts'
import type { Claims, SessionServer } from './support/session-server.ts'

const issuer = `${ORIGIN}/auth`
const HOUR = 3_600_000
const jwksPath = '/auth/jwt/jwks.json'

let server: SessionServer

afterEach(() => server.close())

interface Login {
  readonly token: string
  readonly handle: string
}

async function login(userId = 'alice'): Promise<Login> {
  const reply = await server.client().send('POST', '/login', {
    headers: { 'st-auth-mode': 'header' }, body: { userId, payload: { role: 'reader' } },
  })
  return { token: reply.headers['st-access-token'] ?? '', handle: JSON.parse(reply.body).handle }
}

/** A verifier that fetches the server's key set over HTTP, and the URLs it fetched. */
function remote(options: Partial<VerifierOptions> = {}): { verifier: Verifier<Claims>; fetched: string[] } {
  const fetched: string[] = []
  const verifier = createVerifier<Claims>({
    issuer,
    clock: server.clock,
    fetch(url) {
      fetched.push(url)
      return fetch(url.replace(ORIGIN, `http://127.0.0.1:${server.port}`))
    },
    ...options,
  })
  return { verifier, fetched }
}

const userOf = (reading: SessionReading<Claims>): unknown => (
  reading.kind === 'active' ? reading.session.getUserId() : reading.kind
)

describe('verification in another service', () => {
  test('fetches the key set once, at the first token, and returns the content of the token', async () => {
    server = await startSessionServer()
    const { token, handle } = await login('älice')
    const { verifier, fetched } = remote()
    expect(fetched).toEqual([])
    const reading = await verifier.verify(token)
    if (reading.kind !== 'active') throw new Error(reading.kind)
    const { session } = reading
    expect([session.getUserId(), session.getHandle(), session.getTenantId()]).toEqual(['älice', handle, 'public'])
    expect(session.getJwtPayload()).toEqual({ role: 'reader' })
    expect(Object.isFrozen(session.getJwtPayload())).toBe(true)
    for (const _ of [1, 2, 3]) expect(userOf(await verifier.verify(token))).toBe('älice')
    expect(fetched).toEqual([`${issuer}/jwt/jwks.json`])
  })

  test('finds the token of a request as the server does', async () => {
    server = await startSessionServer()
    const client = server.client()
    await client.send('POST', '/login', { headers: SAME_ORIGIN, body: {} })
    const cookie = client.cookie(AT)
    const { token } = await login('bob')
    const { verifier } = remote()
    const read = async (headers: HeadersInit): Promise<unknown> => (
      userOf(await verifier.readSession(new Request('https://edge.example/', { headers })))
    )
    expect(await read({ cookie: `a=b; ${AT}=${cookie}` })).toBe('alice')
    expect(await read({ authorization: `Bearer ${token}` })).toBe('bob')
    expect(await read({ authorization: `Bearer ${token}`, cookie: `${AT}=${cookie}` })).toBe('bob')
    expect(await read({ authorization: 'Bearer unrecognized', cookie: `${AT}=${cookie}` })).toBe('alice')
    expect(await read({ authorization: `Bearer ${cookie}` }), 'CK-14').toBe('none')
    expect(await read({ cookie: `${AT}=${token}` }), 'CK-14').toBe('none')
    expect(await read({})).toBe('none')
    expect(await read({ cookie: 'sAccessToken=x' })).toBe('none')
  })

  test('L-14: derives the name of the cookie as the server does, with the port on localhost', async () => {
    const options = [{}, { issuer: 'https://localhost:8443/auth' }, { issuer: 'http://shop.localhost:81/auth' }]
    for (const { issuer: local = 'http://localhost:3000/auth' } of options) {
      server = await startSessionServer({ origin: new URL(local).origin })
      const name = server.sessions.http.policy.cookies.accessToken.attributes.name
      expect(name).toContain(`sAccessToken-${new URL(local).port}`)
      const { accessToken } = await signIn(server.sessions, 'alice')
      const verifier = createVerifier({ issuer: local, jwks: await server.sessions.getJwks(), clock: server.clock })
      const request = new Request('https://edge.example/', {
        headers: { cookie: `sAccessToken=x; ${name}=${accessToken}` },
      })
      expect(userOf(await verifier.readSession(request))).toBe('alice')
      await server.close()
    }
    server = await startSessionServer()
  })

  test('an expired token needs a refresh, and so does one with an invalid signature', async () => {
    server = await startSessionServer()
    const { token } = await login()
    const { verifier } = remote()
    expect(await verifier.verify(`${token.slice(0, -3)}AAA`)).toEqual({ kind: 'needs-refresh' })
    server.clock.advance(HOUR)
    expect(await verifier.verify(token)).toEqual({ kind: 'needs-refresh' })
  })

  test('TOK-10: another issuer or another audience is rejected', async () => {
    server = await startSessionServer({ audience: 'shop' })
    const { token } = await login()
    expect(userOf(await remote({ audience: 'shop' }).verifier.verify(token))).toBe('alice')
    const jwksUrl = `http://127.0.0.1:${server.port}${jwksPath}`
    const other = { audience: 'shop', issuer: 'https://other.example/auth', jwksUrl }
    for (const options of [{}, { audience: 'blog' }, other]) {
      expect(userOf(await remote(options).verifier.verify(token))).toBe('needs-refresh')
    }
  })

  test.each(['ES256', 'EdDSA', 'RS256'] as const)('%s keys, as a key set, as one key and by URL', async algorithm => {
    server = await startSessionServer({ algorithm })
    const { token } = await login()
    const jwks = await server.sessions.getJwks()
    const [publicKey] = jwks.keys
    if (publicKey === undefined) throw new Error('no key')
    const { clock } = server
    expect(userOf(await createVerifier<Claims>({ issuer, jwks, clock }).verify(token))).toBe('alice')
    expect(userOf(await createVerifier<Claims>({ issuer, publicKey, clock }).verify(token))).toBe('alice')
    expect(userOf(await remote().verifier.verify(token))).toBe('alice')
    expect(() => createVerifier({ issuer, jwks, publicKey })).toThrow('one of')
  })
})

describe('the key set', () => {
  test('TOK-06: is fetched again for an unknown key, at most once per 5 s', async () => {
    server = await startSessionServer()
    const { verifier, fetched } = remote()
    expect(userOf(await verifier.verify((await login()).token))).toBe('alice')
    await server.sessions.revokeEverySession()
    const { token } = await login('bob')
    expect(userOf(await verifier.verify(token)), 'unknown, and it was fetched just now').toBe('needs-refresh')
    expect(fetched).toHaveLength(1)
    server.clock.advance(5000)
    expect(userOf(await verifier.verify(token))).toBe('bob')
    expect(fetched).toHaveLength(2)
  })

  test('DOS-02: tokens with invented key ids cause no more fetches than that', async () => {
    server = await startSessionServer()
    const { token } = await login()
    const { verifier, fetched } = remote()
    await verifier.verify(token)
    server.clock.advance(5000)
    const [, payload, signature] = token.split('.')
    for (let index = 0; index < 20; index++) {
      const kid = `AAAAAAAAAAAAAAA${String.fromCharCode(65 + index)}`
      const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })).toString('base64url')
      expect(userOf(await verifier.verify([header, payload, signature].join('.')))).toBe('needs-refresh')
      expect(userOf(await verifier.verify(token))).toBe('alice')
    }
    expect(fetched).toHaveLength(2)
  })

  test('is fetched again after a minute, so that a removed key is not used for long', async () => {
    server = await startSessionServer()
    const { token } = await login()
    const { verifier } = remote()
    expect(userOf(await verifier.verify(token))).toBe('alice')
    await server.sessions.revokeEverySession()
    server.clock.advance(60_000)
    expect(userOf(await verifier.verify(token))).toBe('needs-refresh')
  })

  test('stays in use while it cannot be fetched, with an attempt every 5 s', async () => {
    server = await startSessionServer()
    const { token } = await login()
    let isDown = false
    let asked = 0
    const { port } = server
    const { verifier } = remote({
      fetch(url) {
        asked += 1
        if (isDown) return Promise.resolve(new Response('', { status: 502 }))
        return fetch(url.replace(ORIGIN, `http://127.0.0.1:${port}`))
      },
    })
    expect(userOf(await verifier.verify(token))).toBe('alice')
    isDown = true
    server.clock.advance(60_000)
    for (const _ of [1, 2, 3]) expect(userOf(await verifier.verify(token))).toBe('alice')
    expect(asked).toBe(2)
    server.clock.advance(5000)
    expect(userOf(await verifier.verify(token))).toBe('alice')
    expect(asked).toBe(3)
  })

  test('P-04: that cannot be fetched is asked for once a second, however many tokens come', async () => {
    server = await startSessionServer()
    const { token } = await login()
    let asked = 0
    const { port } = server
    const { verifier } = remote({
      fetch(url) {
        asked += 1
        return asked <= 3 ? Promise.reject(new Error('down')) : fetch(url.replace(ORIGIN, `http://127.0.0.1:${port}`))
      },
    })
    for (const attempt of [1, 2, 3]) {
      for (let call = 0; call < 50; call++) {
        await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      }
      expect(asked).toBe(attempt)
      server.clock.advance(1000)
    }
    expect(userOf(await verifier.verify(token))).toBe('alice')
  })

  test('P-16: is not fetched in the same second by services that started together', async () => {
    server = await startSessionServer()
    const { token } = await login()
    const services = Array.from({ length: 50 }, () => remote())
    for (const { verifier } of services) await verifier.verify(token)
    server.clock.advance(47_999)
    for (const { verifier } of services) await verifier.verify(token)
    expect(services.every(({ fetched }) => fetched.length === 1)).toBe(true)
    let most = 0
    let before = 50
    for (let second = 0; second < 13; second++) {
      server.clock.advance(1000)
      for (const { verifier } of services) await verifier.verify(token)
      const fetches = services.reduce((sum, { fetched }) => sum + fetched.length, 0)
      most = Math.max(most, fetches - before)
      before = fetches
    }
    expect(before).toBe(100)
    expect(most).toBeLessThan(25)
  })

  test('that was never fetched is an error, not a logout', async () => {
    server = await startSessionServer()
    const { token } = await login()
    for (const answer of [
      () => Promise.reject(new Error('unreachable')),
      () => Promise.resolve(new Response('gone', { status: 404 })),
      () => Promise.resolve(new Response('<html>')),
      () => Promise.resolve(Response.json({ keys: [] })),
      () => Promise.resolve(Response.json({ keys: 'x' })),
      () => Promise.resolve(Response.json(null)),
    ]) {
      await expect(remote({ fetch: answer }).verifier.verify(token))
        .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })

  test('TOK-02, TOK-03: unsuitable keys are ignored, and of two keys with one id the first is used', async () => {
    server = await startSessionServer()
    const { token } = await login()
    const { keys: [own] } = await server.sessions.getJwks()
    if (own === undefined) throw new Error('no key')
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const other = { ...await exportJWK(publicKey), alg: 'ES256', use: 'sig', kid: own.kid }
    const k = Buffer.alloc(32, 1).toString('base64url')
    const secret = { kty: 'oct', k, alg: 'HS256', use: 'sig', kid: 'AAAAAAAAAAAAAAAA' }
    const useless = [
      null, 1, 'x', [], {}, { ...own, use: 'enc' }, { ...own, kid: 1 }, { ...own, kid: undefined },
      { ...own, alg: 'ES384' }, { ...own, x: 'AA' }, { ...own, x: 1 }, { ...own, kty: 'RSA' }, secret,
    ]
    const verifierOf = (keys: readonly unknown[]): Verifier<Claims> => (
      remote({ fetch: () => Promise.resolve(Response.json({ keys })) }).verifier
    )
    expect(userOf(await verifierOf([...useless, own, other]).verify(token))).toBe('alice')
    expect(userOf(await verifierOf([other, own]).verify(token))).toBe('needs-refresh')
    await expect(verifierOf(useless).verify(token)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

    const [, payload] = token.split('.')
    const forged = await new SignJWT(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: secret.kid }).sign(Buffer.alloc(32, 1))
    expect(userOf(await verifierOf([secret, own]).verify(forged))).toBe('needs-refresh')
  })

  test('redirects are not followed', async () => {
    server = await startSessionServer({
      routes: () => ({
        'GET /moved': (_, response) => {
          response.writeHead(302, { location: jwksPath }).end()
        },
      }),
    })
    const { token } = await login()
    const verifier = createVerifier({ issuer, jwksUrl: `http://127.0.0.1:${server.port}/moved`, clock: server.clock })
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('with a feed', () => {
  test('REV-02: a revoked session is rejected within the poll interval, others are not', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ store })
    const [alice, bob] = [await login(), await login('bob')]
    let reads = 0
    const feed = {
      changesSince(cursor: string | null, limit: number) {
        reads += 1
        return store.changesSince(cursor, limit)
      },
    }
    const { verifier } = remote({ feed })
    expect(userOf(await verifier.verify(alice.token))).toBe('alice')
    await server.sessions.revokeSession(alice.handle)
    for (const _ of [1, 2, 3]) await verifier.verify(bob.token)
    expect(reads).toBe(1)
    server.clock.advance(1000)
    expect(userOf(await verifier.verify(alice.token))).toBe('none')
    expect(userOf(await verifier.verify(bob.token))).toBe('bob')
    expect(reads).toBe(2)
  })

  test('REV-02: a request that comes while another one reads the feed waits for that reading', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ store })
    const [alice, bob] = [await login(), await login('bob')]
    let delivered = Promise.resolve()
    const { verifier } = remote({
      feed: {
        async changesSince(cursor, limit) {
          await delivered
          return store.changesSince(cursor, limit)
        },
      },
    })
    await verifier.verify(bob.token)
    await server.sessions.revokeSession(alice.handle)
    server.clock.advance(4_000)
    let deliver = (): void => undefined
    delivered = new Promise(resolve => void (deliver = resolve))
    const [first, second] = [verifier.verify(bob.token), verifier.verify(alice.token)]
    deliver()
    expect([userOf(await first), userOf(await second)]).toEqual(['bob', 'none'])
  })

  test('a token whose payload was updated elsewhere needs a refresh', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ store })
    const client = server.client()
    await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { payload: { role: 'admin' } } })
    const { verifier } = remote({ feed: store })
    const read = async (): Promise<unknown> => {
      const headers = { cookie: `${AT}=${client.cookie(AT)}` }
      const reading = await verifier.readSession(new Request('https://edge.example/', { headers }))
      return reading.kind === 'active' ? reading.session.getJwtPayload() : reading.kind
    }
    expect(await read()).toEqual({ role: 'admin' })
    const [handle = ''] = await server.sessions.getAllSessionHandlesForUser('alice')
    await server.sessions.updateJwtPayload(handle, { role: 'reader' })
    server.clock.advance(1000)
    expect(await read()).toBe('needs-refresh')
    await client.send('POST', REFRESH, { headers: SAME_ORIGIN })
    expect(await read()).toEqual({ role: 'reader' })
  })

  test('P-02: a feed is read on from its cursor after a failure, and asked once per poll interval meanwhile', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ store })
    const { token } = await login()
    let isDown = false
    const cursors: (string | null)[] = []
    const { verifier } = remote({
      feed: {
        changesSince(cursor, limit) {
          cursors.push(cursor)
          return isDown ? Promise.reject(new Error('down')) : store.changesSince(cursor, limit)
        },
      },
    })
    const other = await login('bob')
    await server.sessions.revokeSession(other.handle)
    await verifier.verify(token)
    isDown = true
    server.clock.advance(10_000)
    for (let call = 0; call < 50; call++) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    expect(cursors).toHaveLength(2)
    isDown = false
    server.clock.advance(1000)
    expect(userOf(await verifier.verify(token))).toBe('alice')
    expect(userOf(await verifier.verify(other.token))).toBe('none')
    expect(cursors).toEqual([null, expect.any(String), cursors[1]])
  })

  test('a feed that cannot be read is trusted for maxStaleness, then it is an error', async () => {
    const store = createMemoryStore()
    server = await startSessionServer({ store })
    const { token, handle } = await login()
    let isDown = false
    const { verifier } = remote({
      feed: {
        changesSince: (cursor, limit) => (
          isDown ? Promise.reject(new Error('down')) : store.changesSince(cursor, limit)
        ),
      },
    })
    expect(userOf(await verifier.verify(token))).toBe('alice')
    isDown = true
    server.clock.advance(4999)
    expect(userOf(await verifier.verify(token))).toBe('alice')
    server.clock.advance(1)
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    isDown = false
    await server.sessions.revokeSession(handle)
    server.clock.advance(1000)
    expect(userOf(await verifier.verify(token))).toBe('none')
  })
})

describe('L-36: ready()', () => {
  test('L-36: reads key set and feed ahead: the first verification fetches nothing', async () => {
    server = await startSessionServer()
    const { token } = await login()
    let reads = 0
    const memory = createMemoryStore()
    const { verifier, fetched } = remote({
      feed: { changesSince: (...call) => (reads += 1, memory.changesSince(...call)) },
    })
    await verifier.ready()
    expect([fetched.length, reads]).toEqual([1, 1])
    await verifier.ready()
    expect(userOf(await verifier.verify(token))).toBe('alice')
    expect([fetched.length, reads]).toEqual([1, 1])
  })

  test('L-36: says whether the key set or the feed is away, and ends at its timeout or the signal', async () => {
    server = await startSessionServer()
    const { verifier: keyless } = remote({ fetch: () => Promise.reject(new Error('connection refused')) })
    await expect(keyless.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', reason: 'keys-unreachable' })
    const { verifier: feedless } = remote({
      feed: { changesSince: () => Promise.reject(new Error('connection refused')) },
    })
    await expect(feedless.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', reason: 'feed-unreachable' })
    const { verifier: silent } = remote({ fetch: () => new Promise(() => undefined) })
    await expect(silent.ready({ timeout: '1ms' })).rejects.toMatchObject({ reason: 'keys-unreachable' })
    const { verifier: silentFeed } = remote({ feed: { changesSince: () => new Promise(() => undefined) } })
    await expect(silentFeed.ready({ timeout: '200ms' })).rejects.toMatchObject({ reason: 'feed-unreachable' })
    await expect(silent.ready({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
    await expect(silent.ready({ timeout: 0 })).rejects.toThrow('timeout must be a duration')
  })
})
