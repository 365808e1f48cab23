import { chromium } from 'playwright-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launch } from '../support/servers/server-process.ts'
import type { ServerProcess } from '../support/servers/server-process.ts'
import { createDirectory, freePort, removeDirectory } from '../support/servers/workspace.ts'
import { Application, busyFor } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab } from './client-support/tab.ts'
import { browserPath } from './support/browser.ts'

declare global {
  /** Ends the time limits of a page that were set to so many milliseconds. */
  var giveUp: (milliseconds: number) => void
  /** Whether a page is frozen: from then on nothing happens in it. */
  var isFrozen: boolean
}

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
    // Time limits are over when a test says so.
    await profile.addInitScript(() => {
      let limits: { readonly milliseconds: number; readonly task: () => void }[] = []
      const { setTimeout } = globalThis
      const start = (task: () => void, milliseconds = 0): number => {
        // How long the client waits for the lock, or for an answer.
        if (milliseconds !== 12_000 && milliseconds !== 10_000) return Number(setTimeout(task, milliseconds))
        limits.push({ milliseconds, task })
        return 0
      }
      globalThis.setTimeout = Object.assign(start, setTimeout)
      globalThis.giveUp = given => {
        for (const { milliseconds, task } of limits) if (milliseconds === given) task()
        limits = limits.filter(({ milliseconds }) => milliseconds !== given)
      }
      document.addEventListener('freeze', () => {
        globalThis.isFrozen = true
      })
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
      freeze: () => Promise<void>
      thaw: () => Promise<void>
    }> {
      const tab = await openTab(profile, application.origin + path)
      await logIn(tab)
      const other = await openTab(profile, application.origin + path)
      // Chromium freezes only hidden tabs.
      await other.bringToFront()
      const devTools = await profile.newCDPSession(tab)
      return {
        tab,
        other,
        async freeze() {
          await devTools.send('Page.setWebLifecycleState', { state: 'frozen' })
          await expect.poll(() => tab.evaluate(() => isFrozen)).toBe(true)
        },
        thaw: async () => void await devTools.send('Page.setWebLifecycleState', { state: 'active' }),
      }
    }

    /** Ends, in a page, the patience with which a client waits for its turn; that for an answer is 10 s. */
    const giveUpTurn = (): void => giveUp(12_000)

    /** Holds the answer of the next refresh. */
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

    /**
     * Calls with the other tab, whose patience ends at once if it waits for a lock that the frozen tab holds: news wake
     * that one once more, though it is frozen, and it may not get beyond its turn.
     */
    async function callPast(other: Page): Promise<(number | string)[]> {
      let outcome: (number | string)[] | null = null
      void call(other).then(statuses => outcome = statuses)
      await expect.poll(async () => {
        await other.evaluate(giveUpTurn)
        return outcome
      }).not.toBeNull()
      return outcome ?? []
    }

    /** Hours pass, in which the other tab goes on. */
    async function passHours(other: Page): Promise<void> {
      for (let hour = 0; hour < 3; hour++) {
        application.expireTokens()
        expect(await callPast(other)).toEqual([200])
      }
    }

    /** The number of tabs that hold a lock, and of those that wait for one. */
    function queueOf(tab: Page): Promise<(number | undefined)[]> {
      return tab.evaluate(async () => {
        const { held, pending } = await navigator.locks.query()
        return [held?.length, pending?.length]
      })
    }

    /** Expects that the first tab received 503 and waits, without holding the lock. */
    async function expectWaiting(other: Page): Promise<void> {
      await expect.poll(() => application.refreshes).toEqual([503])
      await expect.poll(() => queueOf(other)).toEqual([0, 0])
    }

    async function expectBothSignedIn(tab: Page, other: Page): Promise<void> {
      expect(await call(tab)).toEqual([200])
      expect(await call(other)).toEqual([200])
      application.expireTokens()
      const before = application.refreshes.length
      expect((await Promise.all([tab, other].map(each => call(each)))).flat()).toEqual([200, 200])
      expect(application.refreshes.slice(before)).toEqual([200])
    }

    test('while it refreshes: the other takes over, and both sessions are kept', async () => {
      const { tab, other, freeze, thaw } = await openTwo()
      application.expireTokens()
      const { asked, goOn } = holdAnswer()
      const frozen = call(tab)
      await asked
      await freeze()
      expect(await callPast(other)).toEqual([200])
      goOn()
      await passHours(other)
      await thaw()
      await frozen
      await expectBothSignedIn(tab, other)
    })

    test('ROT-15: while it waits for a busy server: the other refreshes; this one goes on when it thaws', async () => {
      const { tab, other, freeze, thaw } = await openTwo()
      application.expireTokens()
      application.beforeRefresh = busyFor([5, 1])
      const frozen = call(tab)
      await expectWaiting(other)
      await freeze()
      await expectWaiting(other)
      expect(await call(other)).toEqual([200])
      expect(application.refreshes).toEqual([503, 503, 200])
      await thaw()
      expect(await frozen).toEqual([200])
      expect(application.refreshes).toEqual([503, 503, 200])
      await expectBothSignedIn(tab, other)
    })

    test('ROT-15: while it waits for a busy server, and hours pass: it refreshes as soon as it thaws', async () => {
      const { tab, other, freeze, thaw } = await openTwo()
      application.expireTokens()
      application.beforeRefresh = busyFor([5])
      const frozen = call(tab)
      await expectWaiting(other)
      await freeze()
      await expectWaiting(other)
      await passHours(other)
      application.expireTokens()
      const before = application.refreshes.length
      await thaw()
      await frozen
      await expectBothSignedIn(tab, other)
      expect(application.refreshes.slice(before).every(status => status === 200)).toBe(true)
    })

    test('while it waits for its turn, which then comes: the other is not held up', async () => {
      const { tab, other, freeze, thaw } = await openTwo()
      application.expireTokens()
      const { asked } = holdAnswer()
      const failing = call(other)
      await asked
      const frozen = call(tab)
      await expect.poll(() => queueOf(other)).toEqual([1, 1])
      await freeze()
      // The answer never comes, so that the turn comes to the frozen tab with nothing done.
      await other.evaluate(() => giveUp(10_000))
      expect(await failing).toEqual(['SESSION_UNAVAILABLE'])
      await expect.poll(() => queueOf(other)).toEqual([1, 0])
      const taking = other.evaluate(() => client.refresh())
      await expect.poll(() => queueOf(other)).toEqual([1, 1])
      await other.evaluate(giveUpTurn)
      await taking
      expect(await queueOf(other)).toEqual([0, 0])
      await passHours(other)
      await thaw()
      await frozen
      await expectBothSignedIn(tab, other)
    })
  })
})
