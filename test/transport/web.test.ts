import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import type { WebSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions } from '../../src/index.ts'
import {
  AT, MAC, createCutStore, createTestClock, CROSS_SITE, ORIGIN, REFRESH, RT, SAME_ORIGIN, SIGNOUT,
} from '../support/session-server.ts'
import type { CutStore, TestClock } from '../support/session-server.ts'

type Claims = { role?: string }
type Info = { note?: string }

let clock: TestClock
let cut: CutStore
let failures: unknown[]
let sessions: Sessions<Claims, Info> & WebSessions<Claims, Info>

beforeEach(() => {
  clock = createTestClock()
  cut = createCutStore()
  failures = []
  sessions = webSessions(createSessions<Claims, Info>({
    origin: ORIGIN,
    trustedOrigins: ['https://www.example.com'],
    store: cut.store,
    clock,
    schedule: () => () => undefined,
  }), { clientIp: request => request.headers.get('cf-connecting-ip'), onError: error => failures.push(error) })
})

afterEach(() => sessions.close())

function ask(method: string, path: string, headers: Record<string, string> = {}): Request {
  return new Request(ORIGIN + path, { method, headers: { ...SAME_ORIGIN, ...headers } })
}

const cookiesOf = (response: Response): string =>
  response.headers.getSetCookie().map(line => line.slice(0, line.indexOf(';'))).join('; ')

async function login(): Promise<string> {
  const headers = new Headers()
  const request = ask('POST', '/login', { 'cf-connecting-ip': '192.0.2.1' })
  await sessions.createNewSession(request, headers, 'alice', { role: 'user' })
  return cookiesOf(new Response(null, { headers }))
}

test('tokens are written to the headers of the response', async () => {
  const headers = new Headers({ 'set-cookie': 'own=1' })
  const session = await sessions.createNewSession(ask('POST', '/login'), headers, 'alice')
  const response = new Response('{}', { headers })
  expect(response.headers.getSetCookie().map(line => line.split('=')[0])).toEqual(['own', AT, MAC, RT])
  expect(response.headers.get('cache-control')).toBe('private, no-store')

  const cookie = cookiesOf(response)
  const found = await sessions.getSession(ask('GET', '/me', { cookie }), new Headers())
  expect(found.getHandle()).toBe(session.getHandle())
  expect(await sessions.getSession(ask('GET', '/me'), new Headers(), { required: false })).toBeNull()
  await expect(sessions.getSession(ask('GET', '/me'), new Headers())).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
})

test('a revoked session is 404 by handle, and 401 in its own request', async () => {
  const cookie = await login()
  const headers = new Headers()
  const session = await sessions.getSession(ask('GET', '/me', { cookie }), headers)
  await sessions.revokeSession(session.getHandle())
  const calls = [
    () => sessions.getSessionInfo(session.getHandle()),
    () => sessions.updateSessionInfo('no handle', {}),
    () => sessions.updateJwtPayload(session.getHandle(), {}),
  ]
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  const error: unknown = await sessions.getSessionInfo(session.getHandle()).catch((reason: unknown) => reason)
  expect(sessions.http.errorReply(error, {
    identity: {}, method: 'GET', path: '/', query: '', client: { ip: null, userAgent: null }, header: () => null,
  }))
    .toMatchObject({ status: 404 })
  await expect(session.updateJwtPayload({})).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  expect(cookiesOf(new Response(null, { headers }))).toContain(`${AT}=`)
})

test('clientIp determines the address of the client', async () => {
  await login()
  expect((await sessions.listSessions('alice')).sessions[0]?.ip).toBe('192.0.2.1')
})

describe('S-09: the Cache-Control of the application', () => {
  const changes: readonly ((headers: Headers) => void)[] = [
    headers => headers.set('Cache-Control', 'public, max-age=60'),
    headers => headers.append('cache-control', 'public'),
    headers => headers.delete('cache-control'),
  ]

  test('never overrides `private, no-store` of a response with tokens', async () => {
    for (const change of changes) {
      const headers = new Headers()
      await sessions.createNewSession(ask('POST', '/login'), headers, 'alice')
      change(headers)
      headers.set('x-own', 'yes')
      const own = new Response(null, { headers })
      expect([own.headers.get('cache-control'), own.headers.get('x-own')]).toEqual(['private, no-store', 'yes'])

      const wrapped = await sessions.handler(async (request, sink) => {
        await sessions.createNewSession(request, sink, 'alice')
        change(sink)
        return new Response(null, { headers: { 'cache-control': 'public' } })
      })(ask('POST', '/login'))
      expect(wrapped.headers.get('cache-control')).toBe('private, no-store')
    }
  })

  test('overrides `private` of a verified session, in the headers or in the response', async () => {
    const cookie = await login()
    const answer = (inHeaders: string | null, inResponse: string | null) => sessions.handler(async (request, sink) => {
      await sessions.getSession(request, sink)
      if (inHeaders !== null) sink.set('cache-control', inHeaders)
      return new Response(null, { headers: inResponse === null ? {} : { 'cache-control': inResponse } })
    })(ask('GET', '/me', { cookie }))
    expect((await answer(null, null)).headers.get('cache-control')).toBe('private')
    expect((await answer('max-age=60', null)).headers.get('cache-control')).toBe('max-age=60')
    expect((await answer(null, 'max-age=60')).headers.get('cache-control')).toBe('max-age=60')
  })
})

test('S-08: readSession finds no session if another site opens a connection', async () => {
  const cookie = await login()
  const read = async (headers: Record<string, string>): Promise<string> => (
    (await sessions.readSession(new Request(`${ORIGIN}/live`, { headers: { cookie, ...headers } }))).kind
  )
  expect(await read({ upgrade: 'websocket', ...CROSS_SITE })).toBe('none')
  expect(await read({ upgrade: 'websocket' })).toBe('none')
  expect(await read({ upgrade: 'websocket', ...SAME_ORIGIN })).toBe('active')
  expect(await read(CROSS_SITE)).toBe('active')
})

test('S-19: addresses and user agents that are too long are cut before they are stored', async () => {
  const request = ask('POST', '/login', { 'cf-connecting-ip': '9'.repeat(300), 'user-agent': 'u'.repeat(2000) })
  await sessions.createNewSession(request, new Headers(), 'alice')
  const [session] = (await sessions.listSessions('alice')).sessions
  expect([session?.ip, session?.userAgent]).toEqual(['9'.repeat(64), 'u'.repeat(512)])
})

describe('requireSession', () => {
  test('calls the handler with the session and the arguments of the platform', async () => {
    const cookie = await login()
    const handle = sessions.requireSession((_request, session, env: { name: string }) =>
      Response.json([session.getUserId(), env.name]))
    expect(await (await handle(ask('GET', '/me', { cookie }), { name: 'worker' })).json()).toEqual(['alice', 'worker'])
  })

  test('responds without calling the handler if there is no session', async () => {
    const handle = sessions.requireSession(() => new Response('secret'))
    const response = await handle(ask('GET', '/me'))
    expect([response.status, await response.json()]).toEqual([401, { message: 'unauthorised' }])
    const cookie = await login()
    const crossSite = await handle(new Request(`${ORIGIN}/act`, { method: 'POST', headers: { cookie, ...CROSS_SITE } }))
    expect([crossSite.status, crossSite.headers.getSetCookie()]).toEqual([403, []])
  })

  test('HDR-01: keeps all cookies and forbids caching, also of an immutable response', async () => {
    const cookie = await login()
    const leave = sessions.requireSession(async (_, session) => {
      await session.revokeSession()
      return new Response('bye', {
        headers: [['set-cookie', 'own=1'], ['cache-control', 'public, max-age=60'], ['vary', 'Accept, Cookie']],
      })
    })
    const left = await leave(ask('POST', '/leave', { cookie }))
    expect(left.headers.getSetCookie().map(line => line.split('=')[0])).toEqual(['own', AT, MAC, RT])
    expect(left.headers.get('cache-control')).toBe('private, no-store')
    expect(left.headers.get('vary')).toBe('Accept, Cookie, Authorization')
    expect(left.headers.get('front-token')).toBe('remove')
    expect(await left.text()).toBe('bye')

    const again = await login()
    const redirect = sessions.requireSession(async (_, session) => {
      await session.updateJwtPayload({ role: 'admin' })
      return Response.redirect(`${ORIGIN}/home`, 303)
    })
    const redirected = await redirect(ask('POST', '/promote', { cookie: again }))
    expect([redirected.status, redirected.headers.get('location')]).toEqual([303, `${ORIGIN}/home`])
    expect(redirected.headers.getSetCookie().map(line => line.split('=')[0])).toEqual([AT, MAC])
  })

  test('does not catch errors of the application', async () => {
    const cookie = await login()
    const handle = sessions.requireSession(() => {
      throw new TypeError('a bug')
    })
    await expect(handle(ask('GET', '/me', { cookie }))).rejects.toThrow(TypeError)
  })

  test('L-03: after the response was created, methods reject, and a revocation takes effect', async () => {
    const cookie = await login()
    const late: (() => Promise<void>)[] = []
    const handle = sessions.requireSession((_, session) => {
      late.push(() => session.updateJwtPayload({ role: 'late' }), () => session.revokeSession())
      return new Response('sent')
    })
    const response = await handle(ask('POST', '/slow', { cookie }))
    for (const call of late) await expect(call()).rejects.toThrow('the response was already sent')
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })
})

test('HDR-01: handler sends each cookie once, also if the response was created with the same headers', async () => {
  const cookies = async (init: (headers: Headers) => ResponseInit): Promise<number> => {
    const handle = sessions.handler(async (request, headers) => {
      await sessions.createNewSession(request, headers, 'ada')
      return Response.json({}, init(headers))
    })
    return (await handle(ask('POST', '/login'))).headers.getSetCookie().length
  }
  expect(await cookies(headers => ({ headers }))).toBe(await cookies(() => ({})))
})

test('handler shares one set of headers and converts errors of Keyturn to responses', async () => {
  const handle = sessions.handler(async (request, headers) => {
    const session = await sessions.createNewSession(request, headers, 'alice')
    return Response.json({ handle: session.getHandle() }, { status: 201 })
  })
  const response = await handle(ask('POST', '/login'))
  expect(response.status).toBe(201)
  expect(response.headers.getSetCookie()).toHaveLength(3)
  expect((await handle(new Request(`${ORIGIN}/login`, { method: 'POST', headers: CROSS_SITE }))).status).toBe(403)
  cut.down = true
  const down = await handle(ask('POST', '/login'))
  expect([down.status, down.headers.get('retry-after'), down.headers.getSetCookie()]).toEqual([503, '1', []])
  expect(failures).toHaveLength(1)
  cut.down = false
})

test('sessionRoutes serves its routes and no others', async () => {
  const cookie = await login()
  const serve = sessions.sessionRoutes()
  expect(await serve(ask('GET', '/me'))).toBeNull()
  const refreshed = await serve(ask('POST', `${REFRESH}?x=1`, { cookie }))
  expect(refreshed?.status).toBe(200)
  const keys = await serve(ask('HEAD', '/auth/jwt/jwks.json'))
  expect([keys?.status, await keys?.text()]).toEqual([200, ''])
  const out = await serve(ask('POST', SIGNOUT, { cookie: cookiesOf(refreshed ?? new Response()) }))
  expect(await out?.json()).toEqual({ status: 'OK' })
})

test('CSRF-11: cors wraps a handler', async () => {
  const handle = sessions.cors(() => new Response('open', { headers: { vary: 'Accept' } }))
  const front = { origin: 'https://www.example.com' }
  const response = await handle(ask('GET', '/x', front))
  expect(response.headers.get('access-control-allow-origin')).toBe('https://www.example.com')
  expect(response.headers.get('vary')).toBe('Accept, Origin')
  const preflight = await handle(ask('OPTIONS', '/x', { ...front, 'access-control-request-method': 'POST' }))
  expect([preflight.status, preflight.headers.get('access-control-allow-credentials')]).toEqual([204, 'true'])
  const untrusted = await handle(ask('GET', '/x', { origin: 'https://evil.tld' }))
  expect(untrusted.headers.get('access-control-allow-origin')).toBeNull()
})

test('readSession reads and changes nothing', async () => {
  const cookie = await login()
  cut.calls.length = 0
  const reading = await sessions.readSession(ask('GET', '/page', { cookie }))
  expect(reading.kind === 'active' && reading.session.getUserId()).toBe('alice')
  expect(await sessions.readSession(ask('GET', '/page'))).toEqual({ kind: 'none' })
  clock.advance(3_600_000)
  expect(await sessions.readSession(ask('GET', '/page', { cookie }))).toEqual({ kind: 'needs-refresh' })
  expect(cut.calls).toEqual([])
})
