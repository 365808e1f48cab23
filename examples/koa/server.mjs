// Keyturn with Koa. Sessions live in the SQLite file keyturn.db: node examples/koa/server.mjs
import { json } from 'node:stream/consumers'
import Koa from 'koa'
import { createSessions } from 'keyturn'
import { koaSessions } from 'keyturn/frameworks/koa'

const { PORT = '3000' } = process.env
const sessions = koaSessions(createSessions({ origin: `http://localhost:${PORT}` }))

const app = new Koa()
app.use(sessions.errorHandler())
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json

// A real application checks a password here.
app.use(async (context, next) => {
  if (`${context.method} ${context.path}` !== 'POST /login') return next()
  const { userId } = await json(context.req)
  const session = await sessions.createNewSession(context, userId)
  context.body = { userId: session.getUserId() }
})

app.use(sessions.requireSession()) // everything below needs a session
app.use(context => {
  if (context.path === '/me') context.body = { userId: sessions.sessionOf(context).getUserId() }
})

app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://localhost:${PORT}`))
