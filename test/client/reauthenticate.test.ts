import { describe, expect, test } from 'vitest'
import type { Client, ClientOptions } from '../../src/client/client.ts'
import { createClientIn } from '../../src/client/create-client.ts'
import { SessionUnavailableError } from '../../src/client/errors.ts'
import { reauthenticateWith } from '../../src/client/reauthenticate.ts'
import { Api, LIFETIME, ORIGIN } from './support/api.ts'
import type { Claims } from './support/api.ts'
import { Browser, settle } from './support/browser.ts'
import type { BrowserSettings } from './support/browser.ts'

const REFRESH = '/auth/session/refresh'

interface World {
  readonly api: Api
  readonly browser: Browser
  open(options?: ClientOptions): Client<Claims>
  /** Lets the same time pass for the server and the browser. */
  pass(milliseconds: number): Promise<void>
}

function createWorld(settings: BrowserSettings = {}): World {
  const api = new Api()
  const browser = new Browser(api.fetch, api.now, settings)
  return {
    api,
    browser,
    open: (options = {}) => createClientIn<Claims>(browser.openTab(), { baseUrl: ORIGIN, ...options }),
    async pass(milliseconds) {
      api.now += milliseconds
      await browser.pass(milliseconds)
    },
  }
}

const logIn = (client: Client<Claims>): Promise<Response> => client.fetch('/login', { method: 'POST', body: '{}' })
const prove = (client: Client<Claims>, init: RequestInit = {}): Promise<Response> => (
  reauthenticateWith(client, '/reauthenticate', { method: 'POST', body: 'password', ...init })
)
const paths = (api: Api, from: number): string[] => api.seen.slice(from).map(({ path, status }) => `${path} ${status}`)

/** Holds requests for a path until the function that it returns is called. */
function hold(api: Api, path: string): { readonly release: () => void } {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  api.between = async request => {
    if (new URL(request.url).pathname === path) await held
    return null
  }
  return { release: () => release() }
}

describe('L-17: a re-authentication', () => {
  test.each(['cookie', 'header'] as const)('sends one request, and the session goes on with its tokens, in %s mode',
    async mode => {
      const { api, open, pass } = createWorld()
      const client = open({ mode })
      await logIn(client)
      await pass(301_000)
      expect((await client.fetch('/recent')).status).toBe(403)
      const from = api.seen.length
      const response = await prove(client)
      expect([response.status, await response.json()]).toEqual([200, { userId: 'ada', echo: 'password' }])
      expect((await client.fetch('/recent')).status).toBe(200)
      expect(paths(api, from)).toEqual(['/reauthenticate 200', '/recent 200'])
      await pass(LIFETIME * 1000)
      expect((await client.fetch('/me')).status).toBe(200)
      expect(paths(api, from).slice(2)).toEqual([`${REFRESH} 200`, '/me 200'])
    })

  test('holds the refresh lock: no tab refreshes beside it, nor after it', async () => {
    const { api, open, pass } = createWorld()
    const [client, other] = [open(), open()]
    await logIn(client)
    await pass(10_000)
    const { release } = hold(api, '/reauthenticate')
    const answer = prove(client)
    await pass(100)
    const refreshing = [other.refresh(), client.refresh()]
    await pass(1000)
    expect(api.refreshes).toBe(0)
    release()
    await pass(5000)
    expect((await answer).status).toBe(200)
    expect(await Promise.all(refreshing)).toEqual([true, true])
    expect(api.refreshes, 'they take what the re-authentication brought').toBe(0)
    expect((await other.fetch('/recent')).status).toBe(200)
  })

  test('waits for a refresh that is under way, in this tab or in another', async () => {
    for (const refreshing of [0, 1]) {
      const { api, open, pass } = createWorld()
      const clients = [open(), open()] as const
      await logIn(clients[0])
      await pass(70_000)
      const { release } = hold(api, REFRESH)
      const refreshed = clients[refreshing]?.refresh()
      await settle()
      const from = api.seen.length
      const answer = prove(clients[0])
      await pass(1000)
      expect(paths(api, from)).toEqual([])
      release()
      await pass(1000)
      expect(await refreshed).toBe(true)
      expect((await answer).status).toBe(200)
      expect(paths(api, from)).toEqual([`${REFRESH} 200`, '/reauthenticate 200'])
    }
  })

  test('refreshes an expired access token first, under the same lock', async () => {
    const { api, open, pass } = createWorld()
    const client = open()
    await logIn(client)
    await pass(LIFETIME * 1000 + 1000)
    const from = api.seen.length
    expect((await prove(client)).status).toBe(200)
    expect(paths(api, from)).toEqual([`${REFRESH} 200`, '/reauthenticate 200'])
  })

  test('refreshes once and repeats the request if the server finds the token expired', async () => {
    const { api, open } = createWorld()
    const client = open()
    await logIn(client)
    api.now += LIFETIME * 1000 + 1000
    const from = api.seen.length
    expect((await prove(client)).status).toBe(200)
    expect(paths(api, from)).toEqual(['/reauthenticate 401', `${REFRESH} 200`, '/reauthenticate 200'])
  })

  test('rejects as fetch does, keeps the session, and leaves the lock', async () => {
    const { api, open, pass } = createWorld()
    const client = open()
    await logIn(client)
    await pass(70_000)
    api.between = async () => {
      throw new TypeError('no network')
    }
    await expect(prove(client)).rejects.toThrow('no network')
    await pass(LIFETIME * 1000)
    api.between = async request => {
      if (request.url.endsWith(REFRESH)) throw new TypeError('no network')
      return null
    }
    await expect(prove(client)).rejects.toThrow(SessionUnavailableError)
    api.between = null
    expect(await client.refresh()).toBe(true)
    expect((await prove(client)).status).toBe(200)
  })

  test('keeps the lock while the refresh of an aborted call is running', async () => {
    const { api, open, pass } = createWorld()
    const client = open()
    await logIn(client)
    await pass(LIFETIME * 1000 + 1000)
    const { release } = hold(api, REFRESH)
    const caller = new AbortController()
    const aborted = prove(client, { signal: caller.signal }).catch((error: unknown) => error)
    await settle()
    caller.abort()
    await settle()
    const from = api.seen.length
    const again = prove(client)
    await pass(100)
    expect(paths(api, from)).toEqual([])
    release()
    await pass(100)
    expect(await aborted).toMatchObject({ name: 'AbortError' })
    expect((await again).status).toBe(200)
    expect(paths(api, from)).toEqual([`${REFRESH} 200`, '/reauthenticate 200'])
  })

  test('after a lost answer, the user is asked again once the wait is over', async () => {
    const { api, open, pass } = createWorld()
    const client = open()
    await logIn(client)
    await pass(301_000)
    api.loseNext = true
    await expect(prove(client)).rejects.toThrow('network lost')
    const busy = await prove(client)
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '31'])
    await pass(31_000)
    expect((await prove(client)).status).toBe(200)
    expect((await client.fetch('/recent')).status).toBe(200)
  })

  test('is a plain request for addresses of other servers', async () => {
    const { api, open } = createWorld()
    const client = open()
    await logIn(client)
    api.between = async () => Response.json({ theirs: true })
    const response = await reauthenticateWith(client, 'https://other.example.com/reauthenticate', { method: 'POST' })
    expect(await response.json()).toEqual({ theirs: true })
    expect(api.seen.at(-1)?.headers.get('st-auth-mode')).toBeNull()
  })
})
