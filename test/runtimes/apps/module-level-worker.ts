import { Hono } from 'hono'
import { honoSessions } from '../../../src/frameworks/hono.ts'
import { webSessions } from '../../../src/frameworks/web.ts'
import { createSessions } from '../../../src/index.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { createMysqlStore } from '../../../src/stores/mysql.ts'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import { createVerifier } from '../../../src/verify.ts'

// Everything is created as the module loads, where Workers allow no randomness, no timers and no connections, and where
// the time stands still. The drivers only say that they were reached.

/** What `new WebSocketPair()` and the responses of Workers have, beyond web standards. */
interface WorkerSockets {
  readonly WebSocketPair: new () => { readonly 0: object; readonly 1: { accept(): void; send(text: string): void } }
}

const reached = (what: string) => async (): Promise<never> => {
  throw new Error(`reached ${what}`)
}
const stores = {
  memory: createMemoryStore(),
  postgres: createPostgresStore({ connect: reached('postgres') }),
  mysql: createMysqlStore({ getConnection: reached('mysql') }),
}

const origin = 'https://app.example.com'
const bare = createSessions({ origin, store: stores.memory })
const sessions = webSessions(bare)
const onHono = honoSessions(bare)
const others = Object.values(stores).map(store => createSessions({ origin, store }))
const verifier = createVerifier({ issuer: `${origin}/auth` })

/** Accepts a WebSocket, sends the user's name through it, and closes nothing. */
function greet(userId: string): Response {
  const { WebSocketPair }: WorkerSockets = globalThis as never
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  server.send(`hello ${userId}`)
  const init = { status: 101, webSocket: client, headers: { 'x-app': 'own' } }
  return new Response(null, init)
}

const guarded = sessions.requireSession(async (_, session) => {
  await session.updateJwtPayload({ seen: true })
  return greet(session.getUserId())
})

const hono = new Hono()
  .onError(onHono.errorHandler())
  .use(onHono.sessionRoutes())
  .get('/hono', onHono.requireSession(), async context => {
    await context.var.session.updateJwtPayload({ seen: true })
    return greet(context.var.session.getUserId())
  })

const routes: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
  '/login': sessions.handler(async (request, headers) => {
    await sessions.createNewSession(request, headers, 'alice')
    return new Response('', { headers })
  }),
  '/web': guarded,
  '/hono': request => hono.fetch(request),
  '/stores': async () => {
    const said = await Promise.all(Object.entries(stores).map(async ([name, store]) => (
      store.listKeys().then(() => name, (error: unknown) => `${name}: ${explain(error)}`)
    )))
    const reading = await verifier.verify('a.b.c').catch(explain)
    return Response.json({ said, reading, others: others.length })
  },
}

/** The messages of an error and of what caused it. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}, ${explain(error.cause)}`
}

const worker: { fetch(request: Request): Response | Promise<Response> } = {
  fetch: request => routes[new URL(request.url).pathname]?.(request) ?? new Response(null, { status: 404 }),
}

export default worker
