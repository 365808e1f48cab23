// Keyturn with web requests, without a framework: bun examples/web/server.mjs, or deno run -A examples/web/server.mjs.
// Sessions live in memory here; a real application names a store.
import { createSessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { createMemoryStore } from 'keyturn/stores/memory'

const PORT = Number(globalThis.process?.env.PORT ?? 3000)
const sessions = webSessions(createSessions({ origin: `http://localhost:${PORT}`, store: createMemoryStore() }))

const routes = {
  // A real application checks a password here.
  'POST /login': sessions.handler(async (request, headers) => {
    const { userId } = await request.json()
    const session = await sessions.createNewSession(request, headers, userId)
    return Response.json({ userId: session.getUserId() })
  }),
  'GET /me': sessions.requireSession((_, session) => Response.json({ userId: session.getUserId() })),
}

const answerOwn = sessions.sessionRoutes() // refresh, sign-out, key set

async function handle(request) {
  const own = await answerOwn(request)
  if (own !== null) return own
  const route = routes[`${request.method} ${new URL(request.url).pathname}`]
  return route === undefined ? new Response(null, { status: 404 }) : route(request)
}

const where = { port: PORT, hostname: '127.0.0.1' }
const print = () => console.log(`http://localhost:${PORT}`)
if (globalThis.Deno !== undefined) {
  globalThis.Deno.serve({ ...where, onListen: print }, handle)
} else {
  globalThis.Bun.serve({ ...where, fetch: handle })
  print()
}
