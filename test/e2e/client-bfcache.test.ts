import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

describe.skipIf(browserPath === null)('a page in Chromium’s back/forward cache', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    // By default the driver disables the back/forward cache.
    browser = await launchBrowser(['--disable-back-forward-cache'])
    application = await Application.start(await bundleClient())
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  test('is kept with a client in it, and knows changes at once when the user returns', async () => {
    const page = await openTab(await browser.newContext(), application.origin)
    await logIn(page)
    const other = await openTab(page.context(), application.origin)
    await page.evaluate(() => {
      addEventListener('pageshow', ({ persisted }) => heard.push(persisted ? 'kept' : 'loaded'))
    })
    const back = async (meanwhile: () => Promise<unknown>): Promise<void> => {
      await page.goto(`${application.origin}/elsewhere`)
      await meanwhile()
      await page.goBack({ waitUntil: 'commit' })
      await page.waitForFunction(() => typeof client === 'object')
    }
    await back(async () => {
      application.expireTokens()
      await call(other)
    })
    expect(await page.evaluate(() => heard)).toEqual(['ada', 'kept'])
    expect(await call(page)).toEqual([200])
    expect(application.refreshes).toEqual([200])
    await back(() => other.evaluate(() => client.signOut()))
    expect(await userOf(page)).toBeNull()
    await logIn(other, 'grace')
    await page.waitForFunction(() => client.peekSession()?.userId === 'grace')
  })
})
