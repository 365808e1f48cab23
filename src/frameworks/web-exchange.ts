import { GeneralError } from '../base/errors.ts'
import { createClientInfo } from '../session/client-info.ts'
import type { ClientInfo } from '../session/record.ts'
import { NEVER_STORED, PRIVATE } from '../transport/caching.ts'
import { addToList } from '../transport/header-list.ts'
import type { HttpRequest, ResponseWriter, StreamedResponse } from '../transport/exchange.ts'
import { pathOf, queryOf } from '../transport/request-target.ts'
import type { Cookie } from '../transport/set-cookie.ts'
import { withCookies } from './response-cookies.ts'

/** Returns the IP address of the client, or null: a web `Request` does not contain it. */
export type WebClientIp = (request: Request) => string | null

/** Reads a web `Request`. */
export class WebRequest implements HttpRequest {
  readonly identity: object
  readonly #request: Request
  readonly #clientIp: WebClientIp
  readonly #target: string | undefined

  /**
   * `target` is the path or URL that the client sent; pass it if the framework has changed the URL of the request.
   * `identity` is the framework's object for the request; pass it if middleware may replace the `Request`.
   */
  constructor(request: Request, clientIp: WebClientIp, target?: string, identity: object = request) {
    this.identity = identity
    this.#request = request
    this.#clientIp = clientIp
    this.#target = target
  }

  get method(): string {
    return this.#request.method
  }

  get path(): string {
    return pathOf(this.#target ?? this.#request.url)
  }

  get query(): string {
    return queryOf(this.#target ?? this.#request.url)
  }

  get client(): ClientInfo {
    return createClientInfo(this.#clientIp(this.#request), this.header('user-agent'))
  }

  header(name: string): string | null {
    return this.#request.headers.get(name)
  }
}

const SENT = Symbol('keyturn response')

/** What to call at the end of the response that is created with these headers. */
const endings = new WeakMap<Headers, Set<() => void>>()

/**
 * Writes to a `Headers` object, from which a response is created later. Several writers may share it: if one is closed,
 * all are.
 */
export class WebResponseWriter implements ResponseWriter {
  /** The headers that Keyturn adds to the response. */
  readonly headers: Headers
  readonly #request: Request | null

  /** Pass the request, so that its end is noticed if the client goes away. */
  constructor(headers: Headers = new Headers(), request: Request | null = null) {
    this.headers = headers
    this.#request = request
  }

  get closed(): boolean {
    return SENT in this.headers
  }

  /** Call it when the response was created: what is written to the headers from now on is lost. */
  close(): void {
    if (!this.closed) Object.defineProperty(this.headers, SENT, { value: true })
  }

  /** Returns the value of a header. */
  get(name: string): string | null {
    return this.headers.get(name)
  }

  /** Sets a header, in place of an earlier value. */
  set(name: string, value: string): void {
    this.headers.set(name, value)
  }

  /** Removes a header. */
  remove(name: string): void {
    this.headers.delete(name)
  }

  setCookies(cookies: readonly Cookie[]): void {
    const { headers } = this
    const lines = withCookies(headers, headers.getSetCookie(), cookies)
    headers.delete('set-cookie')
    for (const line of lines) headers.append('set-cookie', line)
  }

  forbidCaching(): void {
    keepTokensPrivate(this.headers)
  }

  /**
   * The end is noticed if the response was passed through {@link withHeaders}, or if the runtime aborts the request.
   */
  onEnd(listener: () => void): void {
    this.#request?.signal.addEventListener('abort', listener, { once: true })
    // The connection goes on after the response to a handshake.
    if (this.#request?.headers.get('upgrade')?.toLowerCase().includes('websocket') === true) return
    const listeners = endings.get(this.headers) ?? new Set()
    endings.set(this.headers, listeners.add(listener))
  }
}

/** The body of a response. At its end, or if it is cancelled, the listeners of `onEnd` for these headers are called. */
function bodyWithEnd({ body }: Response, sink: Headers): ReadableStream<Uint8Array> | null {
  if (body !== null && hasListeners(sink)) return observed(body, () => endNow(sink))
  endNow(sink)
  return body
}

/** Whether somebody waits for the end of the response with these headers. */
export function hasListeners(headers: Headers): boolean {
  return endings.has(headers)
}

/** Calls the listeners of `onEnd` for these headers. */
export function endNow(headers: Headers): void {
  const listeners = endings.get(headers) ?? []
  endings.delete(headers)
  for (const listener of listeners) listener()
}

/** The same stream. Calls `ended` when it has been read to its end, has failed or was cancelled. */
export function observed(body: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          controller.enqueue(value)
          return
        }
        ended()
        controller.close()
      } catch (error) {
        ended()
        throw error
      }
    },
    async cancel(reason) {
      ended()
      await reader.cancel(reason)
    },
  }, { highWaterMark: 0 })
}

/**
 * The writer that the middleware of `sessionRoutes` created for this request, for frameworks that create the response
 * after the handler has run.
 * @throws GeneralError (`MISUSE`) if that middleware did not run.
 */
export function openReply<Target extends object>(
  replies: WeakMap<Target, WebResponseWriter>,
  target: Target,
): WebResponseWriter {
  const reply = replies.get(target)
  if (reply === undefined) throw new GeneralError('MISUSE', 'call app.use(sessions.sessionRoutes()) before your routes')
  return reply
}

/**
 * Sets `Cache-Control: private, no-store` and ignores later changes of it by the handler or the framework (HDR-01).
 * Otherwise a shared cache could give a user's tokens to other users.
 */
function keepTokensPrivate(headers: Headers): void {
  headers.set('cache-control', NEVER_STORED)
  if (Object.hasOwn(headers, 'set')) return
  for (const change of ['set', 'append', 'delete'] as const) {
    const original = headers[change]
    headers[change] = (name: string, ...value: unknown[]) => {
      if (name.toLowerCase() !== 'cache-control') Reflect.apply(original, headers, [name, ...value])
    }
  }
}

const SWITCHING_PROTOCOLS = 101

const lists = ['vary', 'access-control-expose-headers']

/**
 * Returns a copy of a response with the headers of `sink` added. Lists are merged and the cookies of both are kept. If
 * the response carries tokens, the sink's `private, no-store` replaces the handler's `Cache-Control` (HDR-01). A mere
 * `private` does not. The copy has the body of the response: what waits for its end (`onEnd`) is called then.
 */
export function withHeaders(response: Response, sink: Headers): Response {
  const headers = new Headers(response.headers)
  addHeaders(headers, sink)
  const { status, statusText } = response
  if (status === SWITCHING_PROTOCOLS) return withSocketOf(response, headers)
  return new Response(bodyWithEnd(response, sink), { status, statusText, headers })
}

/**
 * The response to a WebSocket handshake with other headers. Only Cloudflare Workers can create one, with the socket
 * that it is for. Elsewhere the runtime made it, and it stays as it is: the next response brings what it cannot.
 */
function withSocketOf(response: Response, headers: Headers): Response {
  if (!('webSocket' in response)) return response
  const init = { status: SWITCHING_PROTOCOLS, headers, webSocket: response.webSocket }
  return new Response(null, init)
}

/** Adds the headers of `sink` to `headers`, as {@link withHeaders} does. */
export function addHeaders(headers: Headers, sink: Headers): void {
  for (const [name, value] of sink) {
    if (name === 'set-cookie') {
      // The application may have created its response with the same headers.
      if (!headers.getSetCookie().includes(value)) headers.append(name, value)
    } else if (lists.includes(name)) addToList(headers, name, value.split(',').map(item => item.trim()))
    else if (name !== 'cache-control' || value !== PRIVATE || !headers.has(name)) headers.set(name, value)
  }
}

/** Creates the `Response` for a response of Keyturn, with the headers of `sink`. */
export function toResponse(reply: StreamedResponse, sink: Headers, method: string): Response {
  for (const [name, value] of reply.headers) sink.set(name, value)
  const bodyless = method === 'HEAD' || reply.status === 204 || reply.status === 304
  return new Response(bodyless ? null : reply.body, { status: reply.status, headers: sink })
}
