import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { connectEventSource, connectWebSocket, endOnRevocation, sendXhr } from '../../src/client/connect.ts'
import type { Fetch } from '../../src/client/environment.ts'
import { settle } from './support/browser.ts'
import { createWorld, logIn } from './support/world.ts'

/** A connection of a browser, as far as the client uses it. */
class FakeConnection extends EventTarget {
  static opened: FakeConnection[] = []
  readonly url: string
  readonly options: unknown
  readyState = 0
  isClosed = false
  constructor(url: string, options?: unknown) {
    super()
    this.url = url
    this.options = options
    FakeConnection.opened.push(this)
  }
  close(): void {
    this.isClosed = true
  }
}

const opened = (): FakeConnection[] => FakeConnection.opened
const newest = (): FakeConnection => opened().at(-1) ?? expect.fail('nothing was opened')

beforeEach(() => {
  FakeConnection.opened = []
  vi.stubGlobal('WebSocket', FakeConnection)
  vi.stubGlobal('EventSource', FakeConnection)
})

afterEach(() => vi.unstubAllGlobals())

describe('B-13: a connection', () => {
  test('is opened with a valid access token, and closed when the session ends', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    const started: unknown[] = []
    const stop = connectWebSocket(client, '/socket?x=1', socket => started.push(socket), 'chat')
    await settle()
    expect(opened()).toEqual([])
    await logIn(client)
    await settle()
    expect(newest()).toMatchObject({ url: 'wss://app.example.com/socket?x=1', options: 'chat', isClosed: false })
    expect(started).toEqual(opened())
    await client.signOut()
    await settle()
    expect(opened().map(({ isClosed }) => isClosed)).toEqual([true])
    await logIn(client, 'bob')
    await settle()
    expect(opened()).toHaveLength(2)
    await expire()
    newest().dispatchEvent(new Event('close'))
    await settle()
    stop()
    expect(api.refreshes).toBe(0)
  })

  test('that is lost is opened again, after a refresh if that is due, with growing pauses', async () => {
    const { api, open, expire, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    const stop = connectEventSource(client, '/events', () => undefined)
    await settle()
    expect(newest()).toMatchObject({ url: 'https://app.example.com/events', options: { withCredentials: true } })
    newest().dispatchEvent(new Event('open'))
    await expire()
    newest().dispatchEvent(new Event('error'))
    expect(newest().isClosed).toBe(true)
    await pass(1001)
    expect(opened()).toHaveLength(2)
    expect(api.refreshes).toBe(1)
    for (let failure = 0; failure < 20; failure++) {
      newest().dispatchEvent(new Event('error'))
      await pass(1001)
    }
    expect(opened().length).toBeLessThan(8)
    stop()
    const before = opened().length
    await pass(600_000)
    expect(opened()).toHaveLength(before)
    expect(newest().isClosed).toBe(true)
  })

  test('that the server closes because the session was revoked finds that out', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    connectWebSocket(client, '/socket', () => undefined)
    await settle()
    await api.sessions.revokeAllSessionsForUser('ada')
    for (let failure = 0; failure < 2; failure++) {
      newest().dispatchEvent(new Event('close'))
      await pass(2001)
    }
    expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
    const before = opened().length
    await pass(600_000)
    expect(opened()).toHaveLength(before)
  })

  test('that the server closes with 4401 asks soon', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    connectWebSocket(client, '/socket', () => undefined)
    await settle()
    newest().dispatchEvent(new Event('open'))
    await api.sessions.revokeAllSessionsForUser('ada')
    newest().dispatchEvent(Object.assign(new Event('close'), { code: 4401 }))
    await pass(250)
    expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
    await pass(600_000)
    expect(opened()).toHaveLength(1)
  })

  test('that the server refuses to an EventSource asks soon; one that the network ends does not', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    connectEventSource(client, '/events', () => undefined)
    await settle()
    newest().dispatchEvent(new Event('open'))
    newest().dispatchEvent(new Event('error'))
    await settle()
    expect(api.refreshes).toBe(0)
    await pass(1001)
    expect(opened()).toHaveLength(2)
    newest().dispatchEvent(new Event('open'))
    await api.sessions.revokeAllSessionsForUser('ada')
    newest().readyState = 2
    newest().dispatchEvent(new Event('error'))
    await pass(250)
    expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
    await pass(600_000)
    expect([opened().length, api.refreshes]).toEqual([2, 1])
  })

  test('B-01: that ends with a session that a login in another tab replaces sends no refresh beside that login', async () => {
    const { api, open, pass } = createWorld()
    const [{ client }, { client: other }] = [open(), open()]
    await logIn(client)
    const seen: unknown[] = []
    client.onChange(({ status, session }) => seen.push([status, session?.userId]))
    endOnRevocation(client, '/events')
    await settle()
    // The server revokes the old session before it answers the login.
    newest().dispatchEvent(new Event('ended'))
    await logIn(other, 'bob')
    await pass(250)
    expect(seen).toEqual([['signed-in', 'bob']])
    expect(api.refreshes).toBe(0)
    await api.sessions.revokeAllSessionsForUser('bob')
    newest().dispatchEvent(new Event('ended'))
    await pass(250)
    expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
  })

  test('B-13: that the server refuses in every tab costs one refresh', async () => {
    const { api, open, pass } = createWorld()
    const [{ client }, { client: other }] = [open(), open()]
    await logIn(client)
    for (const each of [client, other]) connectEventSource(each, '/events', () => undefined)
    await pass(1)
    const refused = opened().slice()
    expect(refused).toHaveLength(2)
    for (const connection of refused) {
      connection.readyState = 2
      connection.dispatchEvent(new Event('error'))
      await pass(250)
    }
    expect(api.refreshes).toBe(1)
    await pass(0)
    expect(opened().map(({ isClosed }) => isClosed)).toEqual([true, true, false, false])
    // The session was revoked while they were open: each has to ask.
    await api.sessions.revokeAllSessionsForUser('ada')
    const last = newest()
    last.dispatchEvent(new Event('open'))
    last.readyState = 2
    last.dispatchEvent(new Event('error'))
    await pass(250)
    expect(client.view()).toMatchObject({ status: 'signed-out', reason: 'revoked' })
  })

  test('B-13: that the server refuses whatever the token is opened with growing pauses', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    connectEventSource(client, '/events', () => undefined)
    await settle()
    for (let second = 0; second < 60; second++) {
      if (!newest().isClosed) {
        newest().readyState = 2
        newest().dispatchEvent(new Event('error'))
      }
      await pass(1000)
    }
    expect(opened().length).toBeLessThan(9)
    expect(api.refreshes).toBeLessThan(9)
  })

  test('B-13: that is opened when its token has less than a second left is opened with the next token', async () => {
    const { api, open, pass } = createWorld()
    const { client } = open()
    await logIn(client)
    await pass(599_500)
    connectEventSource(client, '/events', () => undefined)
    await pass(1)
    expect([opened().length, api.refreshes]).toEqual([1, 1])
  })

  test('B-01: that a login in another tab has replaced meanwhile stays open', async () => {
    const { open, pass } = createWorld()
    const [{ client }, { client: other }] = [open(), open()]
    await logIn(client)
    connectWebSocket(client, '/socket', () => undefined)
    await settle()
    newest().dispatchEvent(Object.assign(new Event('close'), { code: 4401 }))
    await logIn(other, 'bob')
    await pass(600_000)
    expect(opened().map(({ isClosed }) => isClosed)).toEqual([true, false])
  })

  test('goes to the session’s server only, and an EventSource needs cookies', () => {
    const { open } = createWorld()
    const { client } = open()
    expect(() => connectWebSocket(client, 'https://evil.tld/', () => undefined)).toThrow('received https://evil.tld/')
    const native = open({ mode: 'header' }).client
    expect(() => connectEventSource(native, '/events', () => undefined)).toThrow('cannot send tokens in headers')
  })
})

/** An XMLHttpRequest that sends with a given `fetch`. */
class FakeXhr extends EventTarget {
  static fetch: Fetch
  withCredentials = false
  responseType = ''
  responseURL = ''
  status = 0
  #method = ''
  #text = ''
  readonly #headers = new Headers()
  #answered = new Headers()
  open(method: string, url: string): void {
    this.#method = method
    this.responseURL = url
  }
  setRequestHeader(name: string, value: string): void {
    this.#headers.append(name, value)
  }
  getAllResponseHeaders(): string {
    return [...this.#answered].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  }
  get responseText(): string {
    if (this.responseType === 'blob') throw new DOMException('not a text', 'InvalidStateError')
    return this.#text
  }
  async send(): Promise<void> {
    const response = await FakeXhr.fetch(this.responseURL, { method: this.#method, headers: this.#headers })
    this.status = response.status
    this.#answered = response.headers
    this.#text = await response.text()
    this.dispatchEvent(new Event('load'))
  }
}

describe('B-13: an XMLHttpRequest', () => {
  test.each(['', 'blob'])('is repeated after a refresh, with the response type "%s"', async responseType => {
    const { api, open } = createWorld()
    const { client } = open()
    FakeXhr.fetch = api.fetch
    vi.stubGlobal('XMLHttpRequest', FakeXhr)
    await logIn(client)
    api.now += 601_000
    const request = await sendXhr(client, 'GET', '/me', each => void Object.assign(each, { responseType }))
    expect([request.status, api.refreshes]).toEqual([200, 1])
  })

  test('whose own 401 is a page in HTML resolves to that', async () => {
    const { api, open } = createWorld()
    const { client } = open()
    FakeXhr.fetch = api.fetch
    vi.stubGlobal('XMLHttpRequest', FakeXhr)
    await logIn(client)
    api.between = async ({ url }) => url.endsWith('/orders') ? new Response('<h1>No</h1>', { status: 401 }) : null
    const request = await sendXhr(client, 'GET', '/orders', () => undefined)
    expect([request.status, request.responseText, api.refreshes]).toEqual([401, '<h1>No</h1>', 1])
  })
})
