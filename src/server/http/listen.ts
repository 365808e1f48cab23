import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Milliseconds } from '../../base/time.ts'

/** What a client may cost. */
export interface HttpLimits {
  /** All headers together, in bytes: from 1,024 to 1,048,576. Default: 16,384. */
  readonly maxHeaderBytes: number
  /** How many connections at once, from 1 to 1,000,000; more are closed. Default: 4,096. */
  readonly maxConnections: number
  /** How long a client may take to send its headers, in milliseconds: from 1 to 3,600,000. Default: 10,000. */
  readonly headersTimeout: Milliseconds
  /** How long a client may take to send a request, in milliseconds: from 1 to 3,600,000. Default: 20,000. */
  readonly requestTimeout: Milliseconds
  /** How long an idle connection stays open, in milliseconds: from 1 to 3,600,000. Default: 65,000. */
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
