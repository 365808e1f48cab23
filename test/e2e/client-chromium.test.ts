import type { Browser, Frame } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'
import { startFrontEnd } from './support/front-end.ts'

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
    application.beforeAnswer = null
    application.refreshes.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
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
})
