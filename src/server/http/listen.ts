import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
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

/** Handles a request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** A listening socket. */
export interface Listener {
  /** `http://host:port`. */
  readonly url: string
  readonly port: number
  /** Begins to handle requests. Those that have arrived before wait for it. */
  serve(handle: RequestHandler): void
  /** Takes no new connections, waits up to `limit` for the requests in progress, then closes all connections. */
  close(limit: Milliseconds): Promise<void>
}

/** Listens on an address. @throws the system's error if that fails, such as `EADDRINUSE`. */
export async function listen(host: string, port: number, limits: HttpLimits): Promise<Listener> {
  const { maxHeaderBytes: maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout } = limits
  const server = createServer({
    maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 1000,
    noDelay: true,
  })
  let begin: (handle: RequestHandler) => void = () => {}
  const began = new Promise<RequestHandler>(resolve => {
    begin = resolve
  })
  const early: RequestHandler = (request, response) => void began.then(handle => handle(request, response))
  server.on('request', early)
  server.maxConnections = limits.maxConnections
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  const boundPort = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: urlOf(host, boundPort),
    port: boundPort,
    serve(handle) {
      server.off('request', early)
      server.on('request', handle)
      begin(handle)
    },
    async close(limit) {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), limit)
      await closed
      clearTimeout(timer)
    },
  }
}

/** The URL of an address. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
