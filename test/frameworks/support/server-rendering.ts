import { describe, expect, test } from 'vitest'
import { defaultCookieNames } from '../../../src/base/cookie-names.ts'
import type { CookieNames } from '../../../src/base/cookie-names.ts'
import type { ExampleApp } from './example-app.ts'
import { navigation, PageBrowser, stateOf } from './page-browser.ts'

/** Lets the access tokens of an example expire. By default they live for an hour. */
export const expire = (app: ExampleApp): Promise<void> => app.pass(3_601_000)

/**
 * What an example that renders pages must do: `/` shows the state of the session and the forms of a login, `/api/me`
 * answers the session and, to a POST, logs in.
 */
export function serverRenderingTests(app: () => ExampleApp): void {
  const openBrowser = (): PageBrowser => new PageBrowser(app())
  const names = (): CookieNames => defaultCookieNames(new URL(app().origin))

  async function login(browser: PageBrowser): Promise<string> {
    const reply = await browser.post('/api/me')
    expect(reply.status).toBe(200)
    return (JSON.parse(reply.body) as { handle: string }).handle
  }

  describe('endpoints', () => {
    test('create, find and refuse sessions', async () => {
      const browser = openBrowser()
      expect((await browser.open('/api/me')).status).toBe(401)
      const handle = await login(browser)
      const me = await browser.open('/api/me')
      expect(JSON.parse(me.body)).toEqual({ userId: 'grace', handle, payload: { role: 'reader' } })
      await expire(app())
      expect((await browser.post('/api/me', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.tld' })).status)
        .toBe(403)
    })

    test("serve Keyturn's own routes", async () => {
      const browser = openBrowser()
      await login(browser)
      const before = browser.client.cookie(names().refreshToken)
      expect((await browser.refresh()).status).toBe(200)
      expect(browser.client.cookie(names().refreshToken)).not.toBe(before)
      expect(JSON.parse((await browser.open('/auth/jwt/jwks.json')).body)).toMatchObject({ keys: [{ kty: 'EC' }] })
      expect((await browser.post('/auth/signout')).status).toBe(200)
      expect(browser.client.jar).toEqual([])
      const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.tld' }
      expect((await browser.post('/auth/session/refresh', crossSite)).status).toBe(403)
      expect((await browser.open('/auth/session/refresh')).status).toBe(405)
      expect((await browser.open('/auth/else')).status).toBe(404)
    })
  })

  describe('forms', () => {
    test('log in, change the payload and log out; the page that follows already knows', async () => {
      const browser = openBrowser()
      const start = await browser.open()
      expect(stateOf(start)).toBe('none')
      const entered = await browser.submit(start, 'log in', { userId: 'ada' })
      expect(stateOf(entered)).toMatch(/^active ada reader /)
      expect(browser.client.jar.map(({ name, path, httpOnly, sameSite }) => [name, path, httpOnly, sameSite])).toEqual([
        [names().accessToken, '/', true, 'lax'],
        [`${names().accessToken}Mac`, '/', true, 'lax'],
        [names().refreshToken, '/', true, 'lax'],
      ])
      expect(entered.headers['cache-control']).toContain('no-store')
      const promoted = await browser.submit(await browser.open(), 'become editor')
      expect(stateOf(promoted)).toMatch(/^active ada editor /)
      expect(stateOf(await browser.open())).toMatch(/^active ada editor /)
      expect(stateOf(await browser.submit(await browser.open(), 'log out'))).toBe('none')
      expect(browser.client.jar).toEqual([])
      expect(stateOf(await browser.open())).toBe('none')
    })

    test('refresh the session if the access token has expired', async () => {
      const browser = openBrowser()
      await browser.submit(await browser.open(), 'log in', { userId: 'ada' })
      const page = await browser.open()
      await expire(app())
      expect(stateOf(await browser.submit(page, 'become editor'))).toMatch(/^active ada editor /)
      expect(stateOf(await browser.open())).toMatch(/^active ada editor /)
    })
  })

  describe('pages', () => {
    test('that are rendered while tabs refresh log nobody out', async () => {
      const browser = openBrowser()
      await login(browser)
      for (let round = 0; round < 3; round++) {
        await expire(app())
        // All share one jar: their answers arrive in it in any order.
        const pages = Array.from({ length: 4 }, () => browser.open())
        const tabs = Array.from({ length: 4 }, () => browser.refresh())
        const states = (await Promise.all(pages)).map(stateOf)
        expect(states.map(state => state.split(' ')[0])).toEqual(Array(4).fill('active'))
        expect((await Promise.all(tabs)).map(({ status }) => status)).toEqual(Array(4).fill(200))
        expect((await browser.open('/api/me')).status).toBe(200)
      }
      await expire(app())
      expect((await browser.refresh()).status).toBe(200)
      expect(app().output()).not.toContain('keyturn:')
    })

    test('are rendered with one refresh and without a redirect if the access token has expired', async () => {
      const browser = openBrowser()
      await login(browser)
      const [access, token] = [browser.client.cookie(names().accessToken), browser.client.cookie(names().refreshToken)]
      await expire(app())
      const page = await browser.open()
      expect(page.status).toBe(200)
      expect(page.headers['cache-control']).toContain('no-store')
      expect(stateOf(page)).toMatch(/^active grace reader /)
      expect(browser.client.cookie(names().accessToken)).not.toBe(access)
      expect(browser.client.cookie(names().refreshToken)).not.toBe(token)
      expect((await browser.open()).setCookies).toEqual([])
      expect((await browser.open('/api/me')).status).toBe(200)
    })

    test('S-09: that show a session are not stored by shared caches', async () => {
      const browser = openBrowser()
      await login(browser)
      const page = await browser.open()
      expect([stateOf(page).split(' ')[0], page.setCookies]).toEqual(['active', []])
      expect(page.headers['cache-control']).toContain('private')
    })

    test('refresh the session after a link on another site, but not for a fetch from another site', async () => {
      const browser = openBrowser()
      await login(browser)
      await expire(app())
      const jar = browser.client.jar
      const otherSite = await browser.open('/', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })
      expect([stateOf(otherSite), otherSite.setCookies]).toEqual(['needs-refresh', []])
      expect(browser.client.jar).toEqual(jar)
      expect(stateOf(await browser.open('/', { ...navigation, 'sec-fetch-site': 'cross-site' }))).toMatch(/^active /)
    })

    test('are rendered once if the refresh is refused, and cookies that may be valid are kept', async () => {
      const browser = openBrowser()
      await login(browser)
      await expire(app())
      const token = browser.client.cookie(names().refreshToken) ?? ''
      const jar = browser.client.jar.map(cookie => (
        cookie.value === token ? { ...cookie, value: `${token.slice(0, -4)}AAAA` } : cookie
      ))
      browser.client.jar = jar
      const page = await browser.open()
      expect([page.status, stateOf(page), page.setCookies]).toEqual([200, 'needs-refresh', []])
      expect(browser.client.jar).toEqual(jar)
    })

    test('clear the tokens of a session that has ended', async () => {
      const browser = openBrowser()
      await login(browser)
      const elsewhere = openBrowser()
      elsewhere.client.jar = browser.client.jar
      expect((await elsewhere.post('/auth/signout')).status).toBe(200)
      await expire(app())
      expect(stateOf(await browser.open())).toBe('none')
      expect(browser.client.jar).toEqual([])
    })
  })
}
