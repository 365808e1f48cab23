import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendStream } from '../../base/send-stream.ts'
import { createClientInfo } from '../../session/client-info.ts'
import type { ClientInfo } from '../../session/record.ts'
import { NoResponse } from '../../transport/exchange.ts'
import type { StreamedResponse, HttpRequest } from '../../transport/exchange.ts'
import { serializeCookie } from '../../transport/set-cookie.ts'
import type { Cookie } from '../../transport/set-cookie.ts'
import type { Reply } from '../http/reply.ts'

/** A request to the console. */
export class ServerRequest implements HttpRequest {
  readonly identity: object
  readonly path: string
  readonly query: string
  readonly #message: IncomingMessage

  /** `path`: the whole path, with the server's base path. */
  constructor(message: IncomingMessage, path: string, query: URLSearchParams) {
    this.identity = message
    this.path = path
    this.query = query.size === 0 ? '' : `?${query}`
    this.#message = message
  }

  get method(): string {
    return this.#message.method ?? 'GET'
  }

  get client(): ClientInfo {
    return createClientInfo(this.#message.socket.remoteAddress ?? null, this.header('user-agent'))
  }

  header(name: string): string | null {
    const value = this.#message.headers[name]
    return typeof value === 'string' ? value : value?.join(', ') ?? null
  }
}

/** Writes the cookies of a console session into a response. Its other headers are those of the console's answer. */
export class ConsoleCookies extends NoResponse {
  override readonly closed: boolean = false
  readonly #cookies: Cookie[] = []

  override setCookies(cookies: readonly Cookie[] = []): void {
    this.#cookies.push(...cookies)
  }

  /** The `Set-Cookie` headers. Of several cookies of one name, the last counts. */
  lines(): readonly string[] {
    return [...new Map(this.#cookies.map(cookie => [`${cookie.name} ${cookie.path}`, cookie])).values()].map(
      serializeCookie,
    )
  }
}

/** The reply for an answer of the console; null if it is a stream, which is being written then. */
export function toReply(answer: StreamedResponse, cookies: ConsoleCookies, response: ServerResponse): Reply | null {
  const { status, headers, body } = answer
  const lines = cookies.lines()
  if (lines.length > 0) response.setHeader('set-cookie', [...lines])
  if (typeof body === 'string') return { status, headers: Object.fromEntries(headers), body }
  response.writeHead(status, Object.fromEntries(headers))
  void sendStream(body, response)
  return null
}
