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
    application.sockets.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
  })

  const open = async (): Promise<Page> => openTab(await browser.newContext(), application.origin)

  test('B-13: with the stream, an idle page ends within a second of the acknowledged revocation', async () => {
    const page = await open()
    await page.evaluate(() => {
      const ends: unknown[] = []
      Object.assign(globalThis, { ends })
      client.onChange(({ session, reason }) => session === null && ends.push([reason, Date.now()]))
      keyturn.endOnRevocation(client, '/events')
    })
    const ends = (): Promise<[reason: string | null, at: number][]> => (
      page.evaluate(() => Reflect.get(globalThis, 'ends'))
    )
    const latencies: number[] = []
    for (const userId of ['ada', 'bob', 'eve', 'joe', 'kim']) {
      await logIn(page, userId)
      await expect.poll(() => application.streams).toBe(1)
      await application.revoke(userId)
      const acknowledged = Date.now()
      await expect.poll(async () => (await ends()).length).toBe(latencies.length + 1)
      const [reason, at = Infinity] = (await ends()).at(-1) ?? []
      expect(reason).toBe('revoked')
      // The page and the server run on one machine, by one clock.
      latencies.push(at - acknowledged)
      await expect.poll(() => application.streams).toBe(0)
    }
    await expect.poll(() => application.refreshes).toEqual([401, 401, 401, 401, 401])
    // The machine may have been busy for one or two of them.
    const [, , median = Infinity] = latencies.sort((one, other) => one - other)
    expect(median, latencies.join()).toBeLessThan(1000)
  })

  test('B-13: a WebSocket opens with a session, opens again after a refresh, and ends with the session', async () => {
    const page = await open()
    await page.evaluate(() => {
      const messages: unknown[] = []
      Object.assign(globalThis, { messages })
      keyturn.connectWebSocket(client, '/socket', socket => {
        socket.addEventListener('message', ({ data }) => messages.push(data))
        socket.addEventListener('close', ({ code, reason }) => messages.push(`${code} ${reason}`))
      })
    })
    const messages = (): Promise<unknown> => page.evaluate(() => Reflect.get(globalThis, 'messages'))
    await logIn(page)
    await expect.poll(messages).toEqual(['ada'])
    application.expireTokens()
    await expect.poll(messages).toEqual(['ada', '4401 try refresh token', 'ada'])
    expect(application.refreshes).toEqual([200])
    await application.revoke('ada')
    await expect.poll(() => page.evaluate(() => client.view().reason)).toBe('revoked')
    await expect.poll(messages).toEqual(['ada', '4401 try refresh token', 'ada', '4401 unauthorised'])
    expect(application.sockets).toEqual(['ada', 'ada'])
    await expect.poll(() => application.refreshes).toEqual([200, 401])
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
