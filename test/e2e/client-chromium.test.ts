import type { Browser, Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'
import { startFrontEnd } from './support/front-end.ts'

/** The claims of the application's sessions. */
interface Server {
  getSessionByHandle(handle: string): Promise<{ readonly jwtPayload: { role?: string } }>
}

/** Tests that need this browser's driver. */
describe.skipIf(browserPath === null)('the client in Chromium alone', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    const [started, bundle] = await Promise.all([launchBrowser(), bundleClient()])
    browser = started
    application = await Application.start(bundle)
  })

  afterEach(async () => {
    application.reset()
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const viewOf = (page: Page): Promise<string> => page.evaluate(() => {
    const { status, reason } = client.view()
    return `${status} ${reason}`
  })

  test('in an iframe on another site, cookies do not work, which the client reports once; headers work', async () => {
    const frontEnd = await startFrontEnd('127.0.0.1')
    try {
      const page = await (await browser.newContext()).newPage()
      const frameAt = async (path: string): Promise<Frame> => {
        await page.goto(frontEnd.origin)
        await page.setContent(`<iframe src="${application.origin}${path}"></iframe>`)
        await expect.poll(() => page.frames().length).toBe(2)
        const frame = page.frames().at(-1) ?? expect.fail()
        await frame.waitForFunction(() => typeof client === 'object')
        return frame
      }
      const cookies = await frameAt('/')
      await logIn(cookies)
      expect(await call(cookies, '/me', 3)).toEqual([401, 401, 401])
      expect(await userOf(cookies)).toBeNull()
      expect(await call(cookies, '/me', 3)).toEqual([401, 401, 401])
      expect(application.refreshes).toEqual([401])

      const headers = await frameAt('/header')
      await logIn(headers)
      application.expireTokens()
      expect(await call(headers, '/me', 3)).toEqual([200, 200, 200])
      expect(application.refreshes).toEqual([401, 200])
    } finally {
      await frontEnd.close()
    }
  })

  test('a page that was in the background for hours refreshes before its next request', async () => {
    const profile = await browser.newContext()
    const page = await profile.newPage()
    await page.clock.install()
    await page.goto(application.origin)
    await logIn(page)
    application.expireTokens()
    await page.clock.fastForward('08:00:00')
    const asked: string[] = []
    page.on('request', request => asked.push(new URL(request.url()).pathname))
    expect(await call(page)).toEqual([200])
    expect(asked).toEqual(['/auth/session/refresh', '/me'])
  })

  test('B-07: a refresh without an answer, and a storage that does not answer, end; the session is kept', async () => {
    const profile = await browser.newContext()
    const page = await profile.newPage()
    await page.clock.install()
    await page.goto(application.origin)
    await logIn(page)
    application.expireTokens()
    let hang = (): void => undefined
    const hanging = new Promise<void>(resolve => hang = resolve)
    application.beforeRefresh = () => {
      hang()
      return new Promise(() => undefined)
    }
    const waiting = call(page)
    await hanging
    await page.clock.fastForward(10_001)
    expect(await waiting).toEqual(['SESSION_UNAVAILABLE'])
    expect(await userOf(page)).toBe('ada')
    application.beforeRefresh = null
    await page.evaluate(() => {
      const storage = { getItem: () => new Promise<string | null>(() => undefined), setItem: () => undefined }
      // With another name than that of the page's client, from which it would hear of the session.
      globalThis.client = keyturn.createClient<Server>({ storage, basePath: '/other' })
    })
    const session = page.evaluate(() => client.getSession().catch(({ code }) => code))
    await page.clock.fastForward(3001)
    expect(await session).toBe('SESSION_UNAVAILABLE')
    expect(await viewOf(page)).toBe('unavailable null')
  })

  test('B-05: without globals that React Native lacks, a native client signs in, refreshes and signs out', async () => {
    const page = await openTab(await browser.newContext(), application.origin)
    await page.evaluate(() => {
      for (const name of ['BroadcastChannel', 'TextDecoder', 'atob']) Reflect.deleteProperty(globalThis, name)
      Object.defineProperty(navigator, 'locks', { value: undefined })
      const kept = new Map<string, string>()
      globalThis.client = keyturn.createNativeClient<Server>({
        baseUrl: location.origin,
        storage: {
          getItem: key => Promise.resolve(kept.get(key) ?? null),
          setItem: (key, value) => Promise.resolve(void kept.set(key, value)),
        },
      })
    })
    expect(await logIn(page, 'zoë')).toBe(200)
    expect(await userOf(page)).toBe('zoë')
    application.expireTokens()
    expect(await call(page, '/me', 5)).toEqual([200, 200, 200, 200, 200])
    expect(application.refreshes).toEqual([200])
    expect(await page.evaluate(() => client.signOut())).toBe(true)
    expect(await application.count('zoë')).toBe(0)
    expect(await page.context().cookies()).toEqual([])
  })

  test('B-08: what the client keeps of a session that is not remembered ends with the browser', async () => {
    const profile = await browser.newContext()
    const tab = await openTab(profile, application.origin)
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

  test('B-10: an anonymous visitor causes no request and no error', async () => {
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
  })
})
