// Keyturn with Express on an embedded SQLite file: all features of a session in one short file.
import { fileURLToPath } from 'node:url'
import express from 'express'
import { createSessions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import { openSqliteStore } from 'keyturn/stores/sqlite'

const { PORT = '3000', ACCESS_TOKEN_VALIDITY = '60', ANTI_CSRF = 'origin', ALLOWED_ORIGIN, DATABASE = 'example.db' } = process.env
const origin = `http://localhost:${PORT}`

const sessions = expressSessions(createSessions({
  origin,
  trustedOrigins: [`http://127.0.0.1:${PORT}`, ...(ALLOWED_ORIGIN ? [ALLOWED_ORIGIN] : [])],
  store: openSqliteStore(DATABASE),
  accessTokenLifetime: Number(ACCESS_TOKEN_VALIDITY),
  antiCsrf: ANTI_CSRF,
  events: {
    onTokenTheft: theft => console.log(`theft caught: session ${theft.handle} of ${theft.userId}`),
  },
}))

const app = express()
app.use(sessions.cors())
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))
app.use('/keyturn', express.static(fileURLToPath(new URL('.', import.meta.resolve('keyturn'))))) // the page's client
app.use(express.json())
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json

// A real application checks a password here.
app.post('/login', async (request, response) => {
  const { userId, brief } = request.body ?? {}
  if (typeof userId !== 'string' || userId === '' || userId.length > 64) {
    response.status(400).json({ message: 'userId must be a name of 1 to 64 characters' })
    return
  }
  // To demonstrate a theft, the page asks for a brief session: its reuse interval is a fifth of its access token
  // lifetime, 1 second.
  const options = brief === true ? { accessTokenLifetime: 5 } : {}
  const session = await sessions.createNewSession(request, response, userId, { role: 'reader' }, { note: '' }, options)
  response.json(describe(session))
})

// A protected route, in the explicit style: no database call.
app.get('/me', async (request, response) => {
  const session = await sessions.getSession(request, response)
  response.json(describe(session))
})

// A protected route, in the middleware style.
app.post('/payload', sessions.requireSession(), async (request, response) => {
  const session = sessions.sessionOf(request)
  await session.updateJwtPayload(objectIn(request.body))
  response.json(describe(session))
})

app.route('/info')
  .get(async (request, response) => {
    const session = await sessions.getSession(request, response)
    response.json(await session.getSessionInfo())
  })
  .put(async (request, response) => {
    const session = await sessions.getSession(request, response)
    await session.updateSessionInfo(objectIn(request.body))
    response.json(await session.getSessionInfo())
  })

app.get('/devices', async (request, response) => {
  const session = await sessions.getSession(request, response)
  const { sessions: devices } = await sessions.listSessions(session.getUserId())
  response.json(devices.map(device => ({ ...device, current: device.handle === session.getHandle() })))
})

app.delete('/devices/:handle', async (request, response) => {
  const session = await sessions.getSession(request, response)
  const { handle } = request.params
  const own = await sessions.getAllSessionHandlesForUser(session.getUserId())
  if (handle === session.getHandle()) await session.revokeSession()
  else if (own.includes(handle)) await sessions.revokeSession(handle)
  else {
    response.status(404).json({ message: 'you have no such device' })
    return
  }
  response.json({ revoked: handle })
})

app.use(sessions.errorHandler()) // 401, 403 and 503 as front-end SDKs expect them

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`Keyturn example: ${origin}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => void sessions.close())
    server.closeAllConnections()
  })
}

function describe(session) {
  return {
    userId: session.getUserId(),
    handle: session.getHandle(),
    jwtPayload: session.getJwtPayload(),
    timeCreated: session.getTimeCreated(),
    expiry: session.getExpiry(),
  }
}

function objectIn(body) {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}
}
