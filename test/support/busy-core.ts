import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands in front of a server of the core protocol, and answers refreshes in its place when a test says so. */
export interface BusyCore {
  readonly url: string
  /** How many refreshes were asked for so far. */
  refreshes(): number
  /** The next refreshes are told to wait (`REFRESH_BUSY`); the server does not see them. */
  tellBusy(times: number): void
  close(): Promise<void>
}

/** Starts it in front of the server at `url`. */
export async function startBusyCore(url: string): Promise<BusyCore> {
  let refreshes = 0
  let busy = 0
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/recipe/session/refresh')) {
      refreshes++
      if (busy > 0) {
        busy--
        request.resume()
        response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' })
        response.end('the session is being refreshed; try again in 1 second\n')
        return
      }
    }
    const { method, headers } = request
    const onward = send(new URL(request.url ?? '/', url), { method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refreshes: () => refreshes,
    tellBusy(times) {
      busy = times
    },
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
