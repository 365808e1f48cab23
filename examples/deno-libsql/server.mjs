// Keyturn in Deno, with libSQL (Turso), or with a file of this machine. README.md has the commands.
import { createClient } from '@libsql/client/web'
import { createSessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { createLibsqlStore } from 'keyturn/stores/libsql'
import { openSqliteStore } from 'keyturn/stores/sqlite'

const port = Number(Deno.env.get('PORT') ?? '3000')
const url = Deno.env.get('TURSO_URL')
const sessions = webSessions(createSessions({
  origin: Deno.env.get('ORIGIN') ?? `http://localhost:${port}`,
  secret: Deno.env.get('SECRET'),
  store: url === undefined ? openSqliteStore('sessions.db') : createTursoStore(url),
}))

function createTursoStore(url) {
  // By default, the client sends only 20 calls at a time, and calls that hang stop all others.
  const client = createClient({ url, authToken: Deno.env.get('TURSO_TOKEN'), concurrency: Infinity })
  return createLibsqlStore(client, { migrate: 'auto' })
}

const routes = sessions.sessionRoutes()
const pages = {
  // A real application checks a password here.
  'POST /login': sessions.handler(async (request, headers) => {
    const { userId } = await request.json()
    const session = await sessions.createNewSession(request, headers, userId)
    return Response.json({ userId: session.getUserId() })
  }),
  'GET /me': sessions.requireSession(async (request, session) => Response.json({ userId: session.getUserId() })),
}

Deno.serve({ port, hostname: '127.0.0.1', onListen: () => console.log(`http://localhost:${port}`) }, async request => {
  const page = pages[`${request.method} ${new URL(request.url).pathname}`]
  return await routes(request) ?? await page?.(request) ?? new Response(null, { status: 404 })
})
