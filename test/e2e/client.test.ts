import { expect, test } from 'vitest'
import { describeInBrowsers } from './client-support/describe-in-browsers.ts'
import { call, logIn, userOf } from './client-support/tab.ts'
import type { Profile, Tab } from './support/web-browser.ts'

declare global {
  /** Who gives up, in a page. */
  var caller: AbortController
}

describeInBrowsers('the client', world => {
  /** A new profile with a tab that has logged in. */
  async function logInNew(path = '/'): Promise<{ profile: Profile; tab: Tab; openTab: () => Promise<Tab> }> {
    const profile = await world.browser.newProfile()
    const openTab = (): Promise<Tab> => profile.openTab(world.application.origin + path)
    const tab = await openTab()
    expect(await logIn(tab)).toBe(200)
    return { profile, tab, openTab }
  }

  /** Lets so many refreshes through; those after them wait until the function is called. */
  function holdRefreshesAfter(count: number): () => void {
    let goOn = (): void => undefined
    const over = new Promise<void>(resolve => goOn = resolve)
    const { beforeRefresh } = world.application
    let asked = 0
    world.application.beforeRefresh = async (...exchange) => {
      if (++asked > count) await over
      return await beforeRefresh?.(...exchange) ?? false
    }
    return goOn
  }

  test.each([['cookie', '/'], ['header', '/header']])(
    'in %s mode five tabs with twenty calls each at expiry: one refresh',
    async (_, path) => {
      const { tab, openTab } = await logInNew(path)
      const others = await Promise.all([1, 2, 3, 4].map(openTab))
      world.application.expireTokens()
      const statuses = await Promise.all([tab, ...others].map(each => call(each, '/me', 20)))
      expect(statuses.flat()).toEqual(Array.from({ length: 100 }, () => 200))
      expect(world.application.refreshes).toEqual([200])
    },
  )

  test('sign-in, a new payload and sign-out reach the other tab', async () => {
    const profile = await world.browser.newProfile()
    const tab = await profile.openTab(world.application.origin)
    const other = await profile.openTab(world.application.origin)
    const roleElsewhere = (): Promise<string | undefined> => other.evaluate(() => client.peekSession()?.jwtPayload.role)
    await logIn(tab)
    await expect.poll(roleElsewhere).toBe('reader')
    await tab.evaluate(async () => void await client.fetch('/payload', { method: 'POST', body: '{"role":"admin"}' }))
    await expect.poll(roleElsewhere).toBe('admin')
    await other.evaluate(() => client.signOut())
    await expect.poll(() => userOf(tab)).toBeNull()
    expect(await tab.evaluate(() => heard)).toEqual(['ada', 'ada', null])
    expect(await profile.cookies()).toEqual([])
    expect(await call(tab)).toEqual([401])
  })

  test('a repeated request has the same body', async () => {
    const { tab } = await logInNew()
    world.application.expireTokens()
    const echoes = await tab.evaluate(async () => {
      const text = 'zażółć '.repeat(10_000)
      const bodies: BodyInit[] = [text, new Blob([text]), new TextEncoder().encode(text)]
      const replies = bodies.flatMap(body => [
        client.fetch('/echo', { method: 'POST', body }),
        client.fetch(new Request('/echo', { method: 'POST', body })),
      ])
      return Promise.all(replies.map(async reply => await (await reply).text() === text))
    })
    expect(echoes).toEqual([true, true, true, true, true, true])
    expect(world.application.refreshes).toEqual([200])
  })

  test('axios refreshes once for many requests, and its other features work', async () => {
    const { tab } = await logInNew()
    world.application.expireTokens()
    const result = await tab.evaluate(async () => {
      const { addSessionInterceptor, axios } = keyturn
      const api = axios.create({ baseURL: '/' })
      addSessionInterceptor(api, client)
      const replies = await Promise.all([1, 2, 3, 4, 5].map(number => api.get(`me?${number}`)))
      const events: string[] = []
      await api.post('/payload', { role: 'admin' }, { onUploadProgress: () => events.push('progress') })
      const lost = await api.get('/nowhere').catch(error => error.response.status)
      const lenient = await api.get('/me', { validateStatus: () => true })
      const statuses = replies.map(({ status }) => status)
      const roles = [lenient.data.payload.role, client.peekSession()?.jwtPayload.role]
      return { statuses, hasProgress: events.length > 0, lost, roles }
    })
    const statuses = [200, 200, 200, 200, 200]
    expect(result).toEqual({ statuses, hasProgress: true, lost: 404, roles: ['admin', 'admin'] })
    expect(world.application.refreshes).toEqual([200])
  })

  test('if the network fails during a refresh, the session is kept and works when the network is back', async () => {
    const { profile, tab } = await logInNew()
    world.application.expireTokens()
    world.application.beforeAnswer = async response => void response.destroy()
    expect(await call(tab, '/me', 3)).toEqual(Array.from({ length: 3 }, () => 'SESSION_UNAVAILABLE'))
    expect(await userOf(tab)).toBe('ada')
    world.application.beforeAnswer = null
    await profile.setOffline(true)
    expect(await call(tab)).toEqual([expect.stringMatching(/TypeError|SESSION_UNAVAILABLE/)])
    await profile.setOffline(false)
    await expect.poll(() => world.application.refreshes).toEqual([200])
    expect(await call(tab)).toEqual([200])
  })

  test.each([['cookie', '/'], ['header', '/header']])(
    'ROT-15: in %s mode, if the server is busy, tabs keep their tokens, wait at the same time, and one refreshes',
    async (_, path) => {
      const { profile, tab, openTab } = await logInNew(path)
      const others = await Promise.all([1, 2].map(openTab))
      const cookies = await profile.cookies()
      world.application.expireTokens()
      world.application.loseAnswers(2)
      const began = performance.now()
      const goOn = holdRefreshesAfter(3)
      const calls = Promise.all([tab, ...others].map(each => call(each, '/me', 2)))
      // Each tab asks once: no tab knows the answer that another received.
      await expect.poll(() => world.application.refreshes).toEqual([503, 503, 503])
      expect(await profile.cookies()).toEqual(cookies)
      expect(await userOf(tab)).toBe('ada')
      world.application.pass(2000)
      goOn()
      expect((await calls).flat()).toEqual([200, 200, 200, 200, 200, 200])
      expect(performance.now() - began).toBeGreaterThanOrEqual(2000)
      expect(world.application.refreshes).toEqual([503, 503, 503, 200])
      expect(await tab.evaluate(() => heard)).toEqual(['ada'])
    },
  )

  test('ROT-15: a caller can abort the wait, and the session is kept', async () => {
    const { tab } = await logInNew()
    world.application.expireTokens()
    world.application.loseAnswers()
    const outcome = tab.evaluate(async () => {
      globalThis.caller = new AbortController()
      return client.fetch('/me', { signal: caller.signal }).catch((error: unknown) => String(error))
    })
    await expect.poll(() => world.application.refreshes).toEqual([503])
    await tab.evaluate(() => caller.abort('given up'))
    expect(await outcome).toBe('given up')
    expect(await userOf(tab)).toBe('ada')
    expect(world.application.refreshes).toEqual([503])
  })

  test('after a restart of the server, the session works again', async () => {
    const { tab } = await logInNew()
    world.application.expireTokens()
    await world.application.stop()
    expect(await call(tab)).toEqual([expect.stringMatching(/^TypeError/)])
    await expect(tab.evaluate(() => client.refresh())).rejects.toThrow('session refresh failed')
    expect(await userOf(tab)).toBe('ada')
    await world.application.start()
    await expect.poll(() => world.application.refreshes).toEqual([200])
    expect(await call(tab)).toEqual([200])
  })

  test('if a tab is closed while it holds the lock, the next one refreshes', async () => {
    const { tab, openTab } = await logInNew()
    const other = await openTab()
    world.application.expireTokens()
    const asked = new Promise<void>(resolve => {
      world.application.beforeAnswer = async () => {
        resolve()
        world.application.beforeAnswer = null
        await new Promise(() => undefined)
      }
    })
    void call(tab).catch(() => undefined)
    await asked
    const waiting = call(other)
    await tab.close()
    expect(await waiting).toEqual([200])
    expect(world.application.refreshes).toEqual([200])
  })

  test('if storage, locks and channels are blocked, each tab refreshes by itself', async () => {
    const profile = await world.browser.newProfile()
    await profile.runFirst(() => {
      const blocked = (): never => {
        throw new DOMException('blocked', 'SecurityError')
      }
      Object.defineProperty(globalThis, 'localStorage', { get: blocked })
      LockManager.prototype.request = () => Promise.reject(new DOMException('blocked', 'SecurityError'))
      Object.defineProperty(globalThis, 'BroadcastChannel', { get: blocked })
    })
    const tab = await profile.openTab(world.application.origin)
    const other = await profile.openTab(world.application.origin)
    await logIn(tab)
    expect(await call(other)).toEqual([200])
    world.application.expireTokens()
    const statuses = await Promise.all([tab, other].map(each => call(each, '/me', 5)))
    expect(statuses.flat()).toEqual(Array.from({ length: 10 }, () => 200))
    expect(world.application.refreshes).toEqual([200, 200])
    expect(await other.evaluate(async () => (await client.getSession())?.userId)).toBe('ada')
  })

  test('without Web Locks, each tab refreshes by itself, and all get the same session', async () => {
    const profile = await world.browser.newProfile()
    await profile.runFirst(() => {
      Object.defineProperty(navigator, 'locks', { value: undefined })
    })
    const tab = await profile.openTab(world.application.origin)
    await logIn(tab)
    const others = await Promise.all([1, 2].map(() => profile.openTab(world.application.origin)))
    world.application.expireTokens()
    const statuses = await Promise.all([tab, ...others].map(each => call(each, '/me', 5)))
    expect(statuses.flat()).toEqual(Array.from({ length: 15 }, () => 200))
    expect(new Set(world.application.refreshes)).toEqual(new Set([200]))
    expect(world.application.refreshes.length).toBeLessThanOrEqual(3)
  })

  test('a service worker and the pages cause one refresh at the same moment', async () => {
    const { tab, openTab } = await logInNew()
    await tab.evaluate(async () => {
      const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve))
      await navigator.serviceWorker.register('/sw.js')
      await controlled
    })
    const other = await openTab()
    world.application.expireTokens()
    const before = await tab.evaluate(() => client.expiry())
    // The worker's client sends `/me`; the page's client sends `/mine`, which the worker does not handle.
    const both = (each: Tab): Promise<number[]> => each.evaluate(() => Promise.all(
      [1, 2, 3].flatMap(number => [fetch(`/me?${number}`), client.fetch(`/mine?${number}`)])
        .map(async reply => (await reply).status)))
    expect((await Promise.all([tab, other].map(both))).flat()).toEqual(Array.from({ length: 12 }, () => 200))
    expect(world.application.refreshes).toEqual([200])
    for (const each of [tab, other]) {
      await expect.poll(() => each.evaluate(() => client.expiry())).not.toBe(before)
    }
  })
})
