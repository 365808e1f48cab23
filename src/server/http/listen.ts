import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Milliseconds } from '../../base/time.ts'

/** The limits on what a client may use. */
export interface HttpLimits {
  /** The longest headers of a request, all together, in bytes: from 1,024 to 1,048,576. Default: 16,384. */
  readonly maxHeaderBytes: number
  /** The most open connections, from 1 to 1,000,000. Further ones are closed at once. Default: 4,096. */
  readonly maxConnections: number
  /** How long a client may take to send its headers, in milliseconds: from 1 to 3,600,000. Default: 10,000. */
  readonly headersTimeout: Milliseconds
  /** How long a client may take to send a request, in milliseconds: from 1 to 3,600,000. Default: 20,000. */
  readonly requestTimeout: Milliseconds
  /** How long an idle connection stays open, in milliseconds: from 1 to 3,600,000. Default: 65,000. */
  readonly keepAliveTimeout: Milliseconds
}

/** The default limits (DOS-09). */
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
  /** Takes no new connections, waits up to `limit` for the requests in progress, then closes all connections. */
  close(limit: Milliseconds): Promise<void>
}

/** Listens on an address. @throws the system's error if that fails, such as `EADDRINUSE`. */
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
    async close(limit) {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), limit)
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
