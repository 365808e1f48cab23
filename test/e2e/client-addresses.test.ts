import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Application } from './client-support/application.ts'
import { startElsewhere } from './client-support/elsewhere.ts'
import type { Elsewhere } from './client-support/elsewhere.ts'
import { bundleClient, call, logIn, openTab, userOf } from './client-support/tab.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

/** The names of the headers that show a session: the tokens and the headers sent with them. */
const ours = ['authorization', 'anti-csrf', 'st-auth-mode', 'rid', 'cookie']

describe.skipIf(browserPath === null)('the addresses of the client’s requests', () => {
  let browser: Browser
  let application: Application
  let elsewhere: Elsewhere

  beforeAll(async () => {
    const [started, bundle, other] = await Promise.all([launchBrowser(), bundleClient(), startElsewhere()])
    browser = started
    elsewhere = other
    application = await Application.start(bundle, { antiCsrf: 'token' })
  })

  afterEach(async () => {
    application.refreshes.length = 0
    elsewhere.seen.length = 0
    await Promise.all(browser.contexts().map(profile => profile.close()))
  })

  afterAll(async () => {
    await browser?.close()
    await application?.end()
    await elsewhere?.close()
  })

  /** The headers of Keyturn that the other origin received. */
  const leaked = (): string[] => elsewhere.seen.flatMap(({ headers }) => ours.filter(name => name in headers))

  describe.each([['cookie', '/'], ['header', '/header']])('in %s mode', (_, path) => {
    /** A page with a session and a `<base href>` of the other origin. */
    async function openBased(): Promise<Page> {
      const page = await openTab(await browser.newContext(), application.origin + path)
      expect(await logIn(page)).toBe(200)
      await page.evaluate(href => {
        const base = document.createElement('base')
        base.href = href
        document.head.prepend(base)
      }, `${elsewhere.origin}/deep/`)
      return page
    }

    test('S-07: with a <base href> of another origin, the client still sends to its own server', async () => {
      const page = await openBased()
      application.expireTokens()
      const statuses = await page.evaluate(async () => {
        const body = 'text'
        return [
          (await client.fetch('/me')).status,
          (await client.fetch('me?1')).status,
          (await client.fetch('/echo', { method: 'POST', body })).status,
          (await keyturn.createDevices(client, { path: '/nowhere' }).list().catch((error: unknown) => `${error}`)),
        ]
      })
      expect(statuses).toEqual([200, 200, 200, 'Error: the devices could not be read: 404'])
      expect(application.refreshes).toEqual([200])
      await page.evaluate(() => client.signOut())
      expect(await userOf(page)).toBeNull()
      expect(elsewhere.seen).toEqual([])
    })

    test('S-07: a Request, the patched fetch and axios follow <base href>, without the session', async () => {
      const page = await openBased()
      const statuses = await page.evaluate(async () => {
        const { addSessionInterceptor, axios, patchFetch } = keyturn
        const undo = patchFetch(client)
        const api = axios.create({ validateStatus: () => true })
        addSessionInterceptor(api, client)
        const based = axios.create({ baseURL: '/', adapter: 'fetch', validateStatus: () => true })
        addSessionInterceptor(based, client)
        const replies = await Promise.all([
          client.fetch(new Request('/me')),
          fetch('/me'),
          fetch(new Request('me', { method: 'POST', body: 'text' })),
          api.get('/me'),
          api.post('me', { x: 1 }),
          based.get('me'),
        ])
        undo()
        return replies.map(({ status }) => status)
      })
      expect(statuses).toEqual([401, 401, 401, 401, 401, 401])
      expect(elsewhere.seen.map(({ url }) => url).sort())
        .toEqual(['/deep/me', '/deep/me', '/me', '/me', '/me', '/me'])
      expect(leaked()).toEqual([])
      expect(await userOf(page)).toBe('ada')
      expect(application.refreshes).toEqual([])
    })

    test('S-07: the patched fetch and axios carry the session to the server’s own address', async () => {
      const page = await openBased()
      application.expireTokens()
      const statuses = await page.evaluate(async origin => {
        const { addSessionInterceptor, axios, patchFetch } = keyturn
        const undo = patchFetch(client)
        const api = axios.create({ baseURL: origin })
        addSessionInterceptor(api, client)
        const replies = await Promise.all([
          fetch(`${origin}/me`), fetch(new URL('/echo', origin), { method: 'POST', body: 'text' }), api.get('/me'),
          api.post('echo', { x: 1 }),
        ])
        undo()
        return replies.map(({ status }) => status)
      }, application.origin)
      expect(statuses).toEqual([200, 200, 200, 200])
      expect(elsewhere.seen).toEqual([])
      expect(application.refreshes).toEqual([200])
    })

    test('S-07: a redirect to another origin carries no credentials, and its response changes nothing', async () => {
      const page = await openTab(await browser.newContext(), application.origin + path)
      await logIn(page)
      application.redirect = `${elsewhere.origin}/x`
      const statuses = await page.evaluate(async () => {
        const { addSessionInterceptor, axios } = keyturn
        const api = axios.create({ validateStatus: () => true })
        addSessionInterceptor(api, client)
        return [
          (await client.fetch('/away')).status,
          (await api.get('/away')).status,
          await client.fetch('/away', { redirect: 'error' }).catch((error: unknown) => String(error)),
          (await client.fetch('/away', { redirect: 'manual' })).type,
        ]
      })
      expect(statuses).toEqual([401, 401, 'TypeError: Failed to fetch', 'opaqueredirect'])
      expect(elsewhere.seen).toHaveLength(2)
      expect(leaked().filter(name => name === 'authorization' || name === 'cookie')).toEqual([])
      expect(await userOf(page)).toBe('ada')
      expect(await call(page)).toEqual([200])
      expect(application.refreshes).toEqual([])
    })
  })

  test('B-03: relative addresses belong to `baseUrl`, not to the page', async () => {
    const page = await openTab(await browser.newContext(), application.origin)
    const asked: string[] = []
    page.on('request', request => asked.push(request.url()))
    await page.evaluate(async baseUrl => {
      const client = keyturn.createClient({ baseUrl, mode: 'header' })
      await client.fetch('/login', { method: 'POST' }).catch(() => undefined)
      await client.fetch('orders').catch(() => undefined)
      await keyturn.createDevices(client, { path: '/devices' }).list().catch(() => undefined)
    }, `${elsewhere.origin}/api/`)
    expect(asked).toEqual(['/login', '/api/orders', '/devices'].map(path => elsewhere.origin + path))
    expect(await userOf(page)).toBeNull()
  })

  test('B-02: a client in a srcdoc or blob: frame belongs to the origin of its page', async () => {
    const page = await openTab(await browser.newContext(), application.origin)
    await logIn(page)
    await page.evaluate(origin => {
      const html = `<!doctype html><script src="${origin}/client.js"></script>
        <script>window.client = keyturn.createClient()</script>`
      const [inner, blob] = [document.createElement('iframe'), document.createElement('iframe')]
      inner.srcdoc = html
      blob.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }))
      document.body.append(inner, blob)
    }, application.origin)
    await expect.poll(() => page.frames().length).toBe(3)
    application.expireTokens()
    for (const frame of page.frames().slice(1)) {
      await frame.waitForFunction(() => typeof client === 'object')
      expect(await userOf(frame)).toBe('ada')
      expect(await call(frame)).toEqual([200])
    }
    expect(application.refreshes).toEqual([200])
  })
})
