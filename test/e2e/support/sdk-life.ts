import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, copyCookies, launchBrowser, watchRefreshes } from './browser.ts'
import { LIFETIME } from './example.ts'
import { bundleFrontEndSdk, SdkTab, startFrontEnd } from './front-end.ts'
import type { FrontEnd } from './front-end.ts'
import { logInElsewhere, Thief } from './outsider.ts'

/** A server with the example's routes, in any language, whose access tokens live for `LIFETIME`. */
export interface SdkApplication {
  readonly origin: string
  /** The names of the cookies that scripts cannot read. */
  readonly cookieNames: readonly string[]
  /** Lets so many milliseconds pass for the application alone. */
  pass(milliseconds: number): Promise<void>
  /** What it has printed. */
  output(): string
  stop(): Promise<void>
}

const settings = [
  { method: 'cookie', place: 'the application', host: 'localhost' },
  { method: 'header', place: 'another site', host: '127.0.0.1' },
] as const

/** The life of a session, as the published browser SDK leads it in Chromium. */
export function describeSdkLife(title: string, start: (frontEnd: string) => Promise<SdkApplication>): void {
  describe.skipIf(browserPath === null)(title, () => lifeOf(start))
}

function lifeOf(start: (frontEnd: string) => Promise<SdkApplication>): void {
  let browser: Browser
  let bundle: string

  beforeAll(async () => {
    ;[browser, bundle] = await Promise.all([launchBrowser(), bundleFrontEndSdk()])
  })

  afterAll(() => browser?.close())

  describe.each(settings)('with tokens by $method, on a page of $place', ({ method, host }) => {
    let frontEnd: FrontEnd
    let example: SdkApplication

    beforeAll(async () => {
      frontEnd = await startFrontEnd(host)
      example = await start(frontEnd.origin)
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

    /** Lets all access tokens expire, which no page knows. */
    const expire = (): Promise<void> => example.pass(LIFETIME + 1000)

    /**
     * Two reuse intervals (each a fifth of the access tokens' life): the next refresh is no repetition, but rotates.
     */
    const untilRefreshRotates = (): Promise<void> => example.pass(LIFETIME * 2 / 5 + 1)

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
        ? [['sFrontToken'], example.cookieNames.toSorted()]
        : [['sFrontToken', 'st-access-token', 'st-refresh-token'], []])

      const thief = await copyTokens(tab)
      await tab.signOut()
      expect(await tab.events()).toEqual(['SESSION_CREATED', 'SIGN_OUT'])
      await expectSignedOut(tab)
      expect(await thief.refresh()).toBe('401 unauthorised')
    })

    test('L-04: signs out after the access token has expired, without a refresh', async () => {
      const tab = await logIn()
      const refreshes = watchRefreshes(tab.page.context())
      const thief = await copyTokens(tab)
      await expire()
      await tab.signOut()
      expect(await refreshes.statuses()).toEqual([])
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

    test('refreshes once for 10 parallel calls after expiry', async () => {
      const tab = await logIn()
      const refreshes = watchRefreshes(tab.page.context())
      await expire()
      expect(await tab.call('GET', `${example.origin}/me`, undefined, 10)).toEqual(Array(10).fill(200))
      expect(await refreshes.statuses()).toEqual([200])
    })

    test('refreshes once for the parallel calls of 2 tabs after expiry', async () => {
      const tab = await logIn()
      const tabs = [tab, await openTab(tab.page.context())]
      const refreshes = watchRefreshes(tab.page.context())
      await expire()
      const statuses = await Promise.all(tabs.map(each => each.call('GET', `${example.origin}/me`, undefined, 10)))
      expect(statuses.flat()).toEqual(Array(20).fill(200))
      expect(await refreshes.statuses()).toEqual([200])
      expect((await tab.session()).payload).toEqual((await tabs[1]?.session())?.payload)
    })

    test('keeps the session if the response to a refresh is lost', async () => {
      const tab = await logIn()
      const refreshes = watchRefreshes(tab.page.context())
      const tokens = async (): Promise<readonly string[]> =>
        [await copyCookies(tab.page), await tab.readableCookie('st-refresh-token')]
      const before = await tokens()
      const lost: number[] = []
      // Not with the browser's means, which would keep the cookies of the answer.
      await tab.page.route('**/auth/session/refresh', async route => {
        const { cookie = '', authorization = '', origin = example.origin } = await route.request().allHeaders()
        const headers = { rid: 'session', 'st-auth-mode': method, origin, ...cookie ? { cookie } : { authorization } }
        lost.push((await fetch(route.request().url(), { method: 'POST', headers })).status)
        await route.abort('connectionreset')
      }, { times: 1 })
      await expect(tab.refresh()).rejects.toThrow()
      expect([lost, await tokens()]).toEqual([[200], before])
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
}
