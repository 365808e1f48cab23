import { once } from 'node:events'
import { createServer, request as httpRequest, ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test, vi } from 'vitest'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import type { WebSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { Session } from '../../src/transport/session.ts'

type Data = Record<string, never>
type App = Sessions<Data, Data> & WebSessions<Data, Data>

/** Reads the signal of a session, and counts the listener that it registers for as long as it is registered. */
function watch(session: Session<Data, Data>, count: { open: number }): AbortSignal {
  const register = session.onRevoked.bind(session)
  session.onRevoked = listener => {
    count.open += 1
    const remove = register(listener)
    let isOpen = true
    return () => {
      remove()
      if (isOpen) count.open -= 1
      isOpen = false
    }
  }
  return session.signal
}

/** An application on web requests, and the headers of a request with a session. */
async function start(): Promise<{ readonly app: App; readonly headers: Record<string, string> }> {
  const app = webSessions(createSessions<Data, Data>({ origin: 'http://localhost', store: createMemoryStore() }))
  onTestFinished(() => app.close())
  app.sessionRoutes()
  const sink = new Headers()
  await app.createNewSession(new Request('http://localhost/', { method: 'POST' }), sink, 'alice')
  return { app, headers: { cookie: sink.getSetCookie().map(line => line.split(';')[0]).join('; ') } }
}

test(
  'L-32: 100,000 requests that read session.signal leave no listener and no memory behind',
  { timeout: 600_000 },
  async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const { app, headers } = await start()
    const count = { open: 0 }
    const serve = app.requireSession((_, session) => {
      watch(session, count)
      return new Response('{}')
    })
    const serveMany = async (many: number): Promise<number> => {
      for (let served = 0; served < many; served++) {await (await serve(new Request('http://localhost/', { headers })))
          .text()}
      expect(count.open).toBe(0)
      collect()
      return process.memoryUsage().heapUsed
    }
    const before = await serveMany(5_000)
    const after = await serveMany(100_000)
    // One listener with its session and request takes a kilobyte or more: 100 MB in all.
    expect(after - before).toBeLessThan(10_000_000)
  },
)

test('L-32: the signal works until the stream of the response has ended, or was cancelled', async () => {
  const { app, headers } = await start()
  const count = { open: 0 }
  const signals: AbortSignal[] = []
  const serve = app.requireSession((_, session) => {
    signals.push(watch(session, count))
    return new Response(new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('begin'))
        signals.at(-1)?.addEventListener('abort', () => controller.close())
      },
    }))
  })
  const [ended, cancelled] = [await serve(new Request('http://localhost/', { headers })),
    await serve(new Request('http://localhost/', { headers }))]
  expect(count.open).toBe(2)
  await cancelled.body?.cancel()
  expect(count.open).toBe(1)
  await app.revokeAllSessionsForUser('alice')
  expect(await ended.text()).toBe('begin')
  expect(count.open).toBe(0)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
})

test('L-32: the signal of a WebSocket handshake works after its response, until the connection is closed', async () => {
  const { app, headers } = await start()
  const count = { open: 0 }
  const serve = app.requireSession((_, session) => {
    watch(session, count)
    return new Response(null)
  })
  const connection = new AbortController()
  await serve(new Request('http://localhost/', {
    headers: { ...headers, upgrade: 'websocket', origin: 'http://localhost' }, signal: connection.signal,
  }))
  expect(count.open).toBe(1)
  connection.abort()
  expect(count.open).toBe(0)
})

test('L-32: if a handler fails after it has read the signal, its listener is removed', async () => {
  const { app, headers } = await start()
  const count = { open: 0 }
  const serve = app.requireSession((_, session) => {
    watch(session, count)
    throw new Error('the application failed')
  })
  await expect(serve(new Request('http://localhost/', { headers }))).rejects.toThrow('the application failed')
  expect(count.open).toBe(0)
})

test('L-32: on node:http, the signal works until the client has the response or is gone, or the socket is closed', async () => {
  const { app, headers } = await start()
  const sessions = nodeSessions(app)
  const count = { open: 0 }
  const find = async (request: IncomingMessage, response: ServerResponse): Promise<AbortSignal> => (
    watch(await sessions.getSession(request, response), count)
  )
  const aborted: string[] = []
  const server = createServer((request, response) => void find(request, response).then(signal => {
    signal.addEventListener('abort', () => aborted.push(request.url ?? ''))
    if (request.url === '/short') response.end('done')
    else response.write('begin')
  }))
  // As libraries do that let the application's handlers answer a handshake.
  server.on('upgrade', (request, socket) => void find(request, new ServerResponse(request)).then(signal => {
    signal.addEventListener('abort', () => aborted.push('socket'))
    socket.resume().on('error', () => undefined).on('end', () => socket.end()).write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    )
  }))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const call = (path: string, more: Record<string, string> = {}): ReturnType<typeof httpRequest> => (
    httpRequest({ port, host: '127.0.0.1', path, headers: { ...headers, ...more } }).on('error', () => undefined).end()
  )
  const [short] = await once(call('/short'), 'response') as [IncomingMessage]
  short.resume()
  await vi.waitFor(() => expect(count.open).toBe(0))
  const streams = [call('/gone'), call('/open')]
  for (const stream of streams) await once(stream, 'response')
  const upgrading = call('/socket', { connection: 'upgrade', upgrade: 'websocket', origin: 'http://localhost' })
  const [, socket] = await once(upgrading, 'upgrade') as [IncomingMessage, Socket]
  expect(count.open).toBe(3)
  streams[0]?.destroy()
  await vi.waitFor(() => expect(count.open).toBe(2))
  await app.revokeAllSessionsForUser('alice')
  await vi.waitFor(() => expect(aborted.sort()).toEqual(['/open', 'socket']))
  socket.destroy()
  streams[1]?.destroy()
  await vi.waitFor(() => expect(count.open).toBe(0))
})
