import { expect, test } from 'vitest'
import type { Client, ClientOptions } from '../../src/client/client.ts'
import { createClientIn } from '../../src/client/create-client.ts'
import type { SessionView } from '../../src/client/session.ts'
import { SessionUnavailableError } from '../../src/client/errors.ts'
import { patchFetch } from '../../src/client/fetch-with-session.ts'
import { Api, LIFETIME, ORIGIN } from './support/api.ts'
import type { Claims } from './support/api.ts'
import { settle } from './support/browser.ts'
import type { BrowserSettings } from './support/browser.ts'
import { createWorld, logIn } from './support/world.ts'

test('knows the session after a login, with types, without another request', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  expect(client.peekSession()).toBeNull()
  await logIn(client)
  const session = await client.getSession()
  expect(session).toMatchObject({ userId: 'ada', jwtPayload: { role: 'reader' }, timeCreated: api.now })
  expect(session?.handle).toMatch(/^c/)
  const left = (client.expiry() ?? 0) - api.now
  expect(left).toBeGreaterThan(LIFETIME * 790)
  expect(left).toBeLessThanOrEqual(LIFETIME * 1000)
  expect(client.peekSession()).toBe(session)
  expect(api.refreshes).toBe(0)
})

test('B-10: visitors that never had a session cause no request of the client’s own', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  expect(client.view()).toEqual({ status: 'signed-out', session: null, reason: null })
  expect(await client.getSession()).toBeNull()
  expect((await client.fetch('/me')).status).toBe(401)
  expect(api.seen.map(({ path }) => path)).toEqual(['/me'])
})

test('finds a session whose record the browser has deleted, when the server asks for a refresh', async () => {
  const { api, browser, open, expire } = createWorld()
  await logIn(open().client)
  browser.disk.clear()
  const { client } = open()
  await expire()
  expect((await client.fetch('/me')).status).toBe(200)
  expect(await client.getSession()).toMatchObject({ userId: 'ada' })
  expect(api.refreshes).toBe(1)
})

test('finds a login that no script has seen', async () => {
  const { api, open } = createWorld()
  await open().client.getSession()
  await api.fetch(`${ORIGIN}/login`, { method: 'POST' })
  const { client } = open()
  expect(client.peekSession()).toBeNull()
  expect(await client.refresh()).toBe(true)
  expect(await client.getSession()).toMatchObject({ userId: 'ada' })
})

test('a hundred calls of five tabs at expiry cause one refresh', async () => {
  const { api, open, expire, pass } = createWorld({ lag: 20 })
  const clients = Array.from({ length: 5 }, () => open().client)
  await logIn(clients[0] ?? open().client)
  await pass(100)
  await expire()
  const calls = Promise.all(clients.flatMap(client => Array.from({ length: 20 }, () => client.fetch('/me'))))
  await pass(1000)
  expect((await calls).map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200))
  expect(api.refreshes).toBe(1)
})

test.each<[string, BrowserSettings, number]>([
  ['no coordination but the record if there are no locks', { locks: false }, 5],
  ['locks if storage is blocked', { storage: false, lag: 10 }, 1],
  ['no coordination if all is blocked', { locks: false, storage: false, channel: false }, 5],
])('five tabs refresh with %s', async (_, settings, refreshes) => {
  const { api, open, expire, pass } = createWorld(settings)
  const first = open().client
  await logIn(first)
  const clients = [first, ...Array.from({ length: 4 }, () => open().client)]
  const known = Promise.all(clients.map(client => client.getSession()))
  await pass(5000)
  await known
  const before = api.refreshes
  await expire()
  const calls = Promise.all(clients.map(client => client.fetch('/me')))
  await pass(5000)
  expect((await calls).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(api.refreshes - before).toBeLessThanOrEqual(refreshes)
})

test('a clock that is hours off, or is set meanwhile, costs at most a refresh', async () => {
  for (const skew of [-7_200_000, 7_200_000]) {
    const { api, browser, open, expire, pass } = createWorld({ skew })
    const { client } = open()
    await logIn(client)
    expect(client.expiry() ?? 0).toBeGreaterThan(browser.wall)
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.refreshes).toBe(0)
    await expire()
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.count('/me')).toBe(2)
    browser.wall -= 3_600_000
    await pass(LIFETIME * 1000)
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.count('/me')).toBe(3)
    browser.wall += 7_200_000
    expect((await client.fetch('/me')).status).toBe(200)
    expect(api.refreshes).toBe(3)
  }
})

test('after sleep, in which the steady clock stopped, refreshes before the next request', async () => {
  const { api, browser, open } = createWorld()
  const { client } = open()
  await logIn(client)
  api.now += 3_600_000
  browser.wall += 3_600_000
  expect((await client.fetch('/me')).status).toBe(200)
  expect(api.seen.map(({ status }) => status)).toEqual([200, 200, 200])
})

test('a sign-in, a new payload and a sign-out reach the other tabs', async () => {
  const { open, pass } = createWorld()
  const here = open().client
  const roleOf = ({ session }: SessionView<Claims>): string | null => session?.jwtPayload.role ?? null
  const heard: unknown[] = []
  const there = open().client
  there.onChange((view, previous) => heard.push([roleOf(view), roleOf(previous)]))
  await logIn(here)
  await pass(1)
  expect(there.peekSession()).toMatchObject({ userId: 'ada' })
  await here.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' })
  await pass(1)
  await there.signOut()
  await pass(1)
  expect(here.peekSession()).toBeNull()
  expect(heard).toEqual([['reader', null], ['admin', 'reader'], [null, 'admin']])
  expect((await here.fetch('/me')).status).toBe(401)
})

const html = (status: number, headers: Record<string, string> = {}): Response =>
  new Response('<html>Welcome</html>', { status, headers: { 'content-type': 'text/html', ...headers } })

test.each<[string, () => Promise<Response>, number | null]>([
  ['no network', () => Promise.reject(new TypeError('Failed to fetch')), null],
  ['a captive portal', () => Promise.resolve(html(200)), 200],
  ['a proxy’s error page', () => Promise.resolve(html(502)), 502],
  ['a proxy’s 401', () => Promise.resolve(html(401)), 401],
  ['a gateway’s 401', () => Promise.resolve(Response.json({ message: 'Unauthorized' }, { status: 401 })), 401],
  ['too many requests', () => Promise.resolve(html(429, { 'retry-after': '60' })), 429],
  ['a server that is down', () => Promise.resolve(Response.json({ message: 'x' }, { status: 503 })), 503],
])('with %s: keeps the session, throws SESSION_UNAVAILABLE, and works again later', async (_, answer, status) => {
  const { api, open, expire, pass } = createWorld()
  const { client } = open()
  await logIn(client)
  await expire()
  api.between = async request => request.url.endsWith('/session/refresh') ? answer() : null
  await expect(client.fetch('/me')).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE', status })
  expect((await client.fetch('/public')).status).toBe(200)
  expect(client.peekSession()).toMatchObject({ userId: 'ada' })
  expect(await client.getSession()).toMatchObject({ userId: 'ada' })
  await expect(client.refresh()).rejects.toBeInstanceOf(SessionUnavailableError)
  api.between = null
  await pass(120_000)
  expect((await client.fetch('/me')).status).toBe(200)
})

test('if the server fails, retries with growing pauses, and only while the page is visible', async () => {
  const { api, browser, open, expire, pass } = createWorld()
  const { client, tab } = open()
  await logIn(client)
  await expire()
  let asked = 0
  api.between = async request => {
    if (!request.url.endsWith('/session/refresh')) return null
    asked++
    throw new TypeError('offline')
  }
  await Promise.all(Array.from({ length: 30 }, () => client.fetch('/me').catch(() => null)))
  expect(asked).toBe(1)
  await pass(60_000)
  expect(asked).toBeGreaterThan(4)
  expect(asked).toBeLessThan(10)
  tab.visible = false
  const before = asked
  await pass(600_000)
  expect(asked).toBe(before)
  tab.visible = true
  tab.wake()
  await settle()
  expect(asked).toBe(before + 1)
  api.between = null
  tab.wake()
  await settle()
  expect((await client.fetch('/me')).status).toBe(200)
  client.close()
  await pass(1)
  expect(browser.timers).toBe(0)
})

test('a failure is forgotten when another tab has refreshed', async () => {
  const { api, open, expire, pass } = createWorld()
  const here = open().client
  await logIn(here)
  const there = open().client
  await expire()
  api.between = () => Promise.reject(new TypeError('offline'))
  await expect(here.fetch('/me')).rejects.toThrow()
  api.between = null
  await there.fetch('/me')
  await pass(60_000)
  expect((await here.fetch('/me')).status).toBe(200)
  expect(api.refreshes).toBe(1)
})

test('if the response to a refresh is lost, the client refreshes again with the old cookies', async () => {
  const { api, open, expire } = createWorld()
  const { client } = open()
  await logIn(client)
  await expire()
  api.loseNext = true
  await expect(client.fetch('/me')).rejects.toMatchObject({ status: null })
  expect(await client.refresh()).toBe(true)
  expect((await client.fetch('/me')).status).toBe(200)
})

test('a session that was revoked ends with the next refresh, and its request gets the 401', async () => {
  const { api, open, expire } = createWorld()
  const { client } = open()
  await logIn(client)
  const { handle } = await client.getSession() ?? {}
  await api.sessions.revokeSession(handle ?? '')
  await expire()
  expect((await client.fetch('/me')).status).toBe(401)
  expect(client.peekSession()).toBeNull()
  expect((await client.fetch('/me')).status).toBe(401)
  expect(api.refreshes).toBe(1)
})

test.each(['cookie', 'header'] as const)(
  'L-04: signs out after the access token has expired, without a refresh, in %s mode',
  async mode => {
    const { api, open, expire } = createWorld()
    const { client } = open({ mode })
    await logIn(client)
    await expire()
    await client.signOut()
    expect(client.peekSession()).toBeNull()
    expect(api.refreshes).toBe(0)
    expect(await api.sessions.getAllSessionHandlesForUser('ada')).toEqual([])
  },
)

test('a request that is aborted does not wait for the refresh, which continues', async () => {
  const { api, open, expire } = createWorld()
  const { client } = open()
  await logIn(client)
  await expire()
  let goOn = (): void => undefined
  api.between = async request => {
    if (request.url.endsWith('/session/refresh')) await new Promise<void>(resolve => goOn = resolve)
    return null
  }
  const abort = new AbortController()
  const call = client.fetch('/me', { signal: abort.signal })
  await settle()
  abort.abort(new Error('given up'))
  await expect(call).rejects.toThrow('given up')
  goOn()
  await settle()
  expect(api.count('/me')).toBe(0)
  expect((await client.fetch('/me')).status).toBe(200)
  expect(api.refreshes).toBe(1)
})

test('a repeated request has the same body, of every kind', async () => {
  const text = 'zażółć'
  const stream = (): ReadableStream => new Blob([text]).stream()
  const form = new FormData()
  form.set('name', text)
  const make: readonly (() => [RequestInfo, RequestInit?])[] = [
    () => ['/act', { method: 'POST', body: text }],
    () => ['/act', { method: 'POST', body: new Blob([text]) }],
    () => ['/act', { method: 'POST', body: new TextEncoder().encode(text) }],
    () => ['/act', { method: 'POST', body: new URLSearchParams({ name: text }) }],
    () => ['/act', { method: 'POST', body: form }],
    () => [new Request(`${ORIGIN}/act`, { method: 'POST', body: text })],
    () => [new Request(`${ORIGIN}/act`, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit)],
    () => [`${ORIGIN}/act`, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit],
  ]
  for (const request of make) {
    const { api, open } = createWorld()
    const { client } = open()
    await logIn(client)
    // The server refuses the token before this device expects it.
    api.now += LIFETIME * 1000 + 1000
    const response = await client.fetch(...request())
    expect(response.status).toBe(200)
    const [first, second] = api.seen.filter(({ path }) => path === '/act')
    const [one, two] = [first, second].map(request => request?.body.replace(/-+formdata-undici-\d+-*/g, ''))
    expect(two).toBe(one)
    expect(first?.body).toMatch(/zażółć|za%C5%BC%C3%B3%C5%82%C4%87/)
  }
})

test('a keepalive request does not wait: its page may be closing', async () => {
  const { api, open, expire } = createWorld()
  const { client } = open()
  await logIn(client)
  await expire()
  expect((await client.fetch('/act', { method: 'POST', body: 'x', keepalive: true })).status).toBe(200)
  expect(api.seen.map(({ path, status }) => `${path} ${status}`).slice(1))
    .toEqual(['/act 401', '/auth/session/refresh 200', '/act 200'])
})

test('CSRF-12: only the exact origin gets headers, in every spelling, and only its responses count', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  await logIn(client)
  const own = [
    '/x', 'x', ' /x', '?x', 'https:/x', 'https:x', 'https://app.example.com/x', 'HTTPS://APP.EXAMPLE.COM/x',
    'https://app.example.com:443/x', '//app.example.com/x',
  ]
  const others = [
    '//evil.tld/x', '\\\\evil.tld/x', '/\\evil.tld/x', '\t//evil.tld/x', 'https:\\\\evil.tld/x',
    'HTTPS://EVIL.tld/app.example.com', 'http:app.example.com/x', 'http://app.example.com/x',
    'https://app.example.com:8443/x', 'https://sub.app.example.com/x', 'https://app.example.com.evil.tld/x',
    'https://evil.tld/?https://app.example.com', 'https://evil.tld#@app.example.com/',
    'https://app.example.com@evil.tld/x', 'https://evil.tld\\@app.example.com/x',
  ]
  expect(others).toHaveLength(15)
  for (const url of own) expect([url, client.exchanges.isOurs(url)]).toEqual([url, true])
  const sent: Headers[] = []
  const before = client.peekSession()
  api.between = async request => {
    sent.push(request.headers)
    return new Response('{}', { status: 401, headers: { 'front-token': 'remove' } })
  }
  for (const url of others) {
    expect([url, client.exchanges.isOurs(url)]).toEqual([url, false])
    await client.fetch(url).catch(() => null)
  }
  for (const headers of sent) {
    expect(['rid', 'st-auth-mode', 'anti-csrf', 'authorization'].filter(name => headers.has(name))).toEqual([])
  }
  expect(client.peekSession()).toBe(before)
  expect(api.refreshes).toBe(0)
})

test('CSRF-12: a response that came from another origin by a redirect changes nothing', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  await logIn(client)
  api.between = async () => {
    const response = new Response('{}', { status: 401, headers: { 'front-token': 'remove' } })
    Object.defineProperty(response, 'url', { value: 'https://evil.tld/x' })
    return response
  }
  expect((await client.fetch('/me')).status).toBe(401)
  expect(client.peekSession()).toMatchObject({ userId: 'ada' })
})

test('requests with credentials of their own pass through unchanged', async () => {
  const { api, open } = createWorld()
  const { client } = open()
  await logIn(client)
  const session = client.peekSession()
  await client.fetch('/login', { method: 'POST', credentials: 'omit', headers: { 'st-auth-mode': 'header' } })
  expect((await client.fetch('/me', { credentials: 'omit' })).status).toBe(401)
  expect(client.peekSession()).toBe(session)
  expect(api.refreshes).toBe(0)
})

test('patchFetch replaces the global fetch, and its result restores it', async () => {
  const { open } = createWorld()
  const { client } = open()
  const original = globalThis.fetch
  const undo = patchFetch(client)
  try {
    expect((await fetch('/login', { method: 'POST' })).status).toBe(200)
    expect(await client.getSession()).toMatchObject({ userId: 'ada' })
  } finally {
    undo()
  }
  expect(globalThis.fetch).toBe(original)
})

test('sends the anti-CSRF token back, to refreshes too', async () => {
  const { api, open, expire } = createWorld({}, new Api({ antiCsrf: 'token' }))
  const { client } = open()
  await logIn(client)
  expect((await client.fetch('/act', { method: 'POST' })).status).toBe(200)
  await expire()
  expect((await open().client.fetch('/act', { method: 'POST' })).status).toBe(200)
  await client.signOut()
  expect(api.jar.size).toBe(0)
})

test('in header mode keeps tokens in an asynchronous storage, and sends them to their server only', async () => {
  const { api, open, expire } = createWorld()
  const kept = new Map<string, string>()
  const storage = {
    getItem: async (key: string) => kept.get(key) ?? null,
    setItem: async (key: string, value: string) => void kept.set(key, value),
  }
  const options: ClientOptions = { mode: 'header', storage }
  const first = open(options).client
  expect(await first.getSession()).toBeNull()
  expect(api.refreshes).toBe(0)
  await logIn(first)
  expect(api.jar.size).toBe(0)
  await expire()
  const { client } = open(options)
  expect((await client.fetch('/me')).status).toBe(200)
  expect(api.refreshes).toBe(1)
  expect(api.seen.at(-1)?.headers.get('authorization')).toMatch(/^Bearer ey/)
  expect(await client.getSession()).toMatchObject({ userId: 'ada' })
  await client.signOut()
  expect([...kept.values()].join()).not.toContain('ey')
  expect((await client.fetch('/me')).status).toBe(401)
})

/** A tab that freezes after each request; it gets the response when it thaws. */
function openFrozen(
  { api, browser }: Pick<ReturnType<typeof createWorld>, 'api' | 'browser'>,
  options: ClientOptions = {},
): { readonly frozen: Client<Claims>; thaw(): void } {
  let thaw = (): void => undefined
  const frozen = createClientIn<Claims>({
    ...browser.openTab(),
    async fetch(input, init) {
      const response = await api.fetch(input, init)
      await new Promise<void>(resolve => thaw = resolve)
      return response
    },
  }, { ...options, baseUrl: ORIGIN })
  return { frozen, thaw: () => thaw() }
}

test('in header mode a response that arrives hours late does not bring old tokens back', async () => {
  const { api, browser, open, expire } = createWorld({ channel: false })
  const options: ClientOptions = { mode: 'header' }
  const { client } = open(options)
  await logIn(client)
  const { frozen, thaw } = openFrozen({ api, browser }, options)
  const late = frozen.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' })
  await settle()
  for (let hour = 0; hour < 3; hour++) {
    await expire()
    expect((await client.fetch('/me')).status).toBe(200)
  }
  thaw()
  expect((await late).status).toBe(200)
  await expire()
  expect((await open(options).client.fetch('/me')).status).toBe(200)
})

test('a late response in a frozen tab does not end the session that another tab has begun', async () => {
  const { api, browser, open } = createWorld({ channel: false })
  const { client } = open()
  await logIn(client)
  const { frozen, thaw } = openFrozen({ api, browser })
  const late = frozen.signOut().catch((error: unknown) => error)
  await settle()
  await logIn(client, 'bob')
  thaw()
  await late
  expect(frozen.peekSession()).toMatchObject({ userId: 'bob' })
  expect(await open().client.getSession()).toMatchObject({ userId: 'bob' })
  expect(api.refreshes).toBe(0)
})

test('if a late response removes the cookies of a newer session, that session ends at the next request', async () => {
  const { api, open } = createWorld()
  const [here, there] = [open().client, open().client]
  await logIn(here)
  await logIn(there)
  let goOn = (): void => undefined
  api.between = async () => {
    await new Promise<void>(resolve => goOn = resolve)
    api.jar.clear()
    return Response.json({ message: 'unauthorised' }, { status: 401, headers: { 'front-token': 'remove' } })
  }
  const slow = here.fetch('/slow')
  await settle()
  api.between = null
  await logIn(there, 'bob')
  goOn()
  expect((await slow).status).toBe(401)
  expect((await there.fetch('/me')).status).toBe(401)
  expect(await there.getSession()).toBeNull()
  expect(await open().client.getSession()).toBeNull()
})

test('on a server that renders pages, knows no session', async () => {
  const { api, browser } = createWorld()
  const tab = { ...browser.openTab(), pageUrl: undefined }
  const client = createClientIn<Claims>(tab, { baseUrl: ORIGIN })
  await client.fetch(`${ORIGIN}/login`, { method: 'POST' })
  expect(client.peekSession()).toBeUndefined()
  expect(await client.getSession()).toBeNull()
  expect(api.refreshes).toBe(0)
})
