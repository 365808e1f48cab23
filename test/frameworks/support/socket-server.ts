import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nodeSessions } from '../../../src/frameworks/node.ts'
import { createSessions } from '../../../src/index.ts'
import type { Sessions, CreateSessionsOptions } from '../../../src/index.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { HttpClient } from '../../support/http-client.ts'
import type { Claims, CutStore, Info, TestClock } from '../../support/session-server.ts'
import { createCutStore, createTestClock, ORIGIN, SAME_ORIGIN } from '../../support/session-server.ts'

/** Real timers that do not keep the process alive. */
export function schedule(task: () => void, delay: number): () => void {
  const timer = setTimeout(task, delay).unref()
  return () => clearTimeout(timer)
}

/** A server for sockets; every HTTP request to it logs in. */
export interface SocketServer {
  readonly server: Server
  readonly sessions: ReturnType<typeof createSocketSessions>
  readonly clock: TestClock
  readonly cut: CutStore
  /** Sessions on the same store, as of another process. Its store calls never fail. */
  readonly elsewhere: Sessions<Claims, Info>
  readonly port: number
  /** Logs in and returns what the client sends from then on: a `Cookie` header or an access token. */
  login(mode: 'cookie' | 'header'): Promise<{ readonly credentials: string; readonly handle: string }>
  close(): Promise<void>
}

function createSocketSessions(options: CreateSessionsOptions<Claims, Info>) {
  return nodeSessions(createSessions<Claims, Info>(options))
}

/** Starts the server. `attach` adds the sockets before it listens. */
export async function startSocketServer(
  attach: (server: Server, sessions: ReturnType<typeof createSocketSessions>) => void,
  options: Partial<CreateSessionsOptions<Claims, Info>> = {},
): Promise<SocketServer> {
  const clock = createTestClock()
  const store = createMemoryStore()
  const cut = createCutStore(store)
  const common = { origin: ORIGIN, clock, schedule: () => () => undefined, maxStaleness: 3600, ...options }
  const sessions = createSocketSessions({ ...common, store: cut.store })
  const elsewhere = createSessions<Claims, Info>({ ...common, store })
  const server = createServer((request, response) => void (async () => {
    const session = await sessions.createNewSession(request, response, 'alice', { role: 'reader' })
    response.end(session.getHandle())
  })())
  attach(server, sessions)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    server, sessions, clock, cut, elsewhere, port,
    async login(mode) {
      const client = new HttpClient(port, ORIGIN, clock)
      const reply = await client.send('POST', '/login', { headers: { ...SAME_ORIGIN, 'st-auth-mode': mode } })
      const credentials = mode === 'header'
        ? reply.headers['st-access-token'] ?? ''
        : client.jar.filter(({ path }) => path === '/').map(({ name, value }) => `${name}=${value}`).join('; ')
      return { credentials, handle: reply.body }
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      cut.down = false
      await sessions.close()
      await elsewhere.close()
    },
  }
}
