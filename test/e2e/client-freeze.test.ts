import { chromium } from 'playwright-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launch } from '../support/servers/server-process.ts'
import type { ServerProcess } from '../support/servers/server-process.ts'
import { createDirectory, freePort, removeDirectory } from '../support/servers/workspace.ts'
import { Application, busyTimes } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab } from './client-support/tab.ts'
import { browserPath } from './support/browser.ts'

describe.skipIf(browserPath === null)('with tabs that Chromium freezes', () => {
  let directory: string
  let program: ServerProcess
  let profile: BrowserContext
  let application: Application

  beforeAll(async () => {
    directory = createDirectory()
    const port = await freePort()
    const [started, bundle] = await Promise.all([
      launch({
        program: 'chromium',
        args: [
          '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
          `--user-data-dir=${directory}`, `--remote-debugging-port=${port}`, 'about:blank',
        ],
        directory,
        ready: /DevTools listening on/,
        abortSignal: 'SIGKILL',
      }),
      bundleClient(),
    ])
    program = started
    application = await Application.start(bundle)
    // If the driver started the browser, pages would always be visible and never freeze.
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
    profile = browser.contexts()[0] ?? expect.fail('the browser has no profile')
    // A quarter of the client's time limits: short enough for these tests, long enough for a busy machine.
    await profile.addInitScript(() => {
      const { timeout } = AbortSignal
      AbortSignal.timeout = milliseconds => timeout.call(AbortSignal, milliseconds / 4)
    })
  })

  afterEach(async () => {
    application.beforeAnswer = null
    application.beforeRefresh = null
    application.refreshes.length = 0
    const [page, ...others] = profile.pages()
    await Promise.all(others.map(other => other.close()))
    await page?.goto(`${application.origin}/elsewhere`)
    await page?.evaluate(() => localStorage.clear())
    await profile.clearCookies()
  })

  afterAll(async () => {
    await program?.crash()
    removeDirectory(directory)
    await application?.end()
  })

  describe.each([['cookie', '/'], ['header', '/header']])('in %s mode a tab that is frozen for hours', (_, path) => {
    /** Two tabs, the first of them logged in and ready to be frozen. */
    async function openTwo(): Promise<{
      tab: Page
      other: Page
      setState: (state: 'frozen' | 'active') => Promise<void>
    }> {
      const tab = await openTab(profile, application.origin + path)
      await logIn(tab)
      const other = await openTab(profile, application.origin + path)
      // Chromium freezes only hidden tabs.
      await other.bringToFront()
      const devTools = await profile.newCDPSession(tab)
      return { tab, other, setState: async state => void await devTools.send('Page.setWebLifecycleState', { state }) }
    }

    /** Holds the response to the next refresh. */
    function holdAnswer(): { asked: Promise<void>; goOn: () => void } {
      let goOn = (): void => undefined
      const held = new Promise<void>(resolve => goOn = resolve)
      const asked = new Promise<void>(resolve => {
        application.beforeAnswer = async () => {
          application.beforeAnswer = null
          resolve()
          await held
        }
      })
      return { asked, goOn }
    }

    /** Lets hours pass, in which the other tab makes requests. */
    async function passHours(other: Page): Promise<void> {
      for (let hour = 0; hour < 3; hour++) {
        application.expireTokens()
        expect(await call(other)).toEqual([200])
      }
    }

    /** The number of tabs that hold a lock, and of those that wait for one. */
    function queueOf(tab: Page): Promise<(number | undefined)[]> {
      return tab.evaluate(async () => {
        const { held, pending } = await navigator.locks.query()
        return [held?.length, pending?.length]
      })
    }

    async function expectBothSignedIn(tab: Page, other: Page): Promise<void> {
      expect(await call(tab)).toEqual([200])
      expect(await call(other)).toEqual([200])
      application.expireTokens()
      const before = application.refreshes.length
      expect((await Promise.all([tab, other].map(each => call(each)))).flat()).toEqual([200, 200])
      expect(application.refreshes.slice(before)).toEqual([200])
    }

    test('while it refreshes: the other tab refreshes, and both keep the session', async () => {
      const { tab, other, setState } = await openTwo()
      application.expireTokens()
      const { asked, goOn } = holdAnswer()
      const frozen = call(tab)
      await asked
      await setState('frozen')
      expect(await call(other)).toEqual([200])
      goOn()
      await passHours(other)
      await setState('active')
      await frozen
      await expectBothSignedIn(tab, other)
    })

    test('ROT-15: while it waits for a busy server: the other tab refreshes; when thawed, it continues', async () => {
      const { tab, other, setState } = await openTwo()
      application.expireTokens()
      application.beforeRefresh = busyTimes(2, 1)
      const frozen = call(tab)
      await expect.poll(() => application.refreshes).toEqual([503])
      // The tab has received the response and waits without the lock.
      await expect.poll(() => queueOf(other)).toEqual([0, 0])
      await setState('frozen')
      expect(await call(other)).toEqual([200])
      expect(application.refreshes).toEqual([503, 503, 200])
      await setState('active')
      expect(await frozen).toEqual([200])
      expect(application.refreshes).toEqual([503, 503, 200])
      await expectBothSignedIn(tab, other)
    })

    test('ROT-15: while it waits for a busy server, and hours pass: it refreshes as soon as it is thawed', async () => {
      const { tab, other, setState } = await openTwo()
      application.expireTokens()
      application.beforeRefresh = busyTimes(1, 1)
      const frozen = call(tab)
      await expect.poll(() => application.refreshes).toEqual([503])
      // The tab has received the response and waits without the lock.
      await expect.poll(() => queueOf(other)).toEqual([0, 0])
      await setState('frozen')
      await passHours(other)
      application.expireTokens()
      const before = application.refreshes.length
      await setState('active')
      await frozen
      await expectBothSignedIn(tab, other)
      expect(application.refreshes.slice(before).every(status => status === 200)).toBe(true)
    })

    test('while it waits for the lock and then gets it: the other tab does not have to wait', async () => {
      const { tab, other, setState } = await openTwo()
      application.expireTokens()
      const { asked } = holdAnswer()
      const failing = call(other)
      await asked
      const frozen = call(tab)
      await expect.poll(() => queueOf(other)).toEqual([1, 1])
      await setState('frozen')
      // The response never comes, so the frozen tab gets the lock before anyone has refreshed.
      expect(await failing).toEqual(['SESSION_UNAVAILABLE'])
      expect(await queueOf(other)).toEqual([1, 0])
      await other.evaluate(() => client.refresh())
      expect(await queueOf(other)).toEqual([0, 0])
      await passHours(other)
      await setState('active')
      await frozen
      await expectBothSignedIn(tab, other)
    })
  })
})
