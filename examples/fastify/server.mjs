// Keyturn with Fastify. Sessions live in the SQLite file keyturn.db: node examples/fastify/server.mjs
import fastify from 'fastify'
import { createSessions } from 'keyturn'
import { fastifySessions } from 'keyturn/frameworks/fastify'

const { PORT = '3000' } = process.env
const sessions = fastifySessions(createSessions({ origin: `http://localhost:${PORT}` }))

const app = fastify()
app.register(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
app.setErrorHandler(sessions.errorHandler())

// A real application checks a password here.
app.post('/login', async (request, reply) => {
  const session = await sessions.createNewSession(request, reply, request.body.userId)
  return { userId: session.getUserId() }
})

app.get('/me', sessions.requireSession((request, reply, session) => ({ userId: session.getUserId() })))

await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`http://localhost:${PORT}`)
