import { Agent, createServer, request as forward } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A reverse proxy that repeats a request until a server answers it, as load balancers can. */
export interface RetryingProxy {
  readonly url: string
  /** How many times a request was sent again. */
  readonly retries: number
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

const PAUSE = 20
/** How long one request is repeated, in milliseconds. */
const LIMIT = 60_000

/** Starts a proxy before a port. It repeats requests that got no answer, or 502, 503 or 504. */
export async function startRetryingProxy(target: number): Promise<RetryingProxy> {
  const agent = new Agent({ keepAlive: true })
  let retries = 0

  function once(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      forward({ port: target, host: '127.0.0.1', method, path, headers, agent }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end',
          () => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }))
        response.on('error', reject)
      }).on('error', reject).end(body)
    })
  }

  async function persist(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    const until = performance.now() + LIMIT
    for (;;) {
      const answer = await once(method, path, headers, body).catch(() => null)
      if (answer !== null && ![502, 503, 504].includes(answer.status)) return answer
      if (performance.now() > until) return answer ?? { status: 502, headers: {}, body: Buffer.from('no answer') }
      retries += 1
      await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  }

  // Clients wait on open connections while a server starts: none of them is closed meanwhile.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void persist(
      request.method ?? 'GET', request.url ?? '/', request.headers, Buffer.concat(chunks),
    ).then(({ status, headers: { connection: _, ...headers }, body }) => response.writeHead(status, headers).end(body)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get retries() {
      return retries
    },
    async close() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
