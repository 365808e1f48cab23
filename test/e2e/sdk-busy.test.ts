import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BUSY_SECONDS } from '../support/lose-answers.ts'
import { Application } from './client-support/application.ts'
import { browserPath, launchBrowser } from './support/browser.ts'
import { bundleFrontEndSdk, SdkTab } from './support/front-end.ts'
import type { TransferMethod } from './support/front-end.ts'

describe.skipIf(browserPath === null)('supertokens-website in Chromium, with a busy server', () => {
  let browser: Browser
  let bundle: string
  let application: Application

  beforeAll(async () => {
    ;[browser, bundle, application] = await Promise.all([launchBrowser(), bundleFrontEndSdk(), Application.start('')])
  })

  afterEach(async () => {
    application.beforeRefresh = null
    application.refreshes.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const openTab = async (method: TransferMethod, tab?: SdkTab): Promise<SdkTab> =>
    SdkTab.open(tab?.page.context() ?? await browser.newContext(), `${application.origin}/elsewhere`, {
      bundle, apiDomain: application.origin, method,
    })

  async function logIn(tab: SdkTab): Promise<void> {
    expect(await tab.call('POST', `${application.origin}/login`, { userId: 'ada' })).toEqual([200])
    // Without a known session, the package sends a refresh before its first call.
    application.refreshes.length = 0
  }

  /** The status and `Retry-After` of calls of `/me`, also if the package throws the response. */
  const callMe = (tab: SdkTab, times = 1): Promise<(readonly [status: number, retryAfter: string | null])[]> =>
    tab.page.evaluate(times => Promise.all(Array.from({ length: times }, async (_, number) => {
      const reply: unknown = await fetch(`/me?${number}`).catch((thrown: unknown) => thrown)
      if (!(reply instanceof Response)) throw reply
      return [reply.status, reply.headers.get('retry-after')] as const
    })), times)

  test.each(['cookie', 'header'] as const)(
    'ROT-15: with tokens by %s it keeps them, returns the 503 to the caller, and its next call succeeds',
    async method => {
      const tab = await openTab(method)
      await logIn(tab)
      const session = await tab.session()
      const cookies = await tab.page.context().cookies()
      application.expireTokens()
      application.loseAnswers()

      expect(await callMe(tab)).toEqual([[503, `${BUSY_SECONDS}`]])
      expect(await tab.page.context().cookies()).toEqual(cookies)
      expect(await tab.session()).toEqual(session)
      expect(session).toMatchObject({ exists: true, userId: 'ada' })
      expect(await tab.events()).toEqual(['SESSION_CREATED'])

      application.pass(BUSY_SECONDS * 1000)
      expect(await callMe(tab)).toEqual([[200, null]])
      expect(application.refreshes).toEqual([503, 200])
      expect((await tab.events()).at(-1)).toBe('REFRESH_SESSION')
      expect(await tab.session()).toMatchObject({ exists: true, userId: 'ada' })
    },
  )

  test.each(['cookie', 'header'] as const)(
    'ROT-15: with tokens by %s in two tabs, all parallel calls get the 503, and the session is kept',
    async method => {
      const tab = await openTab(method)
      const other = await openTab(method, tab)
      await logIn(tab)
      application.expireTokens()
      application.loseAnswers()
      const statuses = (await Promise.all([tab, other].map(each => callMe(each, 3)))).flat().map(([status]) => status)
      expect(statuses).toEqual(Array(6).fill(503))
      expect(new Set(application.refreshes)).toEqual(new Set([503]))
      expect(await other.session()).toMatchObject({ exists: true, userId: 'ada' })

      application.pass(BUSY_SECONDS * 1000)
      expect((await Promise.all([tab, other].map(each => callMe(each)))).flat()).toEqual([[200, null], [200, null]])
      // On a busy machine both tabs refresh at times. Neither may be refused.
      expect(new Set(application.refreshes.filter(status => status !== 503))).toEqual(new Set([200]))
      expect(await other.session()).toMatchObject({ exists: true, userId: 'ada' })
    },
  )

  test('ROT-15: an explicit refresh fails, and the next one succeeds', async () => {
    const tab = await openTab('cookie')
    await logIn(tab)
    application.loseAnswers()
    const outcome = await tab.page.evaluate(() => supertokens.attemptRefreshingSession().catch((thrown: unknown) =>
      thrown instanceof Response ? thrown.status : String(thrown)))
    expect(outcome).toBe(503)
    application.pass(BUSY_SECONDS * 1000)
    expect(await tab.refresh()).toBe(true)
    expect(await callMe(tab)).toEqual([[200, null]])
  })
})
