import { expect, test } from 'vitest'
import { GeneralError } from '../../src/base/errors.ts'
import type { Client, ClientOptions } from '../../src/client/client.ts'
import { createClientIn } from '../../src/client/create-client.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { Api, LIFETIME, ORIGIN } from './support/api.ts'
import type { Claims } from './support/api.ts'
import { Browser, settle } from './support/browser.ts'
import type { BrowserSettings, Tab } from './support/browser.ts'

/** The response of a session server that is busy. */
const busy = (headers: Record<string, string>, status = 503, message = 'session service unavailable'): Response =>
  Response.json({ message }, { status, headers })

interface World {
  readonly api: Api
  readonly browser: Browser
  /** A tab that is signed in, with an access token that has expired. */
  readonly tab: Tab
  readonly client: Client<Claims>
  /** The users that the first tab's listener got, in order. */
  readonly heard: (string | null)[]
  openAnother(): Client<Claims>
  /** Answers the next refreshes with these responses, in order; then the server answers. */
  answerRefreshes(...answers: Response[]): void
  /** When refreshes were sent, in milliseconds since the first. */
  times(): number[]
  /** Lets the same time pass for the server and the browser. */
  pass(milliseconds: number): Promise<void>
}

async function open(options: ClientOptions = {}, settings: BrowserSettings = {}, api: Api = new Api()): Promise<World> {
  const browser = new Browser(api.fetch, api.now, settings)
  const openTab = (tab: Tab): Client<Claims> => createClientIn<Claims>(tab, { baseUrl: ORIGIN, ...options })
  const times: number[] = []
  const answers: Response[] = []
  const pass = async (milliseconds: number): Promise<void> => {
    api.now += milliseconds
    await browser.pass(milliseconds)
  }
  api.between = async request => {
    if (!request.url.endsWith('/session/refresh')) return null
    times.push(browser.steady)
    return answers.shift()?.clone() ?? null
  }
  const tab = browser.openTab()
  const client = openTab(tab)
  const heard: (string | null)[] = []
  client.onChange(({ session }) => heard.push(session?.userId ?? null))
  await client.fetch('/login', { method: 'POST' })
  await pass(LIFETIME * 1000 + 1000)
  return {
    api, browser, tab, client, heard, pass,
    openAnother: () => openTab(browser.openTab()),
    answerRefreshes: (...next) => void answers.push(...next),
    times: () => times.map(time => time - (times[0] ?? 0)),
  }
}

const statusOf = (call: Promise<Response>): Promise<number | string> =>
  call.then(({ status }) => status, (error: { code?: string; status?: number }) => `${error.code} ${error.status}`)

test.each(['cookie', 'header'] as const)(
  'ROT-15: if the server is busy, the client keeps its tokens, waits for Retry-After, and then refreshes: %s',
  async mode => {
    const { api, client, heard, answerRefreshes, times, pass } = await open({ mode })
    const jar = new Map(api.jar)
    answerRefreshes(busy({ 'retry-after': '12' }))
    const calls = [client.fetch('/me'), client.fetch('/me'), client.getSession(), client.refresh()]
    await pass(11_999)
    expect(times()).toEqual([0])
    expect(api.jar).toEqual(jar)
    expect(client.peekSession()).toMatchObject({ userId: 'ada' })
    await pass(601)
    expect(await Promise.all(calls)).toMatchObject([{ status: 200 }, { status: 200 }, { userId: 'ada' }, true])
    expect(times()).toHaveLength(2)
    expect(heard).toEqual(['ada'])
  },
)

test.each<[string, BrowserSettings]>([
  ['locks', {}],
  ['a lease in the storage', { locks: false }],
])('ROT-15: five tabs with %s wait at the same time, and one refreshes for all', async (_, settings) => {
  const { api, client, openAnother, answerRefreshes, times, pass } = await open({}, settings)
  const clients = [client, ...Array.from({ length: 4 }, openAnother)]
  answerRefreshes(...Array.from({ length: 5 }, () => busy({ 'retry-after': '30' })))
  const calls = clients.map(each => statusOf(each.fetch('/me')))
  // The longest wait, and the time that the tabs wait for the lock.
  await pass(31_500 + 1000)
  expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200])
  expect(times()).toHaveLength(6)
  expect(api.seen.filter(({ path, status }) => path.endsWith('refresh') && status === 200)).toHaveLength(1)
})

test('ROT-15: a store that is away for a moment is answered alike: the client waits, and the session is kept', async () => {
  let isAway = false
  const store = createMemoryStore()
  const api = new Api({
    store: {
      ...store,
      rotate: rotation =>
        isAway ? Promise.reject(new GeneralError('STORE_UNAVAILABLE', 'away')) : store.rotate(rotation),
    },
  })
  const { client, heard, times, pass } = await open({}, {}, api)
  isAway = true
  const call = statusOf(client.fetch('/me'))
  await pass(999)
  expect(times()).toEqual([0])
  isAway = false
  await pass(60)
  expect([await call, times().length, heard]).toEqual([200, 2, ['ada']])
})

test('ROT-15: a refresh of another tab ends the wait', async () => {
  const { client, openAnother, answerRefreshes, times, pass } = await open()
  answerRefreshes(busy({ 'retry-after': '60' }))
  const call = client.fetch('/me')
  await pass(5000)
  expect((await openAnother().fetch('/me')).status).toBe(200)
  await pass(1)
  expect((await call).status).toBe(200)
  expect(times()).toEqual([0, 5000])
})

test('ROT-15: the end of the session, learned in another tab, ends the wait', async () => {
  const { api, client, openAnother, answerRefreshes, times, pass } = await open()
  answerRefreshes(busy({ 'retry-after': '60' }))
  const call = client.fetch('/me')
  await pass(5000)
  await api.sessions.revokeSession(client.peekSession()?.handle ?? '')
  expect(await openAnother().refresh()).toBe(false)
  await pass(1)
  expect((await call).status).toBe(401)
  expect(client.peekSession()).toBeNull()
  expect(times()).toEqual([0, 5000])
  expect(api.jar.size).toBe(0)
})

test('ROT-15: if the server stays busy, the client waits twice; then the call fails. The session is kept', async () => {
  const { client, heard, tab, answerRefreshes, times, pass } = await open()
  tab.visible = false
  answerRefreshes(...Array.from({ length: 3 }, () => busy({ 'retry-after': '60' })))
  const call = statusOf(client.fetch('/me'))
  await pass(2 * 63_000)
  expect(await call).toBe('SESSION_UNAVAILABLE 503')
  expect(times()).toHaveLength(3)
  expect(await statusOf(client.fetch('/me'))).toBe('SESSION_UNAVAILABLE 503')
  expect(heard).toEqual(['ada'])
  await pass(63_000)
  expect(await statusOf(client.fetch('/me'))).toBe(200)
})

test.each<[string, Response]>([
  ['for more than a minute', busy({ 'retry-after': '61' })],
  ['for years', busy({ 'retry-after': '99999999999999999999' })],
  ['until a date in years', busy({ 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' })],
  ['in words', busy({ 'retry-after': 'soon' })],
  ['for a negative time', busy({ 'retry-after': '-1' })],
  ['without a time', busy({})],
  ['with another status', busy({ 'retry-after': '1' }, 429)],
  ['with a message that is not the session server’s', busy({ 'retry-after': '1' }, 503, 'maintenance')],
])('ROT-15: if a server asks to wait %s, the call fails at once and the session is kept', async (_, answer) => {
  const { client, heard, tab, answerRefreshes, times, pass } = await open()
  answerRefreshes(answer)
  tab.visible = false
  expect(await statusOf(client.fetch('/me'))).toBe(`SESSION_UNAVAILABLE ${answer.status}`)
  expect(times()).toHaveLength(1)
  expect(heard).toEqual(['ada'])
  await pass(300_000)
  expect(await statusOf(client.fetch('/me'))).toBe(200)
})

test('ROT-15: Retry-After as a date is measured by the server’s clock if `Date` can be read', async () => {
  const now = new Api().now + LIFETIME * 1000 + 1000
  const date = (milliseconds: number): string => new Date(milliseconds).toUTCString()
  const hour = 3_600_000
  for (const headers of [
    { 'retry-after': date(now + 20_000) },
    { 'retry-after': date(now + hour + 20_000), date: date(now + hour) },
  ]) {
    const { client, answerRefreshes, times, pass } = await open()
    answerRefreshes(busy(headers))
    const call = statusOf(client.fetch('/me'))
    await pass(19_999)
    expect(times()).toEqual([0])
    await pass(1001)
    expect(await call).toBe(200)
  }
})

test('ROT-15: a call that is aborted does not wait, and other calls continue', async () => {
  const { client, answerRefreshes, pass } = await open()
  answerRefreshes(busy({ 'retry-after': '30' }))
  const abort = new AbortController()
  const aborted = client.fetch('/me', { signal: abort.signal })
  const other = client.fetch('/me')
  await pass(1000)
  abort.abort(new Error('aborted'))
  await expect(aborted).rejects.toThrow('aborted')
  await pass(30_500)
  expect((await other).status).toBe(200)
})

test('ROT-15: closing a client ends its wait', async () => {
  const { browser, client, answerRefreshes, times, pass } = await open()
  answerRefreshes(busy({ 'retry-after': '30' }))
  const call = statusOf(client.fetch('/me'))
  await pass(1000)
  client.close()
  expect(await call).toBe('SESSION_UNAVAILABLE 503')
  expect(browser.timers).toBe(0)
  await pass(60_000)
  expect(times()).toEqual([0])
})

test('ROT-15: after the device wakes from sleep, a page refreshes when the wait is over, and not before', async () => {
  const { api, browser, tab, client, answerRefreshes, times } = await open()
  answerRefreshes(busy({ 'retry-after': '60' }))
  const call = client.fetch('/me')
  await settle()
  // Timers and the steady clock stand still while the device sleeps.
  browser.wall += 30_000
  tab.wake()
  await settle()
  expect(times()).toEqual([0])
  browser.wall += 3_600_000
  api.now += 3_630_000
  tab.wake()
  await settle()
  expect((await call).status).toBe(200)
  expect(times()).toEqual([0, 0])
})

test('if another tab has refreshed meanwhile, a late failure does not delay the next refresh', async () => {
  const { api, client, openAnother, pass } = await open({}, { locks: false })
  let thaw = (): void => undefined
  api.between = async request => {
    if (!request.url.endsWith('/session/refresh')) return null
    api.between = null
    await new Promise<void>(resolve => thaw = resolve)
    return busy({ 'retry-after': '60' }, 503, 'maintenance')
  }
  const call = statusOf(client.fetch('/me'))
  await settle()
  const other = statusOf(openAnother().fetch('/me'))
  // The other tab stops waiting for the frozen one.
  await pass(13_000)
  expect(await other).toBe(200)
  thaw()
  expect(await call).toBe(200)
  // Only the server's time passes: the access token has expired, and the pause after the failure is not over.
  api.now += LIFETIME * 1000 + 1000
  const next = statusOf(client.fetch('/me'))
  await pass(1000)
  expect(await next).toBe(200)
})
