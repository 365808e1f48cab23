import { expect, test } from 'vitest'
import { describeInBrowsers } from './client-support/describe-in-browsers.ts'
import { call, logIn } from './client-support/tab.ts'
import type { Tab } from './support/web-browser.ts'

describeInBrowsers('connections and files', world => {
  const open = async (): Promise<Tab> => (await world.browser.newProfile()).openTab(world.application.origin)
  const reasonOf = (tab: Tab): Promise<string | null> => tab.evaluate(() => client.view().reason)

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
      await expect.poll(() => world.application.streams).toBe(1)
      await world.application.revoke(userId)
      const acknowledged = Date.now()
      await expect.poll(async () => (await ends()).length).toBe(latencies.length + 1)
      const [reason, at = Infinity] = (await ends()).at(-1) ?? []
      expect(reason).toBe('revoked')
      // The page and the server run on one machine, by one clock.
      latencies.push(at - acknowledged)
      await expect.poll(() => world.application.streams).toBe(0)
    }
    await expect.poll(() => world.application.refreshes).toEqual([401, 401, 401, 401, 401])
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
    world.application.expireTokens()
    await expect.poll(messages).toEqual(['ada', '4401 try refresh token', 'ada'])
    expect(world.application.refreshes).toEqual([200])
    await world.application.revoke('ada')
    await expect.poll(() => reasonOf(page)).toBe('revoked')
    await expect.poll(messages).toEqual(['ada', '4401 try refresh token', 'ada', '4401 unauthorised'])
    expect(world.application.sockets).toEqual(['ada', 'ada'])
    await expect.poll(() => world.application.refreshes).toEqual([200, 401])
  })

  test('B-13: an EventSource that a revoked session ends says so, whether the stream says anything or not', async () => {
    const page = await open()
    await logIn(page)
    await page.evaluate(() => {
      const opened: number[] = []
      Object.assign(globalThis, { opened })
      keyturn.connectEventSource(client, '/stream', source => {
        source.addEventListener('message', () => opened.push(1))
      })
    })
    const opened = (): Promise<number> => page.evaluate(() => Reflect.get(globalThis, 'opened').length)
    await expect.poll(opened).toBe(1)
    await world.application.revoke('ada')
    await expect.poll(() => reasonOf(page)).toBe('revoked')
    expect(await opened()).toBe(1)
    expect(world.application.refreshes).toEqual([401])
  })

  test('B-13: an EventSource that is opened for a session that was revoked before says so', async () => {
    const page = await open()
    await logIn(page)
    await world.application.revoke('ada')
    await page.evaluate(() => void keyturn.connectEventSource(client, '/stream', () => undefined))
    await expect.poll(() => reasonOf(page)).toBe('revoked')
    expect(world.application.refreshes).toEqual([401])
  })

  test('B-13: a page that becomes visible again hears of a revocation', async () => {
    const page = await open()
    await logIn(page)
    await world.application.revoke('ada')
    await page.evaluate(() => {
      const { now } = Date
      keyturn.checkOnFocus(client)
      // More than a minute later.
      Date.now = () => now() + 61_000
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    })
    await expect.poll(() => reasonOf(page)).toBe('revoked')
  })

  test('B-15: the user’s devices are listed, and all others are signed out', async () => {
    const [page, other] = [await open(), await open()]
    await logIn(other, 'dora')
    world.application.pass(1000)
    await logIn(page, 'dora')
    expect(await page.evaluate(async () => {
      const devices = keyturn.createDevices(client, { path: '/devices' })
      const list = async (): Promise<boolean[]> => (await devices.list()).map(({ current }) => current)
      return [await list(), await devices.revokeOthers(), await list()]
    })).toEqual([[true, false], 1, [true]])
    await expect.poll(() => call(other)).toEqual([401])
    expect([await reasonOf(page), await reasonOf(other)]).toEqual([null, 'revoked'])
  })

  test('B-13: an XMLHttpRequest carries the session, and is repeated after a refresh', async () => {
    const page = await open()
    await logIn(page)
    world.application.expireTokens()
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
    expect(world.application.refreshes).toEqual([200])
  })

  test('B-09: a service worker passes on unchanged what it cannot rewrite, while a refresh gets no answer', async () => {
    const page = await open()
    await logIn(page)
    await page.evaluate(async () => {
      const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve))
      await navigator.serviceWorker.register('/sw-all.js')
      await controlled
    })
    world.application.expireTokens()
    let hang = (): void => undefined
    const hanging = new Promise<void>(resolve => hang = resolve)
    world.application.beforeRefresh = () => {
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
    await expect.poll(() => world.application.ranges.length).toBeGreaterThan(0)
    expect(world.application.ranges[0]).toBe('bytes=0-')
    world.application.beforeRefresh = null
    void waiting.catch(() => undefined)
    expect(await call(page)).toEqual([200])
  })
}, { accessTokenBlacklisting: 'feed' })
