import { describe, expect, test, vi } from 'vitest'
import { explainProblems } from '../../src/client/explain-problems.ts'
import { checkOnFocus, keepFresh } from '../../src/client/keep-fresh.ts'
import { loginPageFor } from '../../src/client/login-page.ts'
import { observe } from '../../src/client/observe.ts'
import type { ClientEvent } from '../../src/client/observe.ts'
import { LIFETIME, ORIGIN } from './support/api.ts'
import type { Api } from './support/api.ts'
import type { Claims } from './support/api.ts'
import { settle } from './support/browser.ts'
import { createWorld, logIn } from './support/world.ts'

/** Holds requests for a path from now on, before the server handles them or after; `release` lets them go on. */
function hold(api: Api, path: string): { readonly held: () => number; readonly release: () => void } {
  let count = 0
  let release = (): void => undefined
  const over = new Promise<void>(resolve => release = resolve)
  const { between } = api
  api.between = async request => {
    if (new URL(request.url).pathname !== path) return between?.(request) ?? null
    count++
    await over
    return null
  }
  return { held: () => count, release: () => release() }
}

const REFRESH = '/auth/session/refresh'

describe('B-01: a refresh that is under way', () => {
  test.each([
    ['in the same tab', 0, 'revoked'], ['in another tab', 1, 'revoked'],
    ['in the same tab', 0, 'active'], ['in another tab', 1, 'active'],
  ] as const)('does not undo a login %s %i: the session before was %s', async (_, other, what) => {
    const { api, open, expire, pass } = createWorld()
    const clients = [open().client, open().client] as const
    await logIn(clients[0])
    await pass(1)
    if (what === 'revoked') await api.sessions.revokeAllSessionsForUser('ada')
    await expire()
    const { held, release } = hold(api, REFRESH)
    const asked = clients[0].getSession()
    await settle()
    expect(held()).toBe(1)
    await clients[other].fetch('/login', { method: 'POST', body: '{"userId":"bob"}', keepalive: true })
    await pass(1)
    // It does not wait for the answer, which the network delivers or not.
    expect(await asked).toMatchObject({ userId: 'bob' })
    release()
    await pass(1)
    for (const client of clients) expect(client.peekSession()).toMatchObject({ userId: 'bob' })
    expect((await clients[0].fetch('/me')).status).toBe(200)
    expect(api.jar.size).toBe(3)
  })

  test.each([['in the same tab', 0], ['in another tab', 1]] as const)(
    'shows nobody after a sign-out %s, and the server has no session', async (_, other) => {
      for (const mode of ['cookie', 'header'] as const) {
        const { api, open, expire, pass } = createWorld()
        const clients = [open({ mode }).client, open({ mode }).client] as const
        await logIn(clients[0])
        await pass(1)
        await expire()
        const { release } = hold(api, REFRESH)
        const asked = clients[0].getSession()
        await settle()
        expect(await clients[other].signOut()).toBe(true)
        await pass(1)
        expect(await asked).toBeNull()
        release()
        await pass(1)
        for (const client of clients) {
          expect(client.view()).toEqual({ status: 'signed-out', session: null, reason: 'signed-out' })
        }
        expect(await api.sessions.getAllSessionHandlesForUser('ada')).toEqual([])
      }
    },
  )

  test('and was sent before a login that no client has seen, does not end it', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    await logIn(client)
    await expire()
    await api.sessions.revokeAllSessionsForUser('ada')
    const asked = client.getSession()
    await asked
    await api.fetch(`${ORIGIN}/login`, { method: 'POST', body: '{"userId":"bob"}' })
    expect(await client.refresh()).toBe(true)
    expect(client.peekSession()).toMatchObject({ userId: 'bob' })
  })
})

describe('B-06: a sign-out without a network', () => {
  test.each(['cookie', 'header'] as const)('ends the session here at once, and on the server later: %s', async mode => {
    const { api, open, pass } = createWorld()
    const { client, tab } = open({ mode })
    const other = open({ mode })
    await logIn(client)
    await pass(1)
    api.between = () => Promise.reject(new TypeError('offline'))
    const leaving = client.signOut()
    await settle()
    expect(client.view()).toEqual({ status: 'signed-out', session: null, reason: 'signed-out' })
    expect(await leaving).toBe(false)
    await pass(1)
    expect(other.client.peekSession()).toBeNull()
    await expect(client.fetch('/me')).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
    await expect(client.refresh()).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
    expect(await client.getSession()).toBeNull()
    expect(await api.sessions.getAllSessionHandlesForUser('ada')).toHaveLength(1)
    api.between = null
    tab.wake()
    await settle()
    expect(await api.sessions.getAllSessionHandlesForUser('ada')).toEqual([])
    expect(api.jar.size).toBe(0)
    expect((await client.fetch('/me')).status).toBe(401)
  })

  test('is sent by a page that is opened later, and before any other request', async () => {
    const { api, open, pass } = createWorld()
    const first = open().client
    await logIn(first)
    api.between = () => Promise.reject(new TypeError('offline'))
    expect(await first.signOut()).toBe(false)
    first.close()
    const { client } = open()
    await settle()
    expect(client.peekSession()).toBeNull()
    api.between = null
    expect((await client.fetch('/login', { method: 'POST', body: '{"userId":"bob"}' })).status).toBe(200)
    await pass(1)
    expect(api.seen.map(({ path }) => path)).toEqual(['/login', '/auth/signout', '/login'])
    expect(client.peekSession()).toMatchObject({ userId: 'bob' })
    expect(await api.sessions.getAllSessionHandlesForUser('ada')).toEqual([])
  })

  test('does not end a session that began meanwhile', async () => {
    const { api, open, pass } = createWorld()
    const { client, tab } = open()
    await logIn(client)
    api.between = () => Promise.reject(new TypeError('offline'))
    expect(await client.signOut()).toBe(false)
    api.between = null
    // A login that no script sees, such as a form: the sign-out is still pending.
    await api.fetch(`${ORIGIN}/login`, { method: 'POST', body: '{"userId":"bob"}' })
    tab.wake()
    await pass(1)
    expect(await client.refresh()).toBe(true)
    expect(client.peekSession()).toMatchObject({ userId: 'bob' })
    expect((await client.fetch('/me')).status).toBe(200)
  })

  test('is tried again after half a minute; a captive portal does not confirm it', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    api.between = async () => new Response('<html>Welcome</html>')
    expect(await client.signOut()).toBe(false)
    api.between = null
    await pass(31_000)
    expect(await api.sessions.getAllSessionHandlesForUser('ada')).toEqual([])
    await pass(600_000)
    expect(api.count('/auth/signout')).toBe(2)
  })
})

describe('B-07: every wait ends', () => {
  test('a refresh without an answer', async () => {
    const { api, open, expire, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    await expire()
    hold(api, REFRESH)
    const call = client.fetch('/me').catch((error: { code: string }) => error.code)
    await pass(10_001)
    expect(await call).toBe('SESSION_UNAVAILABLE')
    expect(client.peekSession()).toMatchObject({ userId: 'ada' })
  })

  test('that a caller gives up, and the refresh goes on for the others', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    await logIn(client)
    await expire()
    const { release } = hold(api, REFRESH)
    const giveUp = new AbortController()
    const { signal } = giveUp
    const waits = [client.getSession({ signal }), client.refresh({ signal }),
      loginPageFor(client, '/login', '/', { signal })]
      .map((wait: Promise<unknown>) => wait.catch((reason: unknown) => reason))
    const other = client.getSession()
    await settle()
    giveUp.abort('given up')
    expect(await Promise.all(waits)).toEqual(['given up', 'given up', 'given up'])
    release()
    expect(await other).toMatchObject({ userId: 'ada' })
    expect(api.refreshes).toBe(1)
  })

  test('a sign-out without an answer', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    hold(api, '/auth/signout')
    const leaving = client.signOut()
    await pass(10_001)
    expect(await leaving).toBe(false)
    expect(client.peekSession()).toBeNull()
  })

  test('a storage that does not answer: the session is unavailable, and requests go on', async () => {
    const { open, pass } = createWorld()
    const never = (): Promise<string> => new Promise(() => undefined)
    const storage = { getItem: never, setItem: never }
    const { client } = open({ mode: 'header', storage })
    expect(client.view().status).toBe('loading')
    const call = client.fetch('/public')
    const asked = client.getSession().catch((error: { code: string }) => error.code)
    await pass(3001)
    expect(client.view()).toEqual({ status: 'unavailable', session: null, reason: null })
    expect(await asked).toBe('SESSION_UNAVAILABLE')
    await pass(3001)
    expect((await call).status).toBe(200)
  })

  test('the body of a refused request', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    api.between = async () => new Response(new ReadableStream(), { status: 401 })
    const call = client.fetch('/me')
    await pass(2001)
    expect((await call).status).toBe(401)
  })
})

describe('B-08: a session that is not remembered', () => {
  test('is known to all tabs until the browser is closed, and not afterwards', async () => {
    const { api, browser, open, pass } = createWorld()
    const { client } = open()
    await client.fetch('/login', { method: 'POST', body: '{"persistent":false}' })
    await pass(1)
    expect(client.peekSession()).toMatchObject({ userId: 'ada' })
    expect(open().client.peekSession()).toMatchObject({ userId: 'ada' })
    api.jar.clear()
    browser.restart()
    expect(open().client.view()).toEqual({ status: 'signed-out', session: null, reason: null })
  })

  test('is not stored where nothing says when the browser is closed', async () => {
    const { api, open } = createWorld()
    const kept = new Map<string, string>()
    const storage = {
      getItem: async (key: string) => kept.get(key) ?? null,
      setItem: async (key: string, value: string) => void kept.set(key, value),
    }
    const { client } = open({ mode: 'header', storage }, { runMark: undefined })
    await client.fetch('/login', { method: 'POST', body: '{"persistent":false}' })
    expect(client.peekSession()).toMatchObject({ userId: 'ada' })
    expect([...kept.values()]).toEqual([''])
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.refreshes).toBe(0)
  })
})

describe('B-10: every end has a reason', () => {
  test.each([
    ['revoked', (api: Api) => api.sessions.revokeAllSessionsForUser('ada')],
    ['expired', (api: Api) => api.now += 400 * 86_400_000],
  ] as const)('%s', async (reason, cause) => {
    for (const mode of ['cookie', 'header'] as const) {
      const { api, open, expire } = createWorld()
      const { client } = open({ mode })
      await logIn(client)
      await expire()
      await cause(api)
      expect(await client.getSession()).toBeNull()
      expect(client.view()).toEqual({ status: 'signed-out', session: null, reason })
      expect(open({ mode }).client.view().reason).toBe(reason)
    }
  })

  test('theft: for the one who presents the older token', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    await logIn(client)
    const stolen = new Map(api.jar)
    for (let round = 0; round < 2; round++) {
      await expire()
      expect((await client.fetch('/me')).status).toBe(200)
      await client.fetch('/me')
    }
    api.jar.clear()
    for (const [name, value] of stolen) api.jar.set(name, value)
    await expire()
    expect(await client.getSession()).toBeNull()
    expect(client.view().reason).toBe('theft')
  })

  test('replaced: by another login in this browser; a later sign-out has its own reason', async () => {
    const { open } = createWorld()
    const { client } = open()
    await logIn(client)
    await logIn(client, 'bob')
    expect(client.view()).toMatchObject({ status: 'signed-in', session: { userId: 'bob' }, reason: 'replaced' })
    await client.signOut()
    expect(client.view().reason).toBe('signed-out')
    await logIn(client)
    expect(client.view().reason).toBeNull()
  })
})

test('B-11: a refresh changes neither the session nor its payload, and tells no listener', async () => {
  const { open, expire } = createWorld()
  const { client } = open()
  await logIn(client)
  const heard: string[] = []
  client.onChange(({ status }) => heard.push(status))
  const [view, session, expiry] = [client.view(), client.peekSession(), client.expiry() ?? 0]
  await expire()
  expect((await client.fetch('/me')).status).toBe(200)
  expect([client.view(), client.peekSession()]).toEqual([view, session])
  expect(client.view()).toBe(view)
  expect(client.peekSession()).toBe(session)
  expect(client.expiry()).toBeGreaterThan(expiry)
  await settle()
  expect(heard).toEqual([])
  await client.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' })
  expect(client.peekSession()).toMatchObject({ jwtPayload: { role: 'admin' } })
  await settle()
  expect(heard).toEqual(['signed-in'])
})

describe('B-14: a route whose own 401 means something else', () => {
  test.each([
    ['JSON', () => Response.json({ error: 'no such order' }, { status: 401 })],
    ['a page', () => new Response('<html>', { status: 401 })],
    ['nothing', () => new Response(null, { status: 401 })],
  ])('costs one refresh per access token: %s', async (_, answer) => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    await logIn(client)
    api.between = async request => new URL(request.url).pathname === '/orders' ? answer() : null
    for (let poll = 0; poll < 10; poll++) expect((await client.fetch(`/orders?${poll}`)).status).toBe(401)
    expect(api.refreshes).toBe(1)
    // Other routes still refresh, and so does this one when the access token has expired.
    api.now += LIFETIME * 1000 + 1000
    expect((await client.fetch('/me')).status).toBe(200)
    await expire()
    for (let poll = 0; poll < 10; poll++) expect((await client.fetch('/orders')).status).toBe(401)
    expect(api.refreshes).toBe(3)
  })

  test('costs none, if the option refreshOn says so', async () => {
    const { api, open } = createWorld()
    const { client } = open({
      refreshOn: ({ status, message }) => status === 401 && message === 'try refresh token',
    })
    await logIn(client)
    api.between = async request => (
      new URL(request.url).pathname === '/orders' ? Response.json({ message: 'not yours' }, { status: 401 }) : null
    )
    expect((await client.fetch('/orders')).status).toBe(401)
    expect(api.refreshes).toBe(0)
    api.now += LIFETIME * 1000 + 1000
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.refreshes).toBe(1)
  })
})

test.each([
  'text/event-stream', 'application/x-ndjson', 'application/octet-stream',
])('B-14: with refreshOn, a response of the type %s arrives at once, and is not kept in memory', async type => {
  const { api, open } = createWorld()
  const { client } = open({
    refreshOn: ({ status, message }) => status === 401 && message === 'try refresh token',
  })
  await logIn(client)
  const endless = new ReadableStream<Uint8Array>({ start: controller => controller.enqueue(new Uint8Array([10])) })
  api.between = async () => new Response(endless, { headers: { 'content-type': type } })
  const response = await client.fetch('/stream')
  expect(response.status).toBe(200)
  await response.body?.cancel()
})

test('observe tells what the client does, in order', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  const events: ClientEvent<Claims>[] = []
  const stop = observe(client, event => events.push(event))
  await logIn(client)
  api.now += LIFETIME * 1000 + 1000
  await client.fetch('/me')
  await client.signOut()
  api.between = () => Promise.reject(new TypeError('offline'))
  await client.fetch('/public').catch(() => undefined)
  await settle()
  stop()
  await client.fetch('/public').catch(() => undefined)
  const told = events.map(event => {
    if (event.type === 'change') return `change ${event.previous.status} ${event.view.status} ${event.view.reason}`
    const { type, id, kind, attempt, method, url } = event
    return `${type} ${id} ${kind} ${attempt} ${method} ${new URL(url).pathname} ${type === 'response' && event.status}`
  })
  expect(told).toEqual([
    'request 1 application 1 POST /login false', 'response 1 application 1 POST /login 200',
    'change signed-out signed-in null',
    'request 2 application 1 GET /me false', 'response 2 application 1 GET /me 401',
    'request 3 refresh 1 POST /auth/session/refresh false', 'response 3 refresh 1 POST /auth/session/refresh 200',
    'request 4 application 2 GET /me false', 'response 4 application 2 GET /me 200',
    'request 5 sign-out 1 POST /auth/signout false', 'change signed-in signed-out signed-out',
    'response 5 sign-out 1 POST /auth/signout 200',
    'request 6 application 1 GET /public false', 'failed 6 application 1 GET /public false',
  ])
})

test('keepFresh refreshes ahead of expiry, once for all tabs, while one is visible', async () => {
  const { api, open, pass } = createWorld()
  const tabs = Array.from({ length: 3 }, () => open())
  const stops = tabs.map(({ client }) => keepFresh(client))
  await logIn(tabs[0]?.client ?? open().client)
  await pass(LIFETIME * 10_000)
  expect(api.refreshes).toBeGreaterThanOrEqual(9)
  expect(api.refreshes).toBeLessThanOrEqual(13)
  for (const { tab } of tabs) tab.visible = false
  const before = api.refreshes
  await pass(LIFETIME * 10_000)
  expect(api.refreshes).toBe(before)
  for (const { tab } of tabs) {
    tab.visible = true
    tab.wake()
  }
  await pass(2000)
  expect(api.refreshes).toBe(before + 1)
  stops.forEach(stop => stop())
  await pass(LIFETIME * 10_000)
  expect(api.refreshes).toBe(before + 1)
})

test('B-13: checkOnFocus finds a revocation when the page becomes visible, and asks at most once a minute', async () => {
  const { api, open, pass } = createWorld()
  const { client, tab } = open()
  checkOnFocus(client)
  await logIn(client)
  tab.wake()
  await pass(61_000)
  expect(api.refreshes).toBe(0)
  for (let times = 0; times < 3; times++) tab.wake()
  await settle()
  expect(api.refreshes).toBe(1)
  await pass(61_000)
  await api.sessions.revokeAllSessionsForUser('ada')
  tab.wake()
  await settle()
  expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
})

describe('B-10: explainProblems', () => {
  test('names a wrong basePath, blocked cookies, a header that no page can read, and an untrusted origin, once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    try {
      const { api, open, expire } = createWorld()
      const { client } = open()
      explainProblems(client)
      await logIn(client)
      expect(await client.refresh()).toBe(true)
      expect(warn).not.toHaveBeenCalled()
      const answers = [
        new Response(null, { status: 404 }), new Response(null, { status: 403 }), Response.json({}),
        new Response(null, { status: 404 }),
      ]
      for (const answer of answers) {
        api.between = async request => request.url.endsWith(REFRESH) ? answer : null
        await client.refresh().catch(() => undefined)
      }
      api.between = null
      await logIn(client)
      api.jar.clear()
      await expire()
      expect(await client.getSession()).toBeNull()
      expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
        expect.stringContaining('basePath'), expect.stringContaining('trustedOrigins'),
        expect.stringContaining('no front-token'), expect.stringContaining('sent no cookies'),
      ])
    } finally {
      warn.mockRestore()
    }
  })
})
