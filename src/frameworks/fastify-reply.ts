import type { FastifyReply } from 'fastify'
import { NEVER_STORED } from '../transport/caching.ts'
import type { ResponseWriter, StreamedResponse } from '../transport/exchange.ts'
import type { Cookie } from '../transport/set-cookie.ts'
import { keepTokensPrivate, onResponseEnd } from './node-exchange.ts'
import { withCookies } from './response-cookies.ts'

/** Sends a response. */
export function sendFastifyReply(reply: FastifyReply, { status, headers, body }: StreamedResponse): FastifyReply {
  for (const [name, value] of headers) reply.header(name, value)
  return reply.code(status).send(status === 204 || status === 304 ? undefined : body)
}

/** Writes to a reply of Fastify. Fastify keeps the headers apart from the node:http response until it sends them. */
export class FastifyResponseWriter implements ResponseWriter {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get closed(): boolean {
    return this.#reply.sent || this.#reply.raw.headersSent
  }

  get(name: string): string | null {
    const value = this.#reply.getHeader(name)
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  set(name: string, value: string): void {
    this.#reply.header(name, value)
  }

  remove(name: string): void {
    this.#reply.removeHeader(name)
  }

  setCookies(cookies: readonly Cookie[]): void {
    const reply = this.#reply
    const lines = withCookies(reply, reply.getHeader('set-cookie'), cookies)
    // Calling `header` again would append to the lines that are there.
    reply.removeHeader('set-cookie').header('set-cookie', lines)
  }

  forbidCaching(): void {
    this.#reply.header('cache-control', NEVER_STORED)
    keepTokensPrivate(this.#reply.raw)
  }

  onEnd(listener: () => void): void {
    onResponseEnd(this.#reply.raw, listener)
  }
}
