import type { Browser, Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'
import { startFrontEnd } from './support/front-end.ts'

describe.skipIf(browserPath === null)('the client in Chromium', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    const [started, bundle] = await Promise.all([launchBrowser(), bundleClient()])
    browser = started
    application = await Application.start(bundle)
  })

  afterEach(async () => {
    application.beforeAnswer = null
    application.refreshes.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const open = async (): Promise<Page> => openTab(await browser.newContext(), application.origin)

  async function logInNew(): Promise<Page> {
    const page = await open()
    expect(await logIn(page)).toBe(200)
    return page
  }

  test('five tabs with twenty calls each at expiry: one refresh', async () => {
    const page = await logInNew()
    const others = await Promise.all([1, 2, 3, 4].map(() => openTab(page.context(), application.origin)))
    application.expireTokens()
    const statuses = await Promise.all([page, ...others].map(tab => call(tab, '/me', 20)))
    expect(statuses.flat()).toEqual(Array.from({ length: 100 }, () => 200))
    expect(application.refreshes).toEqual([200])
  })

  test('sign-in, a new payload and sign-out reach the other tab', async () => {
    const page = await open()
    const other = await openTab(page.context(), application.origin)
    await logIn(page)
    await other.waitForFunction(() => client.peekSession()?.payload.role === 'reader')
    await page.evaluate(() => client.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' }))
    await other.waitForFunction(() => client.peekSession()?.payload.role === 'admin')
    await other.evaluate(() => client.signOut())
    await page.waitForFunction(() => client.peekSession() === null)
    expect(await page.evaluate(() => heard)).toEqual(['ada', 'ada', null])
    expect(await page.context().cookies()).toEqual([])
    expect(await call(page)).toEqual([401])
  })

  test('the network is cut in the middle of a refresh: the session is kept, and goes on when it is back', async () => {
    const page = await logInNew()
    application.expireTokens()
    const asked: string[] = []
    page.on('request', request => asked.push(new URL(request.url()).pathname))
    application.beforeAnswer = async response => void response.destroy()
    expect(await call(page, '/me', 3)).toEqual(Array.from({ length: 3 }, () => 'SESSION_UNAVAILABLE'))
    expect(await userOf(page)).toBe('ada')
    expect(asked.filter(path => path === '/auth/session/refresh')).toHaveLength(1)
    application.beforeAnswer = null
    await page.context().setOffline(true)
    expect(await call(page)).toEqual([expect.stringMatching(/TypeError|SESSION_UNAVAILABLE/)])
    await page.context().setOffline(false)
    await expect.poll(() => application.refreshes).toEqual([200])
    expect(await call(page)).toEqual([200])
  })

  test('the server is restarted', async () => {
    const page = await logInNew()
    application.expireTokens()
    await application.stop()
    expect(await call(page)).toEqual(['TypeError: Failed to fetch'])
    await expect(page.evaluate(() => client.refresh())).rejects.toThrow('session refresh failed')
    expect(await userOf(page)).toBe('ada')
    await application.start()
    await expect.poll(() => application.refreshes, { timeout: 10_000 }).toEqual([200])
    expect(await call(page)).toEqual([200])
  })

  test('a tab is closed while it holds the lock: the next one refreshes', async () => {
    const page = await logInNew()
    const other = await openTab(page.context(), application.origin)
    application.expireTokens()
    const asked = new Promise<void>(resolve => {
      application.beforeAnswer = async () => {
        resolve()
        application.beforeAnswer = null
        await new Promise(() => undefined)
      }
    })
    void call(page).catch(() => undefined)
    await asked
    const waiting = call(other)
    await page.close()
    expect(await waiting).toEqual([200])
    expect(application.refreshes).toEqual([200])
  })

  test('storage, locks and channels are blocked: each tab for itself', async () => {
    const profile = await browser.newContext()
    await profile.addInitScript(() => {
      const blocked = (): never => {
        throw new DOMException('blocked', 'SecurityError')
      }
      Object.defineProperty(globalThis, 'localStorage', { get: blocked })
      LockManager.prototype.request = () => Promise.reject(new DOMException('blocked', 'SecurityError'))
      Object.defineProperty(globalThis, 'BroadcastChannel', { get: blocked })
    })
    const page = await openTab(profile, application.origin)
    const other = await openTab(profile, application.origin)
    await logIn(page)
    expect(await call(other)).toEqual([200])
    application.expireTokens()
    const statuses = await Promise.all([page, other].map(tab => call(tab, '/me', 5)))
    expect(statuses.flat()).toEqual(Array.from({ length: 10 }, () => 200))
    expect(application.refreshes).toEqual([200, 200])
    expect(await other.evaluate(() => client.getSession().then(session => session?.userId))).toBe('ada')
  })

  test('without Web Locks a lease in the storage does', async () => {
    const profile = await browser.newContext()
    await profile.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
    const page = await openTab(profile, application.origin)
    await logIn(page)
    const others = await Promise.all([1, 2].map(() => openTab(profile, application.origin)))
    application.expireTokens()
    const statuses = await Promise.all([page, ...others].map(tab => call(tab, '/me', 5)))
    expect(statuses.flat()).toEqual(Array.from({ length: 15 }, () => 200))
    expect(application.refreshes).toEqual([200])
  })

  test('in an iframe of another site cookies do not work, which is said once; headers do', async () => {
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

  test('a service worker refreshes for pages that know nothing of it, and tells those that do', async () => {
    const page = await openTab(await browser.newContext(), application.origin)
    await logIn(page)
    await page.evaluate(async () => {
      const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve))
      await navigator.serviceWorker.register('/sw.js')
      await controlled
    })
    application.expireTokens()
    const before = await page.evaluate(() => client.peekSession()?.expiry)
    const statuses = await page.evaluate(() => Promise.all([1, 2, 3].map(async () => (await fetch('/me')).status)))
    expect(statuses).toEqual([200, 200, 200])
    expect(application.refreshes).toEqual([200])
    await page.waitForFunction(before => client.peekSession()?.expiry !== before, before)
  })

  test('a page that was in the background for hours refreshes before it asks', async () => {
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
})
