import { afterEach, describe, expect, test } from 'vitest'
import type { CookieOptions } from '../../src/transport/cookie-config.ts'
import type { HttpClient, JarCookie, Reply } from '../support/http-client.ts'
import { REFRESH, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

// Two applications under one domain, and one browser: neither clears the cookies of the other.

const PRODUCTION = 'https://example.com'
const STAGING = 'https://staging.example.com'
const HOUR = 3_600_000

const servers: SessionServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** One application. All of its clients share the browser's cookie jar. */
class App {
  readonly #server: SessionServer
  readonly #origin: string
  readonly #browser: { jar: readonly JarCookie[] }
  readonly #client: HttpClient

  constructor(server: SessionServer, origin: string, browser: { jar: readonly JarCookie[] }) {
    this.#server = server
    this.#origin = origin
    this.#browser = browser
    this.#client = server.client()
  }

  async send(method: string, path: string, headers = {}, extraCookies: readonly string[] = []): Promise<Reply> {
    this.#client.jar = this.#browser.jar
    const reply = await this.#client.send(method, path, {
      headers: { origin: this.#origin, 'sec-fetch-site': 'same-origin', ...headers },
      ...method === 'POST' ? { body: { userId: this.#origin } } : {},
      extraCookies,
    })
    this.#browser.jar = this.#client.jar
    return reply
  }

  /** Sends requests one after the other, and returns their statuses. */
  async use(...paths: readonly string[]): Promise<number[]> {
    const statuses: number[] = []
    for (const path of paths) statuses.push((await this.send(path === '/me' ? 'GET' : 'POST', path)).status)
    return statuses
  }

  later(milliseconds: number): void {
    this.#server.clock.advance(milliseconds)
  }
}

async function start(origin: string, cookie: CookieOptions, browser: { jar: readonly JarCookie[] }): Promise<App> {
  const server = await startSessionServer({ origin, cookie })
  servers.push(server)
  return new App(server, origin, browser)
}

const placesOf = (jar: readonly JarCookie[]): string[] => (
  jar.map(({ name, domain, hostOnly, path }) => `${name} ${hostOnly ? '' : '.'}${domain}${path}`).sort()
)

const names = { accessTokenName: 'at', refreshTokenName: 'rt' }
const settings: [name: string, production: CookieOptions, staging: CookieOptions][] = [
  ['as the defaults have it', { domain: 'example.com' }, {}],
  ['with equal names', { ...names, domain: 'example.com' }, names],
  ['with equal names on every path', { ...names, domain: 'example.com', refreshTokenPath: '/' }, {
    ...names, refreshTokenPath: '/',
  }],
  ['with an older domain that is production\'s', { domain: 'example.com' }, { olderDomain: 'example.com' }],
  ['with equal names and an older domain that is production\'s', { ...names, domain: 'example.com' }, {
    ...names, olderDomain: 'example.com',
  }],
  ['with production on its host alone, staging on the whole domain', names, { ...names, domain: 'example.com' }],
]

describe.each(settings)('S-17: production and staging, %s', (_, production, staging) => {
  test.each(['production', 'staging'])('both work when %s logs in first', async first => {
    const browser: { jar: readonly JarCookie[] } = { jar: [] }
    const [parent, child] = [await start(PRODUCTION, production, browser), await start(STAGING, staging, browser)]
    const order = first === 'production' ? [parent, child] : [child, parent]
    for (const app of order) expect(await app.use('/login', '/me')).toEqual([200, 200])
    const places = placesOf(browser.jar)
    expect(places).toHaveLength(6)
    for (let round = 0; round < 3; round++) {
      for (const app of order) expect(await app.use('/me', '/act', REFRESH, '/me')).toEqual([200, 200, 200, 200])
      for (const app of order) app.later(HOUR)
      for (const app of order) expect(await app.use('/me', REFRESH, '/me')).toEqual([401, 200, 200])
      expect(placesOf(browser.jar)).toEqual(places)
    }
    const [left, stays] = order
    expect(await left?.use('/login', SIGNOUT)).toEqual([200, 200])
    expect(placesOf(browser.jar)).toHaveLength(3)
    expect(await left?.use('/me', REFRESH)).toEqual([401, 401])
    expect(await stays?.use('/me', '/act', REFRESH, '/me')).toEqual([200, 200, 200, 200])
  })
})

describe('S-17: cookies of this application are cleared', () => {
  test('those of a domain that was configured before, when a request contains them', async () => {
    const browser: { jar: readonly JarCookie[] } = { jar: [] }
    const server = await startSessionServer({ origin: STAGING, cookie: { ...names, domain: 'example.com' } })
    servers.push(server)
    const before = new App(server, STAGING, browser)
    await before.use('/login')
    for (const then of [[REFRESH], [REFRESH, '/me'], ['/login', '/me', REFRESH], [REFRESH, SIGNOUT], [SIGNOUT]]) {
      // The same store, as after a deployment with other settings.
      const after = await startSessionServer({
        origin: STAGING, cookie: { ...names, olderDomain: 'example.com' }, store: server.cut.store,
      })
      servers.push(after)
      const migrated: { jar: readonly JarCookie[] } = { jar: browser.jar }
      const statuses = await new App(after, STAGING, migrated).use(...then)
      expect(statuses, then.join()).toEqual(then.map(() => 200))
      expect(migrated.jar.filter(({ name, hostOnly }) => name === 'at' && !hostOnly), then.join()).toEqual([])
      if (then.includes(REFRESH)) {
        expect(migrated.jar.filter(({ hostOnly }) => !hostOnly), then.join()).toEqual([])
      }
      await server.sessions.revokeAllSessionsForUser(STAGING)
      browser.jar = []
      await before.use('/login')
    }
  })

  test('but none beside a token of another application; the session still works', async () => {
    const browser: { jar: readonly JarCookie[] } = { jar: [] }
    const [parent, child] = [
      await start(PRODUCTION, { ...names, domain: 'example.com' }, browser), await start(STAGING, names, browser),
    ]
    await parent.use('/login')
    await child.use('/login')
    const old = browser.jar.find(({ name, hostOnly }) => name === 'at' && hostOnly)?.value
    child.later(60_000)
    await child.use(REFRESH)
    const { jar } = browser
    for (const path of ['/me', '/act', REFRESH]) {
      const reply = await child.send(path === '/me' ? 'GET' : 'POST', path, {}, [`at=${old}`, 'at=junk'])
      expect(reply.status, path).toBe(200)
      expect(reply.setCookies.filter(line => /^(at|rt)=;/.test(line)), path).toEqual([])
    }
    expect(placesOf(browser.jar)).toEqual(placesOf(jar))
    expect(await parent.use('/me', REFRESH)).toEqual([200, 200])
  })

  test('but not in a response to another site, because browsers send only some of the cookies', async () => {
    const browser: { jar: readonly JarCookie[] } = { jar: [] }
    const app = await start(STAGING, { ...names, olderDomain: 'example.com' }, browser)
    await app.use('/login')
    const old = browser.jar.find(({ name }) => name === 'at')?.value
    app.later(60_000)
    await app.use(REFRESH)
    const from = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expect((await app.send('GET', '/me', from, [`at=${old}`])).setCookies).toEqual([])
    expect((await app.send('GET', '/me', {}, [`at=${old}`])).setCookies).not.toEqual([])
  })
})
