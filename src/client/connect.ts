import * as wire from '../base/wire.ts'
import type { Client } from './client.ts'
import { isObject } from './front-token.ts'
import { internalsOf } from './internals.ts'
import type { ServerReply } from './server-reply.ts'
import type { SessionState } from './session-state.ts'

/** The part of a client that connections need. */
export type ConnectingClient = Pick<Client<object>, 'exchanges' | 'getSession' | 'refresh' | 'view' | 'onChange'>

/** A connection that an application has opened: a `WebSocket` or an `EventSource`. */
export interface Closable {
  /** Closes the connection. */
  close(): void
  /** Calls the listener when the connection opens, fails or closes, as the platform's own method does. */
  addEventListener(type: 'open' | 'close' | 'error', listener: (event: Event) => void): void
}

/** The code with which the server closes a WebSocket whose session has ended, or whose access token has expired. */
const SESSION_ENDED = 4401

/** The `readyState` of an `EventSource` that the browser does not open again. */
const SOURCE_CLOSED = 2

const LONGEST_PAUSE = 30_000

/**
 * How soon after the end of a session the client asks for the reason, in milliseconds. A login in another tab ends the
 * session that it replaces before its own answer arrives; a refresh meanwhile would be refused, and the browser could
 * apply that answer after the login's.
 */
const LOGIN_ANSWERS_WITHIN = 250

/**
 * Keeps a connection open while somebody is signed in. `open` is called with the resolved address when the access token
 * is valid, and again after the connection was lost, with growing pauses. It also gets a function that asks the server
 * what has become of the session. When that ends or changes, the connection is closed. `isRefused`: whether the server
 * has refused or closed it as without a session. Returns a function that closes it for good.
 */
function keepConnected<Connection extends Closable>(
  client: ConnectingClient,
  address: string,
  open: (url: string, ask: () => Promise<void>) => Connection,
  isRefused: (connection: Connection, event: Event) => boolean,
): () => void {
  const { env, state, refresher } = internalsOf(client)
  const url = client.exchanges.resolve(address)
  if (url === null || !client.exchanges.isOurs(url)) {
    throw new TypeError(`the address of a connection must be at the session's server; received ${address}`)
  }
  let connection: Connection | null = null
  let handle: string | undefined
  let failures = 0
  let isOver = false
  let cancel = (): void => undefined

  function close(): void {
    cancel()
    connection?.close()
    connection = null
  }

  /** `refused`: the record whose token was refused. Another tab may have a newer one. */
  async function ask(refused?: SessionState | null): Promise<void> {
    const asked = handle
    await new Promise<void>(resolve => void env.after(LOGIN_ANSWERS_WITHIN, resolve))
    if (isOver || handle !== asked) return
    await (refused ? refresher.refresh(refused, true) : client.refresh()).catch(() => undefined)
  }

  async function connect(): Promise<void> {
    close()
    // To the server, which counts whole seconds, it may have expired.
    const left = state.timeLeft()
    if (left !== null && left < 1000) await refresher.refresh(state.current())
    const session = await client.getSession().catch(() => null)
    handle = session?.handle
    if (isOver || session === null || connection !== null) return
    let sent: SessionState | null | undefined = state.current()
    const opened = connection = open(url ?? '', () => ask())
    opened.addEventListener('open', () => {
      failures = 0
      sent = undefined
    })
    for (const type of ['close', 'error'] as const) {
      opened.addEventListener(type, event => void lost(opened, event, sent))
    }
  }

  /** `sent`: the record of the handshake, unless the connection has been open. */
  async function lost(which: Connection, event: Event, sent: SessionState | null | undefined): Promise<void> {
    if (which !== connection || isOver) return
    const isDue = failures > 0 || isRefused(which, event)
    close()
    const ofSession = handle
    // The session may have ended. A refresh finds out, and says why.
    if (isDue) await ask(sent)
    // Another session has a connection of its own.
    if (handle !== ofSession) return
    failures += 1
    // A new token was not tried yet. But a route may refuse all.
    const isNew = sent && sent !== state.current() && failures < 3
    const pause = isNew ? 0 : Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.5 + env.random() / 2)
    if (!isOver && client.view().session) cancel = env.after(pause, () => void connect())
  }

  const stop = client.onChange(({ session }) => {
    if (session?.handle === handle) return
    handle = session?.handle
    if (session) void connect()
    else close()
  })
  void connect()
  return () => {
    isOver = true
    stop()
    close()
  }
}

/**
 * Keeps a WebSocket open while somebody is signed in. `start` is called with each new socket, to add listeners. Returns
 * a function that closes it for good. The server verifies the handshake (`keyturn/frameworks/ws`).
 * @throws TypeError if the address is not at the session's server
 */
export function connectWebSocket(
  client: ConnectingClient,
  address: string,
  start: (socket: WebSocket) => void,
  protocols?: string | string[],
): () => void {
  return keepConnected(client, address, url => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), protocols)
    start(socket)
    return socket
  }, (_, event) => 'code' in event && event.code === SESSION_ENDED)
}

/**
 * Keeps an `EventSource` open while somebody is signed in. `start` is called with each new one, to add listeners.
 * Returns a function that closes it for good.
 * @throws TypeError if the address is not at the session's server, and in header mode: an `EventSource` sends no
 * headers
 */
export function connectEventSource(
  client: ConnectingClient,
  address: string,
  start: (source: EventSource) => void,
): () => void {
  return keepSource(client, address, start)
}

function keepSource(
  client: ConnectingClient,
  address: string,
  start: (source: EventSource, ask: () => Promise<void>) => void,
): () => void {
  if (client.exchanges.mode === 'header') throw new TypeError('an EventSource cannot send tokens in headers')
  return keepConnected(client, address, (url, ask) => {
    const source = new EventSource(url, { withCredentials: true })
    start(source, ask)
    return source
    // The server has answered, and not with a stream. The page cannot read the answer.
  }, ({ readyState }) => readyState === SOURCE_CLOSED)
}

/**
 * Ends the session in this page within a second of its revocation, by a route that sends `revocationStream(session)` of
 * the server. The browser keeps one connection for it. Returns a function that stops it.
 */
export function endOnRevocation(client: ConnectingClient, address: string): () => void {
  return keepSource(client, address, (source, ask) => {
    // The event only says that something has happened. What the server answers to a refresh counts.
    source.addEventListener('ended', () => void ask())
  })
}

/**
 * Sends an XMLHttpRequest with the session, such as for upload progress in code that cannot use `fetch`: `open` opens a
 * new one and adds listeners, and is called again for the repetition after a refresh. Resolves to the one that was
 * answered, whatever its status. Addresses of other servers get no session.
 * @throws Error if it fails, and SessionUnavailableError as `client.fetch` does
 */
export async function sendXhr(
  client: Pick<Client<object>, 'exchanges'>,
  method: string,
  address: string,
  prepare: (request: XMLHttpRequest) => XMLHttpRequestBodyInit | null | void,
): Promise<XMLHttpRequest> {
  const { exchanges } = client
  const url = exchanges.resolve(address)
  if (url === null) throw new TypeError(`the address is invalid; received ${address}`)
  const exchange = exchanges.isOurs(url) ? await exchanges.begin({ url }) : null
  for (let attempt = 1; ; attempt++) {
    const request = new XMLHttpRequest()
    request.open(method, url)
    const body = prepare(request)
    if (exchange) {
      request.withCredentials = exchanges.mode === 'cookie'
      for (const [name, value] of [[wire.customHeader, 'anti-csrf'], ...exchange.headers()] as const) {
        request.setRequestHeader(name, value)
      }
    }
    await new Promise<void>((resolve, reject) => {
      request.addEventListener('load', () => resolve())
      for (const type of ['error', 'abort', 'timeout']) request.addEventListener(type, () => reject(new Error(type)))
      request.send(body ?? null)
    })
    if (!exchange || !await exchange.answered(replyOf(request), attempt === 1)) return request
  }
}

function replyOf(request: XMLHttpRequest): ServerReply {
  const headers = new Headers()
  for (const line of request.getAllResponseHeaders().split('\r\n')) {
    const [name = '', ...rest] = line.split(': ')
    if (name) headers.append(name, rest.join(': '))
  }
  return {
    status: request.status,
    url: request.responseURL,
    headers,
    async message() {
      try {
        const body: unknown = request.responseType === 'json' ? request.response : JSON.parse(request.responseText)
        return isObject(body) ? body['message'] : undefined
      } catch {
        return undefined // No JSON, or no text: the request may have asked for a blob.
      }
    },
  }
}
