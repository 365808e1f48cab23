// Keyturn on Cloudflare Workers, with D1 and Hono. README.md has the commands.
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { createSessions } from 'keyturn'
import { honoSessions } from 'keyturn/frameworks/hono'
import { createD1Store } from 'keyturn/stores/d1'

// One for the whole isolate: the store keeps the binding, and nothing that belongs to a request.
const sessions = honoSessions(createSessions({
  origin: env.ORIGIN,
  secret: env.SECRET,
  store: createD1Store(env.DB),
}))

const app = new Hono()
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
app.onError(sessions.errorHandler())

// A real application checks a password here.
app.post('/login', async context => {
  const { userId } = await context.req.json<{ userId: string }>()
  const session = await sessions.createNewSession(context, userId)
  return context.json({ userId: session.getUserId() })
})

app.get('/me', sessions.requireSession(), context => context.json({ userId: context.var.session.getUserId() }))

// Asks the database: a session that was revoked anywhere is refused at once.
app.post('/transfer', sessions.requireSession({ blacklisting: 'strict' }), context => context.json({ done: true }))

export default app
