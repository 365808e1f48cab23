import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Milliseconds } from '../../base/time.ts'

/** What a client may cost. */
export interface HttpLimits {
  /** Bytes of all headers together. */
  readonly maxHeaderBytes: number
  /** How many connections at once; more are closed. */
  readonly maxConnections: number
  /** How long a client may take to send its headers. */
  readonly headersTimeout: Milliseconds
  /** How long a client may take to send a whole request. */
  readonly requestTimeout: Milliseconds
  /** How long a connection stays open for the next request. */
  readonly keepAliveTimeout: Milliseconds
}

/** The limits that every server has unless told otherwise (DOS-09). */
export const httpLimits: HttpLimits = {
  maxHeaderBytes: 16_384,
  maxConnections: 4096,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
}

/** A listening socket. */
export interface Listener {
  /** `http://host:port`. */
  readonly url: string
  /** Takes no new connection, lets what is under way end within `patience`, then closes what is left. */
  close(patience: Milliseconds): Promise<void>
}

/** Listens. @throws the system's error if the address can not be had. */
export async function listen(
  host: string,
  port: number,
  limits: HttpLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const { maxHeaderBytes: maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout } = limits
  const server = createServer({
    maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 1000,
    noDelay: true,
  }, handle)
  server.maxConnections = limits.maxConnections
  server.listen(port, host)
  await once(server, 'listening')
  return {
    url: urlOf(server, host),
    async close(patience) {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), patience)
      await closed
      clearTimeout(timer)
    },
  }
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
