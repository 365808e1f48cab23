import axios from 'axios'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addSessionInterceptor } from '../../src/client/axios.ts'
import { createClientIn } from '../../src/client/create-client.ts'
import { createClient } from '../../src/client/index.ts'
import { createDevices } from '../../src/client/parts.ts'
import type { Client, ClientOptions } from '../../src/client/index.ts'
import { Application } from '../e2e/client-support/application.ts'
import { Api, LIFETIME, ORIGIN } from './support/api.ts'
import { Browser } from './support/browser.ts'

const tokenHeaders = ['rid', 'st-auth-mode', 'anti-csrf', 'authorization']

describe('the client’s fetch', () => {
  interface World {
    readonly api: Api
    readonly client: Client<object>
    /** What the page's `fetch` was given, in order. */
    readonly sent: string[]
  }

  /** A page of another origin than its API. */
  function open(options: ClientOptions = { baseUrl: ORIGIN }, pageUrl = 'https://shop.example/a/b'): World {
    const api = new Api()
    const sent: string[] = []
    const tab = new Browser(async (input, init) => {
      sent.push(typeof input === 'string' ? input : `request ${new Request(input).url}`)
      return api.fetch(input, init)
    }, api.now).openTab(pageUrl)
    return { api, client: createClientIn(tab, options), sent }
  }

  test.each([ORIGIN, `${ORIGIN}/`])('B-03: relative addresses are resolved against baseUrl %s', async baseUrl => {
    const { client, sent } = open({ baseUrl })
    await client.fetch('/login', { method: 'POST' })
    await client.fetch('me?1')
    const devices = createDevices(client, { path: '/devices' })
    await devices.list()
    await devices.revoke('a/b')
    const handle = client.peekSession()?.handle
    await client.signOut()
    const paths = ['/login', '/me?1', '/devices', '/devices/a%2Fb', `/auth/signout?session=${handle}`]
    expect(sent).toEqual(paths.map(path => ORIGIN + path))
  })

  test('B-03: without baseUrl they are resolved against the origin of the page', async () => {
    const { client, sent } = open({}, `${ORIGIN}/deep/page?query#part`)
    await client.fetch('me')
    expect(sent[0]).toBe(`${ORIGIN}/me`)
  })

  test('S-07: every spelling of an address is sent as the same absolute address', async () => {
    const { client, sent } = open()
    await client.fetch(`${ORIGIN}/login`, { method: 'POST' })
    sent.length = 0
    for (const address of [' /x', '\t/x', 'https:x', '//app.example.com/x', 'HTTPS://APP.example.com:443/./x']) {
      await client.fetch(address)
      await client.fetch(new URL(address, ORIGIN))
    }
    expect(new Set(sent)).toEqual(new Set([`${ORIGIN}/x`]))
    for (const address of ['//evil.example/x', '/\\evil.example/x']) await client.fetch(address)
    expect(sent.slice(-2)).toEqual(['https://evil.example/x', 'https://evil.example/x'])
    await client.fetch('https://').catch(() => null)
    expect(sent.at(-1)).toBe('https://')
  })

  test('S-07: if an address is changed during the refresh, the address that was checked is sent', async () => {
    const { api, client, sent } = open({ baseUrl: ORIGIN, mode: 'header' })
    await client.fetch(`${ORIGIN}/login`, { method: 'POST' })
    api.now += LIFETIME * 1000 + 1000
    const url = new URL('/me', ORIGIN)
    api.between = async request => {
      if (request.url.endsWith('/session/refresh')) url.host = 'evil.example'
      return null
    }
    expect((await client.fetch(url)).status).toBe(200)
    expect(url.host).toBe('evil.example')
    expect(sent.slice(1)).toEqual([`${ORIGIN}/me`, `${ORIGIN}/auth/session/refresh`, `${ORIGIN}/me`])
  })

  test('S-07: an object that only looks like a request is checked and sent as the platform reads it', async () => {
    const { api, client, sent } = open({ baseUrl: ORIGIN, mode: 'header' })
    await client.fetch(`${ORIGIN}/login`, { method: 'POST' })
    const seen: Headers[] = []
    api.between = async ({ headers }) => {
      seen.push(headers)
      return new Response('{}')
    }
    const real = new Request(`${ORIGIN}/me`)
    const impostor: Request = Object.assign(Object.create(null), {
      url: real.url, clone: () => real, toString: () => 'https://evil.example/x',
    })
    await client.fetch(impostor)
    class Disguised extends Request {
      override get url(): string {
        return real.url
      }
    }
    await client.fetch(new Disguised('https://evil.example/y'))
    expect(sent.slice(1)).toEqual(['request https://evil.example/x', 'request https://evil.example/y'])
    for (const headers of seen) expect(tokenHeaders.filter(name => headers.has(name))).toEqual([])
  })

  test('S-07: addresses with an app’s own scheme have different origins for different hosts', () => {
    const { client } = open({ baseUrl: 'app://shop/' })
    expect(client.exchanges.isOurs('app://shop/x')).toBe(true)
    const others = ['app://other/x', 'other://shop/x', 'data:,x', 'blob:app://shop/x', 'file:///x', 'about:blank']
    expect(others.filter(client.exchanges.isOurs)).toEqual([])
  })

  test('S-07: without a page, an address that cannot be resolved is left to the platform', async () => {
    const sent: unknown[] = []
    const tab = { ...new Browser(async input => {
      sent.push(input)
      return new Response()
    }, 0).openTab(), pageUrl: undefined }
    for (const baseUrl of ['/', '/api', ORIGIN]) {
      const client = createClientIn(tab, { baseUrl })
      await client.fetch('/me')
      expect(['/me', `${ORIGIN}/me`, 'http://localhost/me'].filter(client.exchanges.isOurs)).toEqual([])
    }
    expect(sent).toEqual(['/me', '/me', `${ORIGIN}/me`])
  })

  const withoutOrigin = [undefined, 'about:srcdoc', 'data:text/html,x']
  test.each(withoutOrigin)('B-02: without an origin, the error names the missing option: %s', page => {
    const tab = { ...new Browser(fetch, 0).openTab(), pageUrl: page }
    const storage = { getItem: () => null, setItem: () => undefined }
    expect(() => createClientIn(tab, { storage })).toThrow('baseUrl must be an absolute URL; received /')
    expect(() => createClientIn(tab, { storage, baseUrl: '/api' })).toThrow('received /api')
    expect(createClientIn(tab, { storage, baseUrl: ORIGIN }).exchanges.isOurs('/me')).toBe(true)
  })
})

describe('axios', () => {
  let application: Application
  let client: Client<object>
  let elsewhere: Server
  let other: string
  /** The headers that the other origin was sent. */
  const seen: string[] = []

  beforeAll(async () => {
    application = await Application.start('')
    elsewhere = createServer((request, response) => {
      seen.push(...Object.keys(request.headers))
      response.writeHead(401, { 'front-token': 'remove' }).end()
    })
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
    other = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
  })

  beforeEach(async () => {
    seen.length = 0
    const kept = new Map<string, string>()
    client = createClient({
      baseUrl: application.origin,
      mode: 'header',
      storage: { getItem: key => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    })
    await client.fetch(`${application.origin}/login`, { method: 'POST', body: '{"userId":"ada"}' })
  })

  afterAll(async () => {
    await new Promise(resolve => elsewhere.close(resolve).closeAllConnections())
    await application.end()
  })

  function expectNothingTaken(): void {
    expect(tokenHeaders.filter(name => seen.includes(name))).toEqual([])
    expect(client.peekSession()).toMatchObject({ userId: 'ada' })
  }

  test('S-07: an address is checked as the adapter builds it, without the defaults of the instance', async () => {
    const api = axios.create({ baseURL: application.origin, allowAbsoluteUrls: false })
    // The adapter then takes an absolute address as it is.
    api.interceptors.request.use(request => {
      delete request.baseURL
      return request
    })
    addSessionInterceptor(api, client)
    await expect(api.get(`${other}/x`)).rejects.toMatchObject({ response: { status: 401 } })
    expect(seen).toContain('host')
    expectNothingTaken()
  })

  test('S-07: if an axios request is changed during the refresh, it goes to the address that was checked', async () => {
    const api = axios.create({ baseURL: application.origin })
    let sent: { baseURL?: string | undefined; url?: string | undefined } = {}
    addSessionInterceptor(api, client)
    application.expireTokens()
    application.beforeAnswer = async () => {
      application.beforeAnswer = null
      Object.assign(sent, { baseURL: other, params: { x: 1 } })
    }
    const reply = await api.get('/me', {
      transformRequest(this: typeof sent) {
        sent = this
      },
    })
    expect(reply.data).toMatchObject({ userId: 'ada' })
    expect(sent).toMatchObject({ url: '/me' })
    expect(seen).toEqual([])
  })

  test('S-07: axios’ fetch adapter follows no redirect, because it does not report where one ends', async () => {
    const api = axios.create({ baseURL: application.origin, adapter: 'fetch' })
    addSessionInterceptor(api, client)
    expect((await api.get('/me', { params: { x: 1 } })).config).toMatchObject({ url: '/me', params: { x: 1 } })
    application.redirect = `${other}/x`
    await expect(api.get('/away')).rejects.toMatchObject({ code: 'ERR_NETWORK' })
    expect(seen).toEqual([])
    expectNothingTaken()
  })
})
