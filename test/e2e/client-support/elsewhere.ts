import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { freePort } from '../../support/servers/workspace.ts'

/** A hostile server of another origin. CORS allows any page to call it with any headers, so it could collect tokens. */
export interface Elsewhere {
  readonly origin: string
  /** The requests so far, without preflights. */
  readonly seen: IncomingMessage[]
  close(): Promise<void>
}

/** Starts the server. It answers every request as if the session had ended. */
export async function startElsewhere(): Promise<Elsewhere> {
  const port = await freePort()
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*')
    response.setHeader('access-control-allow-credentials', 'true')
    response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '')
    response.setHeader('access-control-expose-headers', 'front-token')
    if (request.method === 'OPTIONS') return response.end()
    seen.push(request)
    return response.writeHead(401, { 'front-token': 'remove' }).end('{"message":"unauthorised"}')
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
