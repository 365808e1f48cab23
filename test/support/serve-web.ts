import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

/** A server that a test started. */
export interface RunningApp {
  readonly port: number
  close(): Promise<void>
}

/** Serves a web handler on Node. */
export async function serveWeb(handle: (request: Request) => Response | Promise<Response>): Promise<RunningApp> {
  const server = createServer((incoming, outgoing) => void (async () => {
    try {
      const response = await handle(toRequest(incoming))
      outgoing.statusCode = response.status
      for (const [name, value] of response.headers) outgoing.appendHeader(name, value)
      outgoing.flushHeaders()
      for await (const piece of response.body ?? []) outgoing.write(piece)
    } catch {
      outgoing.statusCode = 500
    }
    outgoing.end()
  })())
  return listen(server)
}

function toRequest(incoming: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value))
  const { method = 'GET' } = incoming
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(new URL(incoming.url ?? '/', 'http://127.0.0.1'), {
    method, headers, ...hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {},
  })
}

/** Listens on a free port of the loopback interface. */
export async function listen(server: {
  listen(port: number, host: string, listening: () => void): unknown
  address(): AddressInfo | string | null
  close(closed: () => void): unknown
}): Promise<RunningApp> {
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    port: address.port,
    close: () => new Promise<void>(resolve => {
      server.close(resolve)
    }),
  }
}
