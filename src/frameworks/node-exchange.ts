import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { createAttachment } from '../base/attachment.ts'
import { sendStream } from '../base/send-stream.ts'
import { createClientInfo } from '../session/client-info.ts'
import type { ClientInfo } from '../session/record.ts'
import { NEVER_STORED } from '../transport/caching.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, HttpRequest, ResponseWriter, StreamedResponse } from '../transport/exchange.ts'
import { pathOf, queryOf } from '../transport/request-target.ts'
import type { Cookie } from '../transport/set-cookie.ts'
import { withCookies } from './response-cookies.ts'

/**
 * Returns the IP address of the client, or null if it is unknown. The default is the peer of the connection; it ignores
 * forwarded headers (DOS-05).
 */
export type ClientIp<Request> = (request: Request) => string | null

/**
 * Creates an exchange from the request and response of node:http, or of a framework built on it. `target` is the
 * request target that the client sent; pass it if the framework does not keep it in `url` or `originalUrl`.
 */
export function nodeExchange<Request extends IncomingMessage>(
  request: Request,
  response: ServerResponse,
  clientIp: ClientIp<Request> = peerAddress,
  target: string = originalUrl(request) ?? request.url ?? '/',
): HttpExchange {
  return new AdapterExchange(new NodeRequest(request, clientIp, target), new NodeResponseWriter(response))
}

/** Creates a request without a response, for reading only. `target` is as in {@link nodeExchange}. */
export function nodeRequest<Request extends IncomingMessage>(
  request: Request,
  clientIp: ClientIp<Request> = peerAddress,
  target: string = originalUrl(request) ?? request.url ?? '/',
): HttpRequest {
  return new NodeRequest(request, clientIp, target)
}

/** Sends a response. */
export function sendReply(
  request: Pick<IncomingMessage, 'method'>,
  response: ServerResponse,
  reply: StreamedResponse,
): void {
  for (const [name, value] of reply.headers) response.setHeader(name, value)
  response.statusCode = reply.status
  const body = request.method === 'HEAD' ? '' : reply.body
  if (typeof body === 'string') response.end(body === '' ? undefined : body)
  else void sendStream(body, response)
}

function peerAddress(request: IncomingMessage): string | null {
  return request.socket.remoteAddress ?? null
}

class NodeRequest<Request extends IncomingMessage> implements HttpRequest {
  readonly #message: Request
  readonly #clientIp: ClientIp<Request>
  readonly #target: string

  constructor(message: Request, clientIp: ClientIp<Request>, target: string) {
    this.#message = message
    this.#clientIp = clientIp
    this.#target = target
  }

  get identity(): object {
    return this.#message
  }

  get method(): string {
    return this.#message.method ?? 'GET'
  }

  get path(): string {
    return pathOf(this.#target)
  }

  get query(): string {
    return queryOf(this.#target)
  }

  get client(): ClientInfo {
    return createClientInfo(this.#clientIp(this.#message), this.header('user-agent'))
  }

  header(name: string): string | null {
    const value = this.#message.headers[name]
    return typeof value === 'string' ? value : value?.join(', ') ?? null
  }
}

/** A router that is mounted at a prefix removes it from `url` and keeps the whole target here. */
function originalUrl(message: IncomingMessage): string | null {
  return 'originalUrl' in message && typeof message.originalUrl === 'string' ? message.originalUrl : null
}

/** Writes to a response of node:http. */
export class NodeResponseWriter implements ResponseWriter {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get closed(): boolean {
    return this.#response.headersSent
  }

  /** Returns the value of a header. */
  get(name: string): string | null {
    const value = this.#response.getHeader(name)
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  /** Sets a header, in place of an earlier value. */
  set(name: string, value: string): void {
    this.#response.setHeader(name, value)
  }

  /** Removes a header. */
  remove(name: string): void {
    this.#response.removeHeader(name)
  }

  setCookies(cookies: readonly Cookie[]): void {
    const response = this.#response
    response.setHeader('set-cookie', withCookies(response, response.getHeader('set-cookie'), cookies))
  }

  forbidCaching(): void {
    keepTokensPrivate(this.#response)
  }

  onEnd(listener: () => void): void {
    onResponseEnd(this.#response, listener)
  }
}

/** The part of a response of node:http or node:http2 that tells its end. */
interface EndingResponse {
  readonly req: {
    readonly headers: { readonly upgrade?: string | undefined }
    readonly socket: { once(event: 'close', listener: () => void): unknown }
  }
  readonly closed: boolean
  readonly writableFinished: boolean
  once(event: 'close' | 'finish', listener: () => void): unknown
}

/** Implements `onEnd` for a response of node:http. */
export function onResponseEnd(response: EndingResponse, listener: () => void): void {
  const { req: request } = response
  // The response to such a request is not written with this object, and the connection goes on after it.
  if (request.headers.upgrade?.toLowerCase().includes('websocket') === true) {
    request.socket.once('close', listener)
  } else if (response.closed || response.writableFinished) {
    listener()
  } else {
    response.once('close', listener)
    // Objects that stand for a response in tests may end without `close`.
    response.once('finish', listener)
  }
}

const guarded = createAttachment<true>()

/**
 * Makes this response send `Cache-Control: private, no-store` and keep its cookies, whatever the handler sets or passes
 * to `writeHead` (HDR-01). Otherwise a shared cache could give a user's tokens to other users.
 */
export function keepTokensPrivate(response: ServerResponse): void {
  response.setHeader('cache-control', NEVER_STORED)
  if (guarded.get(response) === true) return
  guarded.set(response, true)
  const writeHead = response.writeHead.bind(response)
  response.writeHead = (
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): ServerResponse => {
    const given = typeof reason === 'string' ? headers : reason ?? headers
    const entries = headerEntries(given)
    for (const [name] of entries) if (name.toLowerCase() !== 'set-cookie') response.removeHeader(name)
    // A flat list, such as the `rawHeaders` that a proxy passes on, may have a name several times.
    for (const [name, value] of entries) response.appendHeader(name, Array.isArray(value) ? value : String(value))
    response.setHeader('cache-control', NEVER_STORED)
    return typeof reason === 'string' ? writeHead(status, reason) : writeHead(status)
  }
}

/** Node takes headers as an object, as a list of pairs, or as a flat list of names and values. */
function headerEntries(
  headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined,
): readonly (readonly [name: string, value: OutgoingHttpHeader])[] {
  if (headers === undefined) return []
  if (!Array.isArray(headers)) {
    return Object.entries(headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
  }
  const entries: (readonly [string, OutgoingHttpHeader])[] = []
  for (let index = 0; index < headers.length;) {
    const item = headers[index++]
    if (Array.isArray(item)) entries.push([String(item[0]), item[1] ?? ''])
    else entries.push([String(item), headers[index++] ?? ''])
  }
  return entries
}
