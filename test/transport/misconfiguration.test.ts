import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Misconfiguration } from '../../src/index.ts'
import { processRegistry } from '../../src/session/misconfiguration.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'

const ORIGIN = 'https://app.example.com'
const SECRET = 'a secret of the tests, with more than 32 characters'

type Options = Partial<Parameters<typeof createSessions>[0]>

let printed: string[]

beforeEach(() => {
  processRegistry().printed.clear()
  processRegistry().open.clear()
  printed = []
  vi.spyOn(console, 'error').mockImplementation((line: unknown) => void printed.push(String(line)))
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** An application on web requests, and the events that it gets. */
function start(options: Options = {}, clientIp: string | null = null) {
  const events: Misconfiguration[] = []
  const made = createSessions({
    origin: ORIGIN, store: createMemoryStore(), events: { onMisconfiguration: event => events.push(event) }, ...options,
  })
  const sessions = webSessions(made, { clientIp: () => clientIp })
  const send = (path: string, headers: Readonly<Record<string, string>> = {}): Request => (
    new Request(`${ORIGIN}${path}`, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin', ...headers } })
  )
  return { made, sessions, send, events }
}

/** Waits until what was found is described and listeners have been called. */
async function settled(): Promise<void> {
  await import('../../src/session/describe-misconfiguration.ts')
  await new Promise(resolve => setImmediate(resolve))
}

/** What was reported: one event and one line, which says the same. */
async function reported(events: readonly Misconfiguration[]): Promise<Misconfiguration> {
  await settled()
  const [event] = events
  expect(events).toHaveLength(1)
  if (event === undefined) throw new Error('nothing was reported')
  expect(printed).toEqual([`keyturn: ${event.message} (${event.code}, docs/diagnosis.md)`])
  return event
}

/** A login whose error is answered as in an application. */
function logInWith(
  payload: object,
  { handler, sessionRoutes, createNewSession }: ReturnType<typeof start>['sessions'],
  send: ReturnType<typeof start>['send'],
): Promise<Response> {
  sessionRoutes()
  return handler(async (request, headers) => {
    await Reflect.apply(createNewSession, null, [request, headers, 'ada', payload])
    return new Response()
  })(send('/login'))
}

describe('L-08: a misconfiguration is reported once, with its cure', () => {
  test('L-08: a request that is refused because its origin is unknown', async () => {
    const { sessions, send, events } = start()
    sessions.sessionRoutes()
    for (const origin of ['http://localhost:5173', 'http://localhost:5173', 'https://evil.example']) {
      const login = sessions.createNewSession(
        send('/login', { origin, 'sec-fetch-site': 'cross-site' }),
        new Headers(),
        'ada',
      )
      await expect(login).rejects.toMatchObject({ code: 'CROSS_SITE_REQUEST' })
    }
    expect(await reported(events)).toEqual({
      code: 'UNTRUSTED_ORIGIN', received: 'http://localhost:5173', configured: ORIGIN,
      message: 'a request from the origin "http://localhost:5173" was refused with 403; origin is '
        + '"https://app.example.com": if its page is yours, add that origin to trustedOrigins, or correct origin',
    })
  })

  test('L-08: a login, where the routes were never mounted', async () => {
    const { sessions, send, events } = start()
    for (let turn = 0; turn < 2; turn++) await sessions.createNewSession(send('/login'), new Headers(), 'ada')
    const { code, message } = await reported(events)
    expect([code, message])
      .toEqual(['ROUTES_NOT_MOUNTED', 'a session was created, but sessionRoutes() of the adapter was '
      + 'never called, so that nothing serves /auth/session/refresh: mount it, or users must log in again when their '
      + 'access token expires'])
  })

  test('L-08: a route of Keyturn under another prefix, which reaches the routes or a guard', async () => {
    for (const path of ['/api/auth/session/refresh', '/api/auth/signout']) {
      for (const reach of ['routes', 'guard'] as const) {
        printed = []
        processRegistry().printed.clear()
        const { sessions, send, events } = start()
        const routes = sessions.sessionRoutes()
        const guard = sessions.requireSession(() => new Response())
        await (reach === 'routes' ? routes(send(path)) : guard(send(path)))
        expect(await reported(events)).toMatchObject({
          code: 'ROUTES_ELSEWHERE', received: path, configured: '/auth',
          message: `a request for "${path}" reached no route of Keyturn; basePath is "/auth": `
            + 'set basePath to "/api/auth", mount sessionRoutes() at the root, or correct the front end',
        })
      }
    }
  })

  test('L-08: no secret in production; production prints nothing', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const { events } = start()
    start({ secret: SECRET, events: { onMisconfiguration: () => expect.unreachable() } })
    await settled()
    expect(events.map(({ code }) => code)).toEqual(['NO_SECRET'])
    expect(events[0]?.message).toContain('set secret to at least 32 random characters')
    expect(printed).toEqual([])
  })

  test('L-08: a proxy whose scheme and host are not those of origin', async () => {
    const { sessions, send, events } = start()
    sessions.sessionRoutes()
    const request = send('/login', { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'shop.example.com' })
    await sessions.createNewSession(request, new Headers(), 'ada')
    expect(await reported(events)).toMatchObject({
      code: 'PROXY_ORIGIN', received: 'https://shop.example.com', configured: ORIGIN,
      message: 'a proxy forwards requests for "https://shop.example.com"; origin is "https://app.example.com": set '
        + 'origin to what browsers show, and the proxy to send that host and scheme',
    })
  })

  test('L-08: the address of a proxy instead of the client\'s', async () => {
    const { sessions, send, events } = start({}, '10.0.0.1')
    sessions.sessionRoutes()
    await sessions.createNewSession(send('/login', { 'x-forwarded-for': '203.0.113.7' }), new Headers(), 'ada')
    expect(await reported(events)).toMatchObject({
      code: 'PROXY_ADDRESS', received: '10.0.0.1', message: expect.stringContaining('pass clientIp to the adapter'),
    })
    const known = start({}, '203.0.113.7')
    known.sessions.sessionRoutes()
    const headers = { 'x-forwarded-for': '203.0.113.7, 10.0.0.1', 'x-forwarded-proto': 'https' }
    await known.sessions.createNewSession(known.send('/login', headers), new Headers(), 'ada')
    await settled()
    expect(known.events).toEqual([])
  })

  test.each([
    ['https://shop.vercel.app', 'vercel.app'], ['https://ada.github.io', '.GitHub.io'], ['https://shop.co.uk', 'co.uk'],
  ])('L-08: %s with the cookie domain %s, which browsers refuse', async (origin, domain) => {
    const { events } = start({ origin, cookie: { domain } })
    const { code, message } = await reported(events)
    expect([code, message]).toEqual(['SHARED_DOMAIN', expect.stringContaining('leave cookie.domain out')])
    const own = start({ origin: 'https://a.example.co.uk', cookie: { domain: 'example.co.uk' } })
    await settled()
    expect(own.events).toEqual([])
  })

  test('L-08: a second copy of the package', async () => {
    vi.resetModules()
    const copy = await import('../../src/index.ts')
    const { registry, events } = { registry: processRegistry(), events: new Array<Misconfiguration>() }
    copy.createSessions({
      origin: ORIGIN, store: createMemoryStore(), events: { onMisconfiguration: event => events.push(event) },
    })
    const { code, message } = await reported(events)
    expect([code, registry.copies.size]).toEqual(['SECOND_COPY', 2])
    expect(message).toContain('npm ls keyturn')
    registry.copies.clear()
  })

  test('L-08: sessions that a hot reload creates again and again, and never closes', async () => {
    for (let reload = 0; reload < 8; reload++) await start().made.close()
    for (let reload = 0; reload < 4; reload++) start()
    await settled()
    expect(printed).toEqual([])
    const { code, message } = await reported(start().events)
    expect([code, message]).toEqual(['NOT_CLOSED', expect.stringContaining('keep the sessions on globalThis')])
  })

  const cycle: { self?: object } = {}
  cycle.self = cycle
  test.each([
    ['cannot be written as JSON', cycle, /self of the JWT payload is an object that contains itself, which JSON cannot carry/],
    ['is too long', { text: 'x'.repeat(2_001) }, /the JWT payload is 2012 bytes long; at most 2000 are allowed$/],
    ['has a reserved claim', { sub: 'ada' }, /a JWT payload cannot contain the reserved claim sub/],
  ])('L-08: the payload of a login %s', async (_, payload, words) => {
    const { sessions, send, events } = start()
    const response = await logInWith(payload, sessions, send)
    expect([response.status, await response.json()]).toEqual([400, { message: 'invalid data' }])
    const { code, message } = await reported(events)
    expect([code, message]).toEqual(['INVALID_DATA', expect.stringMatching(words)])
    expect(message).toMatch(/^a request was answered with 400, "invalid data": /)
  })

  test('L-08: a payload that the schema of the application rejects is no misconfiguration', async () => {
    const { sessions, send, events } = start({ payload: { '~standard': {
      version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'role is missing' }] }),
    } } })
    expect((await logInWith({ name: 'ada' }, sessions, send)).status).toBe(400)
    await settled()
    expect(events).toEqual([])
  })

  test('L-08: routes that are mounted twice', async () => {
    const { made, events } = start()
    const sessions = expressSessions(made)
    sessions.sessionRoutes()
    sessions.sessionRoutes()
    const { code, message } = await reported(events)
    expect([code, message]).toEqual(['ROUTES_MOUNTED_TWICE', expect.stringContaining('mount its result once')])
  })

  test('L-08: no message contains a secret, a token or the value of a cookie', async () => {
    const { sessions, send, events } = start({ secret: SECRET })
    const headers = new Headers()
    await sessions.createNewSession(send('/login'), headers, 'ada')
    const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
    const guard = sessions.requireSession(() => new Response())
    await guard(
      send('/other/session/refresh', { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
    )
    await guard(send('/other/session/refresh', { authorization: 'Bearer abc.def.ghi' }))
    await settled()
    expect(events.map(({ code }) => code)).toEqual(['ROUTES_NOT_MOUNTED', 'UNTRUSTED_ORIGIN', 'ROUTES_ELSEWHERE'])
    const text = JSON.stringify(events) + printed.join('')
    const values = cookie.split('; ').map(pair => pair.slice(pair.indexOf('=') + 1))
    for (const value of [SECRET, 'abc.def.ghi', ...values]) expect(text).not.toContain(value)
  })
})

test('L-08: an application that is set up well hears nothing, and a verified request reports nothing', async () => {
  const { sessions, send, events } = start({ secret: SECRET })
  const routes = sessions.sessionRoutes()
  const headers = new Headers()
  await sessions.createNewSession(send('/login'), headers, 'ada')
  const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  expect((await sessions.requireSession(() => new Response())(send('/act', { cookie }))).status).toBe(200)
  expect((await routes(send('/auth/session/refresh', { cookie })))?.status).toBe(200)
  await settled()
  expect([events, printed]).toEqual([[], []])
})
