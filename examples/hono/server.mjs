// Keyturn with Hono on Node. Sessions live in the SQLite file keyturn.db: node examples/hono/server.mjs
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createSessions } from 'keyturn'
import { honoSessions } from 'keyturn/frameworks/hono'

const { PORT = '3000' } = process.env
const sessions = honoSessions(createSessions({ origin: `http://localhost:${PORT}` }))

const app = new Hono()
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
app.onError(sessions.errorHandler())

// A real application checks a password here.
app.post('/login', async context => {
  const { userId } = await context.req.json()
  const session = await sessions.createNewSession(context, userId)
  return context.json({ userId: session.getUserId() })
})

app.get('/me', sessions.requireSession(), context => context.json({ userId: context.var.session.getUserId() }))

serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' }, () => console.log(`http://localhost:${PORT}`))
