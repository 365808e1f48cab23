// Keyturn with h3; Nitro is built on h3. Sessions live in the SQLite file keyturn.db: node examples/h3/server.mjs
import { H3, serve } from 'h3'
import { createSessions } from 'keyturn'
import { h3Sessions } from 'keyturn/frameworks/h3'

const { PORT = '3000' } = process.env
const sessions = h3Sessions(createSessions({ origin: `http://localhost:${PORT}` }))

const app = new H3()
app.use(sessions.errorHandler())
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json

// A real application checks a password here.
app.post('/login', async event => {
  const { userId } = await event.req.json()
  const session = await sessions.createNewSession(event, userId)
  return { userId: session.getUserId() }
})

app.get('/me', sessions.requireSession((_, session) => ({ userId: session.getUserId() })))

await serve(app, { port: Number(PORT), hostname: '127.0.0.1', silent: true }).ready()
console.log(`http://localhost:${PORT}`)
