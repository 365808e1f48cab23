import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

/** How sessions begin and end in several tabs, where the browser applies cookies by itself. */
describe.skipIf(browserPath === null)('ends of sessions in Chromium', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    const [started, bundle] = await Promise.all([launchBrowser(), bundleClient()])
    browser = started
    application = await Application.start(bundle)
  })

  afterEach(async () => {
    application.beforeAnswer = null
    application.beforeRefresh = null
    application.refreshes.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const openTabs = async (path = '/'): Promise<{ profile: BrowserContext; tab: Page; other: Page }> => {
    const profile = await browser.newContext()
    const [tab, other] = [await openTab(profile, application.origin + path), await openTab(profile, application.origin + path)]
    return { profile, tab, other }
  }
  const viewOf = (page: Page): Promise<string> => page.evaluate(() => {
    const { status, reason } = client.view()
    return `${status} ${reason}`
  })

  /** Holds the answers to refreshes until `release`; `held` resolves with the first. */
  function holdAnswers(): { readonly held: Promise<void>; readonly release: () => void } {
    let release = (): void => undefined
    let hold = (): void => undefined
    const over = new Promise<void>(resolve => release = resolve)
    const held = new Promise<void>(resolve => hold = resolve)
    application.beforeAnswer = () => {
      hold()
      return over
    }
    return { held, release: () => release() }
  }

  test.each([
    ['in the same tab', 'a dead session', true], ['in another tab', 'a dead session', true],
    ['in the same tab', 'a live session', false], ['in another tab', 'a live session', false],
  ] as const)('B-01: a login %s wins over the late answer to a refresh of %s', async (where, _, isDead) => {
    const { profile, tab, other } = await openTabs()
    await logIn(tab)
    const handle = await tab.evaluate(() => client.peekSession()?.handle ?? '')
    if (isDead) await application.revoke('ada')
    application.expireTokens()
    const { held, release } = holdAnswers()
    const asked = tab.evaluate(() => client.refresh().then(() => client.peekSession()?.userId))
    await held
    // By a `keepalive` request, which waits for no refresh: as if the page's own client knew nothing of this one.
    const login = where === 'in the same tab' ? tab : other
    await login.evaluate(() => client.fetch('/login', { method: 'POST', body: '{"userId":"bob"}', keepalive: true }))
    // The refresh was aborted: its caller has the new session before the answer comes.
    expect(await asked).toBe('bob')
    release()
    expect(await call(tab)).toEqual([200])
    expect(await call(other)).toEqual([200])
    expect([await userOf(tab), await userOf(other)]).toEqual(['bob', 'bob'])
    expect((await profile.cookies()).length).toBeGreaterThanOrEqual(2)
    expect(await tab.evaluate(() => client.peekSession()?.handle)).not.toBe(handle)
  })

  test.each([['cookie', '/'], ['header', '/header']])(
    'B-01: after a sign-out in %s mode, a late refresh shows nobody, in no tab', async (_, path) => {
      const { tab, other } = await openTabs(path)
      const userId = `leaving-${path}`
      await logIn(tab, userId)
      application.expireTokens()
      const { held, release } = holdAnswers()
      const asked = tab.evaluate(() => client.refresh())
      await held
      expect(await other.evaluate(() => client.signOut())).toBe(true)
      expect(await asked).toBe(false)
      release()
      expect([await viewOf(tab), await viewOf(other)]).toEqual(['signed-out signed-out', 'signed-out signed-out'])
      expect(await call(tab)).toEqual([401])
      expect(await application.count(userId)).toBe(0)
    },
  )

  test('B-06: a sign-out without a network ends the session in all tabs, and on the server when it is back', async () => {
    const { profile, tab, other } = await openTabs()
    await logIn(tab, 'eve')
    await profile.setOffline(true)
    expect(await tab.evaluate(() => client.signOut())).toBe(false)
    expect(await viewOf(tab)).toBe('signed-out signed-out')
    await expect.poll(() => viewOf(other)).toBe('signed-out signed-out')
    expect(await application.count('eve')).toBe(1)
    await tab.close()
    await profile.setOffline(false)
    await expect.poll(() => application.count('eve')).toBe(0)
    await expect.poll(async () => (await profile.cookies()).length).toBe(0)
    const later = await openTab(profile, application.origin)
    expect(await viewOf(later)).toBe('signed-out signed-out')
  })

  test('B-08: what the client keeps of a session that is not remembered ends with the browser', async () => {
    const { profile, tab } = await openTabs()
    await tab.evaluate(() => client.fetch('/login', { method: 'POST', body: '{"userId":"ada","persistent":false}' }))
    const later = await openTab(profile, application.origin)
    expect(await userOf(later)).toBe('ada')
    // A browser that is closed deletes the cookies without an expiry, and keeps the storage.
    const kept = await profile.storageState()
    const lasting = kept.cookies.filter(({ expires }) => expires !== -1)
    expect(lasting).toEqual([])
    const reopened = await browser.newContext({ storageState: { ...kept, cookies: lasting } })
    const again = await openTab(reopened, application.origin)
    expect(await viewOf(again)).toBe('signed-out null')
  })

  test('B-10: an anonymous visitor causes no request and no error; every end says why', async () => {
    const profile = await browser.newContext()
    const page = await profile.newPage()
    const asked: string[] = []
    const errors: string[] = []
    page.on('request', request => asked.push(new URL(request.url()).pathname))
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    await page.goto(application.origin)
    expect(await page.evaluate(() => client.getSession())).toBeNull()
    expect(await viewOf(page)).toBe('signed-out null')
    expect(asked).toEqual(['/', '/client.js'])
    expect(errors).toEqual([])
    await logIn(page)
    await application.revoke('ada')
    application.expireTokens()
    expect(await call(page)).toEqual([401])
    expect(await viewOf(page)).toBe('signed-out revoked')
    await logIn(page)
    await logIn(page, 'bob')
    expect(await viewOf(page)).toBe('signed-in replaced')
  })

  test('B-14: polling a route whose own 401 means something else costs one refresh', async () => {
    const { tab } = await openTabs()
    await logIn(tab)
    for (let poll = 0; poll < 10; poll++) expect(await call(tab, '/own-401')).toEqual([401])
    expect(application.refreshes).toEqual([200])
  })
})
