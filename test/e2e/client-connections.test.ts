import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { bundleClient, call, logIn, openTab } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

describe.skipIf(browserPath === null)('connections and files in Chromium', () => {
  let browser: Browser
  let application: Application

  beforeAll(async () => {
    const [started, bundle] = await Promise.all([launchBrowser(), bundleClient()])
    browser = started
    application = await Application.start(bundle, { accessTokenBlacklisting: 'feed' })
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

  const open = async (): Promise<Page> => openTab(await browser.newContext(), application.origin)

  test('B-13: with the stream, an idle page ends when its session is revoked', async () => {
    const page = await open()
    await logIn(page)
    const listening = page.waitForResponse(response => response.url().endsWith('/events'))
    await page.evaluate(() => void keyturn.endOnRevocation(client, '/events'))
    expect((await listening).status()).toBe(200)
    await application.revoke('ada')
    await expect.poll(() => page.evaluate(() => `${client.view().status} ${client.view().reason}`))
      .toBe('signed-out revoked')
  })

  test('B-13: an XMLHttpRequest carries the session, and is repeated after a refresh', async () => {
    const page = await open()
    await logIn(page)
    application.expireTokens()
    const result = await page.evaluate(async () => {
      const bodies: string[] = []
      const request = await keyturn.sendXhr(client, 'POST', '/echo', sent => {
        bodies.push('body')
        sent.setRequestHeader('content-type', 'text/plain')
        return 'hello'
      })
      return [request.status, request.responseText, bodies.length]
    })
    expect(result).toEqual([200, 'hello', 2])
    expect(application.refreshes).toEqual([200])
  })

  test('B-09: a service worker passes on unchanged what it cannot rewrite, while a refresh gets no answer', async () => {
    const page = await open()
    await logIn(page)
    await page.evaluate(async () => {
      const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve))
      await navigator.serviceWorker.register('/sw-all.js')
      await controlled
    })
    application.expireTokens()
    let hang = (): void => undefined
    const hanging = new Promise<void>(resolve => hang = resolve)
    application.beforeRefresh = () => {
      hang()
      return new Promise(() => undefined)
    }
    const waiting = page.evaluate(() => fetch('/me').then(() => 'answered', () => 'failed'))
    await hanging
    await page.evaluate(() => {
      const film = document.createElement('video')
      film.src = '/film'
      film.preload = 'auto'
      document.body.append(film)
      film.load()
    })
    await expect.poll(() => application.ranges.length).toBeGreaterThan(0)
    expect(application.ranges[0]).toBe('bytes=0-')
    application.beforeRefresh = null
    void waiting.catch(() => undefined)
    expect(await call(page)).toEqual([200])
  })
})
