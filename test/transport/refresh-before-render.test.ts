import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeExchange } from '../../src/frameworks/node-exchange.ts'
import type { Reply } from '../support/http-client.ts'
import type { HttpClient } from '../support/http-client.ts'
import { AT, MAC, CROSS_SITE, REFRESH, RT, SAME_ORIGIN, send, startSessionServer } from '../support/session-server.ts'
import type { AppSessions, SessionServer } from '../support/session-server.ts'

// The route `/page` prepares the session before rendering, and returns what the code that renders would get.

const navigation = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const linkFromElsewhere = { ...navigation, 'sec-fetch-site': 'cross-site' }
const HOUR = 3_600_000

let app: SessionServer
let browser: HttpClient

async function start(options: Parameters<typeof startSessionServer>[0] = {}): Promise<void> {
  app = await startSessionServer({ cookie: { refreshTokenPath: '/' }, routes: pages, ...options })
  browser = app.client()
}

const pages = (sessions: AppSessions) => {
  const page = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { reading, cookie, failure } = await sessions.http.refreshBeforeRender(nodeExchange(request, response))
    send(response, {
      kind: reading.kind,
      role: reading.kind === 'active' ? reading.session.getJwtPayload().role : null,
      cookie,
      failed: failure !== null,
    })
  }
  return { 'GET /page': page, 'POST /page': page }
}

beforeEach(() => start())
afterEach(() => app.close())

async function login(headers: Record<string, string> = SAME_ORIGIN): Promise<Reply> {
  const reply = await browser.send('POST', '/login', { headers, body: { payload: { role: 'reader' } } })
  expect(reply.status).toBe(200)
  return reply
}

interface Page {
  readonly kind: string
  readonly role: string | null
  readonly cookie: string
  readonly failed: boolean
}

async function open(headers: Record<string, string> = navigation, method = 'GET'): Promise<Reply & { page: Page }> {
  const reply = await browser.send(method, '/page', { headers })
  return { ...reply, page: JSON.parse(reply.body) as Page }
}

describe('an active session', () => {
  test('costs no store call, and the refresh token is removed for rendering', async () => {
    await login()
    app.cut.calls.length = 0
    const { page, setCookies } = await open()
    expect([page.kind, page.role, setCookies]).toEqual(['active', 'reader', []])
    expect(page.cookie).toBe(`${AT}=${browser.cookie(AT)}; ${MAC}=${browser.cookie(MAC)}`)
    expect(browser.cookie(RT)).toBeDefined()
    expect(app.cut.calls).toEqual([])
  })

  test('whose payload was updated elsewhere gets its new access token at once', async () => {
    const { handle } = JSON.parse((await login()).body) as { handle: string }
    await app.sessions.updateJwtPayload(handle, { role: 'editor' })
    const { page } = await open()
    expect([page.kind, page.role, page.cookie]).toEqual([
      'active', 'editor', `${AT}=${browser.cookie(AT)}; ${MAC}=${browser.cookie(MAC)}`,
    ])
    app.cut.calls.length = 0
    await open()
    expect(app.cut.calls).toEqual([])
  })
})

describe('an expired access token', () => {
  test('is replaced with one store call, for the client and for rendering', async () => {
    await login()
    const [access, refresh] = [browser.cookie(AT), browser.cookie(RT)]
    app.clock.advance(HOUR)
    app.cut.calls.length = 0
    const { page, headers } = await open()
    expect([page.kind, page.role]).toEqual(['active', 'reader'])
    expect(page.cookie).toBe(`${AT}=${browser.cookie(AT)}; ${MAC}=${browser.cookie(MAC)}`)
    expect(browser.cookie(AT)).not.toBe(access)
    expect(browser.cookie(RT)).not.toBe(refresh)
    expect(headers['cache-control']).toBe('private, no-store')
    expect(app.cut.calls).toEqual(['rotate'])
  })

  test('is replaced with the same child in all renderings and tabs', async () => {
    await login()
    app.clock.advance(HOUR)
    const jar = browser.jar
    const clients = Array.from({ length: 6 }, () => {
      const client = app.client()
      client.jar = jar
      return client
    })
    await Promise.all(clients.map((client, index) => index % 2 === 0
      ? client.send('GET', '/page', { headers: navigation })
      : client.send('POST', REFRESH, { headers: SAME_ORIGIN })))
    expect(new Set(clients.map(client => client.cookie(RT))).size).toBe(1)
    expect(clients[0]?.cookie(RT)).not.toBe(jar.find(({ name }) => name === RT)?.value)
  })

  test('CSRF-01: is not replaced for a request of another site that is not a navigation', async () => {
    await login()
    app.clock.advance(HOUR)
    const jar = browser.jar
    for (const [headers, method] of [
      [CROSS_SITE, 'GET'],
      [CROSS_SITE, 'POST'],
      [{ ...CROSS_SITE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, 'POST'],
      [{}, 'POST'],
    ] as const) {
      const { page, setCookies } = await open(headers, method)
      expect([page.kind, setCookies]).toEqual(['needs-refresh', []])
    }
    expect(browser.jar).toEqual(jar)
  })

  test('S-20: is replaced after a link on another site, but not in a frame there', async () => {
    await login()
    app.clock.advance(HOUR)
    const { jar } = browser
    app.cut.calls.length = 0
    for (const headers of [
      { ...linkFromElsewhere, 'sec-fetch-dest': 'iframe' },
      { ...linkFromElsewhere, 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-site' },
      { ...linkFromElsewhere, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { ...linkFromElsewhere, origin: 'https://evil.tld' },
    ]) {
      const { page, setCookies } = await open(headers)
      expect([page.kind, setCookies], JSON.stringify(headers)).toEqual(['needs-refresh', []])
    }
    expect([browser.jar, app.cut.calls]).toEqual([jar, []])
    const { page } = await open(linkFromElsewhere)
    expect([page.kind, page.role, app.cut.calls]).toEqual(['active', 'reader', ['rotate']])
  })

  test('S-20: is not replaced after a link on another site while it is valid', async () => {
    await login()
    const { jar } = browser
    app.cut.calls.length = 0
    for (const _ of [1, 2, 3]) {
      const { page, setCookies } = await open(linkFromElsewhere)
      expect([page.kind, setCookies]).toEqual(['active', []])
    }
    expect([browser.jar, app.cut.calls]).toEqual([jar, []])
  })

  test('without a refresh token in the request is not replaced', async () => {
    await app.close()
    await start({ cookie: {} })
    await login()
    app.clock.advance(HOUR)
    const { page, setCookies } = await open()
    expect([page.kind, setCookies]).toEqual(['needs-refresh', []])
    expect((await browser.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
    expect((await open()).page.kind).toBe('active')
  })

  test('REV-11: stays if the store is down, and nothing is cleared', async () => {
    await login()
    app.clock.advance(HOUR)
    app.cut.down = true
    const jar = browser.jar
    const { status, page, setCookies } = await open()
    expect([status, page.kind, page.failed, setCookies]).toEqual([200, 'needs-refresh', true, []])
    expect(browser.jar).toEqual(jar)
    app.cut.down = false
    expect((await open()).page.kind).toBe('active')
  })

  test('of a revoked session is cleared, for the client and for rendering', async () => {
    const { handle } = JSON.parse((await login()).body) as { handle: string }
    await app.sessions.revokeSession(handle)
    app.clock.advance(HOUR)
    const { page } = await open()
    expect([page.kind, page.cookie]).toEqual(['none', ''])
    expect(browser.jar).toEqual([])
  })

  test('with a refresh token that Keyturn did not issue stays', async () => {
    await login()
    app.clock.advance(HOUR)
    const token = browser.cookie(RT) ?? ''
    const forged = `${token.slice(0, -4)}AAAA`
    browser.jar = browser.jar.map(cookie => cookie.name === RT ? { ...cookie, value: forged } : cookie)
    const { page, setCookies } = await open()
    expect([page.kind, page.failed, setCookies]).toEqual(['needs-refresh', false, []])
  })

  test('CSRF-06: requires the anti-CSRF token with an unsafe method', async () => {
    await app.close()
    await start({ cookie: { refreshTokenPath: '/' }, antiCsrf: 'token' })
    const antiCsrf = (await login()).headers['anti-csrf'] ?? ''
    app.clock.advance(HOUR)
    expect((await open(SAME_ORIGIN, 'POST')).page.kind).toBe('needs-refresh')
    expect((await open({ ...SAME_ORIGIN, 'anti-csrf': antiCsrf }, 'POST')).page.kind).toBe('active')
  })
})

test('S-08: a request that opens a connection refreshes nothing, and has no session for another site', async () => {
  await login()
  const opening = { ...navigation, upgrade: 'websocket' }
  expect((await open({ ...opening, ...SAME_ORIGIN })).page.kind).toBe('active')
  expect((await open({ ...opening, ...CROSS_SITE })).page.kind).toBe('none')
  app.clock.advance(HOUR)
  app.cut.calls.length = 0
  const own = await open({ ...opening, ...SAME_ORIGIN })
  expect([own.page.kind, own.setCookies]).toEqual(['needs-refresh', []])
  const crossSite = await open({ ...opening, ...CROSS_SITE })
  expect([crossSite.page.kind, crossSite.setCookies]).toEqual(['none', []])
  expect(app.cut.calls).toEqual([])
})

test("requests for Keyturn's own routes keep their refresh token", async () => {
  await login()
  app.clock.advance(HOUR)
  const before = browser.cookie(RT)
  const reply = await browser.send('POST', REFRESH, { headers: SAME_ORIGIN })
  expect([reply.status, browser.cookie(RT) === before]).toEqual([200, false])
})

test('requests without a session, and sessions in header mode, are not changed', async () => {
  expect((await open()).page).toEqual({ kind: 'none', role: null, cookie: '', failed: false })
  const inHeaders = { ...SAME_ORIGIN, 'st-auth-mode': 'header' }
  const { headers } = await browser.send('POST', '/login', { headers: inHeaders, body: {} })
  const authorization = `Bearer ${headers['st-access-token']}`
  expect((await open({ ...navigation, authorization })).page.kind).toBe('active')
  app.clock.advance(HOUR)
  expect((await open({ ...navigation, authorization })).page.kind).toBe('needs-refresh')
})

test('CK-09: sessions survive a wider path of the refresh token, and no cookie is left over', async () => {
  await app.close()
  await start({ cookie: {} })
  await login()
  const jar = browser.jar
  const { store } = app.cut
  // The same store and clock, as after a deployment with the new option.
  const now = app.clock()
  const later = await startSessionServer({ cookie: { refreshTokenPath: '/' }, routes: pages, store })
  later.clock.advance(now - later.clock() + HOUR)
  browser = later.client()
  browser.jar = jar
  expect(browser.jar.find(({ name }) => name === RT)?.path).toBe(REFRESH)
  expect((await open()).page.kind).toBe('needs-refresh')
  expect((await browser.send('POST', REFRESH, { headers: SAME_ORIGIN })).status).toBe(200)
  expect(browser.jar.filter(({ name }) => name === RT).map(({ path }) => path)).toEqual(['/'])
  later.clock.advance(HOUR)
  expect((await open()).page.kind).toBe('active')
  await later.close()
})
