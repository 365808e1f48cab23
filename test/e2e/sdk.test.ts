import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './support/browser.ts'
import { startExample } from './support/example.ts'
import type { Example } from './support/example.ts'
import { bundleFrontEndSdk, SdkTab, startFrontEnd } from './support/front-end.ts'
import type { FrontEnd } from './support/front-end.ts'
import { logInElsewhere, Thief } from './support/outsider.ts'

/** In seconds. The package sends parallel calls one after the other for up to a second; a token must live longer. */
const validity = 4

const settings = [
  { method: 'cookie', place: 'the application', host: 'localhost' },
  { method: 'header', place: 'another site', host: '127.0.0.1' },
] as const

describe.skipIf(browserPath === null)('supertokens-website in Chromium', () => {
  let browser: Browser
  let bundle: string

  beforeAll(async () => {
    ;[browser, bundle] = await Promise.all([launchBrowser(), bundleFrontEndSdk()])
  })

  afterAll(() => browser?.close())

  describe.each(settings)('with tokens by $method, on a page of $place', ({ method, host }) => {
    let frontEnd: FrontEnd
    let example: Example

    beforeAll(async () => {
      frontEnd = await startFrontEnd(host)
      example = await startExample({ ACCESS_TOKEN_VALIDITY: String(validity), ALLOWED_ORIGIN: frontEnd.origin })
    })

    afterAll(async () => {
      await frontEnd?.close()
      await example?.stop()
    })

    /** A tab with the package, on an asset of the example, which runs no scripts, or on another site. */
    function openTab(profile: BrowserContext): Promise<SdkTab> {
      const url = method === 'cookie' ? `${example.origin}/style.css` : frontEnd.origin
      return SdkTab.open(profile, url, { bundle, apiDomain: example.origin, method })
    }

    async function logIn(): Promise<SdkTab> {
      const tab = await openTab(await browser.newContext())
      expect(await tab.call('POST', `${example.origin}/login`, { userId: 'ada' })).toEqual([200])
      return tab
    }

    /** The credentials that a thief with access to the browser's disk could copy. */
    async function copyTokens(tab: SdkTab): Promise<Thief> {
      return new Thief(example.origin, method === 'cookie'
        ? { cookies: await copyCookies(tab.page) }
        : { refreshToken: await tab.readableCookie('st-refresh-token') })
    }

    async function untilExpiry(tab: SdkTab): Promise<void> {
      const { payload } = await tab.session()
      await tab.page.waitForFunction(exp => Date.now() >= exp * 1000, Number(payload?.['exp']), { polling: 50 })
    }

    /** Waits for two reuse intervals (each a fifth of the access token lifetime), so that the next refresh rotates. */
    function untilRefreshRotates(): Promise<void> {
      return sleep(validity * 1000 * 2 / 5 + 100)
    }

    async function expectSignedOut(tab: SdkTab): Promise<void> {
      expect(await tab.session()).toEqual({ exists: false, userId: null, payload: null })
      expect(await copyCookies(tab.page)).toBe('')
      expect(await tab.readableCookies()).toEqual(['st-last-access-token-update'])
    }

    test('logs in, knows the session, calls a protected route, signs out', async () => {
      const tab = await logIn()
      expect(await tab.session()).toMatchObject({ exists: true, userId: 'ada', payload: { role: 'reader' } })
      expect(await tab.call('GET', `${example.origin}/me`)).toEqual([200])
      expect(await tab.call('PUT', `${example.origin}/info`, { note: 'hello' })).toEqual([200])

      const readable = (await tab.readableCookies()).filter(name => name !== 'st-last-access-token-update').sort()
      const cookies = await tab.page.context().cookies()
      const hidden = cookies.filter(({ httpOnly }) => httpOnly).map(({ name }) => name).sort()
      expect([readable, hidden]).toEqual(method === 'cookie'
        ? [['sFrontToken'], ['sAccessToken', 'sRefreshToken']]
        : [['sFrontToken', 'st-access-token', 'st-refresh-token'], []])

      const thief = await copyTokens(tab)
      await tab.signOut()
      expect(await tab.events()).toEqual(['SESSION_CREATED', 'SIGN_OUT'])
      await expectSignedOut(tab)
      expect(await thief.refresh()).toBe('401 unauthorised')
    })

    test('notifies the page of a new payload', async () => {
      const tab = await logIn()
      expect(await tab.call('POST', `${example.origin}/payload`, { role: 'größer', tags: ['😀'] })).toEqual([200])
      expect(await tab.events()).toEqual(['SESSION_CREATED', 'ACCESS_TOKEN_PAYLOAD_UPDATED'])
      const changed = { sub: 'ada', role: 'größer', tags: ['😀'] }
      expect((await tab.session()).payload).toMatchObject(changed)
      await tab.refresh()
      expect((await tab.session()).payload).toMatchObject(changed)
    })

    test.concurrent('refreshes once for 10 parallel calls after expiry', async ({ expect }) => {
      const tab = await logIn()
      const refreshes = watchRefreshes(tab.page.context())
      await untilExpiry(tab)
      expect(await tab.call('GET', `${example.origin}/me`, undefined, 10)).toEqual(Array(10).fill(200))
      expect(await refreshes.statuses()).toEqual([200])
    })

    test.concurrent('refreshes once for the parallel calls of 2 tabs after expiry', async ({ expect }) => {
      const tab = await logIn()
      const tabs = [tab, await openTab(tab.page.context())]
      const refreshes = watchRefreshes(tab.page.context())
      await untilExpiry(tab)
      const statuses = await Promise.all(tabs.map(each => each.call('GET', `${example.origin}/me`, undefined, 10)))
      expect(statuses.flat()).toEqual(Array(20).fill(200))
      expect(await refreshes.statuses()).toEqual([200])
      expect((await tab.session()).payload).toEqual((await tabs[1]?.session())?.payload)
    })

    test('keeps the session if the response to a refresh is lost', async () => {
      const tab = await logIn()
      const refreshes = watchRefreshes(tab.page.context())
      await tab.page.route('**/auth/session/refresh', async route => {
        await route.fetch()
        await route.abort('connectionreset')
      }, { times: 1 })
      await expect(tab.refresh()).rejects.toThrow()
      expect(await tab.refresh()).toBe(true)
      expect(await refreshes.statuses()).toEqual([0, 200])
      expect(await tab.call('GET', `${example.origin}/me`)).toEqual([200])
    })

    test('learns at the next call that another device revoked the session', async () => {
      const tab = await logIn()
      const device = await logInElsewhere(example.origin, 'ada')
      const handle = (await tab.session()).payload?.['sid']
      expect(await device.call('DELETE', `/devices/${handle}`)).toBe(200)
      expect(await tab.call('GET', `${example.origin}/me`)).toEqual([401])
      expect(await tab.events()).toContain('UNAUTHORISED: expired or revoked')
      await expectSignedOut(tab)
      expect(await device.call('GET', '/me')).toBe(200)
    })

    test('loses the session when an old refresh token is replayed from outside', async () => {
      const tab = await logIn()
      const thief = await copyTokens(tab)
      await tab.refresh()
      await untilRefreshRotates()
      await tab.refresh()
      expect(await tab.call('GET', `${example.origin}/me`)).toEqual([200])

      expect(await thief.refresh()).toBe('401 token theft detected')
      const handle = String((await tab.session()).payload?.['sid'])
      expect(example.output()).toContain(`theft caught: session ${handle} of ada`)
      expect(await tab.call('GET', `${example.origin}/me`)).toEqual([401])
      expect(await tab.events()).toContain('UNAUTHORISED: expired or revoked')
      await expectSignedOut(tab)
    })

    test('detects the theft if the thief refreshed before the owner', async () => {
      const tab = await logIn()
      const thief = await copyTokens(tab)
      expect(await thief.refresh()).toBe('200')
      await untilRefreshRotates()
      expect(await thief.refresh()).toBe('200')

      // The owner's token is now two generations old, and two parties have used it.
      expect(await tab.refresh()).toBe(false)
      await expectSignedOut(tab)
      expect(await thief.refresh()).toBe('401 unauthorised')
    })
  })
})
