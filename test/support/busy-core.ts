import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startCoreServer } from './core-server.ts'
import { loseAnswers } from './lose-answers.ts'

/** A proxy for a CDI server, which answers refreshes as a busy server does when a test says so. */
export interface BusyCore {
  readonly url: string
  /** How many refresh requests it has received. */
  refreshes(): number
  /** The next refreshes get the response of a busy server (`REFRESH_BUSY`); the CDI server does not receive them. */
  tellBusy(times: number): void
  close(): Promise<void>
}

/** Starts the proxy in front of the server at `url`. */
export async function startBusyCore(url: string): Promise<BusyCore> {
  const other = await startCoreServer({ logLevel: 'silent' })
  const { refreshToken: { token } } = await other.create()
  const refresh = (): Promise<Response> => fetch(`${other.url}/recipe/session/refresh`, {
    method: 'POST',
    body: JSON.stringify({ refreshToken: token, enableAntiCsrf: false, useDynamicSigningKey: true }),
  })
  await loseAnswers(other.clock, refresh)
  let refreshes = 0
  let busy = 0
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/recipe/session/refresh')) {
      refreshes++
      if (busy > 0) {
        busy--
        request.resume()
        void refresh().then(async answer => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
        })
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
    async close() {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await other.server.close()
    },
  }
}
