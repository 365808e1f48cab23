// Keyturn in Bun, with Bun's own SQLite. README.md has the commands.
import { Database } from 'bun:sqlite'
import { createSessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { createSqliteStore } from 'keyturn/stores/sqlite'

const { PORT = '3000', ORIGIN = `http://localhost:${PORT}` } = process.env
const sessions = webSessions(createSessions({
  origin: ORIGIN,
  // Two connections: refreshes need not wait for the disk as logins do.
  store: createSqliteStore(new Database('sessions.db'), { fast: new Database('sessions.db') }),
}))

const routes = sessions.sessionRoutes()

Bun.serve({
  port: Number(PORT),
  hostname: '127.0.0.1',
  routes: {
    // A real application checks a password here.
    '/login': {
      POST: sessions.handler(async (request, headers) => {
        const { userId } = await request.json()
        const session = await sessions.createNewSession(request, headers, userId)
        return Response.json({ userId: session.getUserId() })
      }),
    },
    '/me': sessions.requireSession(async (request, session) => Response.json({ userId: session.getUserId() })),
  },
  // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
  fetch: async request => await routes(request) ?? new Response(null, { status: 404 }),
})
console.log(`http://localhost:${PORT}`)
