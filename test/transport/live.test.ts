import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { UnauthorizedError } from '../../src/base/errors.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { ORIGIN, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const signals: AbortSignal[] = []

/** A server with an event stream that ends with its session. */
function startLiveServer(store = createMemoryStore()): Promise<SessionServer> {
  return startSessionServer({
    store,
    routes: sessions => ({
      'GET /events': async (request, response) => {
        const session = await sessions.getSession(request, response)
        signals.push(session.signal)
        response.on('close', session.onRevoked(() => response.end('end')))
        response.write('begin,')
      },
    }),
  })
}

async function login(server: SessionServer): Promise<{ readonly token: string; readonly handle: string }> {
  const reply = await server.client().send('POST', '/login', { headers: { 'st-auth-mode': 'header' }, body: {} })
  return { token: reply.headers['st-access-token'] ?? '', handle: JSON.parse(reply.body).handle }
}

async function open(server: SessionServer, token: string): Promise<IncomingMessage> {
  const call = httpRequest({ port: server.port, path: '/events', headers: { authorization: `Bearer ${token}` } }).end()
  const [response] = await once(call, 'response') as [IncomingMessage]
  return response
}

test('an event stream ends when its session is revoked by any process; that of another session continues', async () => {
  const store = createMemoryStore()
  const server = await startLiveServer(store)
  const elsewhere = createSessions({ origin: ORIGIN, store, clock: server.clock, schedule: () => () => undefined })
  const [first, other] = [await login(server), await login(server)]
  const [stream, second] = [await open(server, first.token), await open(server, other.token)]
  const [signal, otherSignal] = signals.slice(-2)
  await elsewhere.revokeSession(first.handle)
  expect(await text(stream)).toBe('begin,end')
  expect(signal?.aborted).toBe(true)
  expect(signal?.reason).toBeInstanceOf(UnauthorizedError)
  expect(otherSignal?.aborted).toBe(false)
  await server.sessions.revokeAllSessionsForUser('alice')
  expect(await text(second)).toBe('begin,end')
  await server.close()
})

test('an event stream continues when the access token expires', async () => {
  const server = await startLiveServer()
  const { token, handle } = await login(server)
  const stream = await open(server, token)
  server.clock.advance(2 * 3_600_000)
  expect((await server.client().send('GET', '/me', { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  expect(signals.at(-1)?.aborted).toBe(false)
  await server.sessions.revokeSession(handle)
  expect(await text(stream)).toBe('begin,end')
  await server.close()
})
