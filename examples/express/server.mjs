// Keyturn with Express on an embedded SQLite file: all features of a session in one short file. page.mjs serves the
// page. demonstration.mjs plays a thief and breaks things on request; an application has neither.
import Bowser from 'bowser'
import express from 'express'
import { createSessions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import { openSqliteStore } from 'keyturn/stores/sqlite'
import { createDemonstration } from './demonstration.mjs'
import { answerUnknown, answerWithReason, servePage } from './page.mjs'

const { PORT = '3000', DATABASE = 'example.db', ACCESS_TOKEN_VALIDITY = '30' } = process.env
const { ANTI_CSRF = 'origin', ALLOWED_ORIGIN } = process.env
const origin = `http://localhost:${PORT}`
// Both are short, so that a visitor sees a refresh and a theft within seconds. The defaults are 1 hour and 30 seconds.
const accessTokenLifetime = Number(ACCESS_TOKEN_VALIDITY)
const reuseInterval = accessTokenLifetime / 10
const demonstration = createDemonstration({ origin, accessTokenLifetime, reuseInterval })

const sessions = expressSessions(createSessions({
  origin,
  trustedOrigins: [`http://127.0.0.1:${PORT}`, ...(ALLOWED_ORIGIN ? [ALLOWED_ORIGIN] : [])],
  store: demonstration.stoppable(openSqliteStore(DATABASE)),
  accessTokenLifetime,
  reuseInterval,
  antiCsrf: ANTI_CSRF,
  events: {
    onTokenTheft: theft => {
      console.log(`theft caught: session ${theft.handle} of ${theft.userId}`)
      demonstration.noteTheft(theft)
    },
    onBackgroundError: ({ during, error }) => console.log(`${during} failed, and is tried again: ${error.message}`),
  },
}), { onError: error => console.log(`answered with an error: ${error.message}`) })

const app = express()
app.disable('x-powered-by')
app.use(sessions.cors())
app.use(servePage())
app.use(demonstration.interfere)
app.use(express.json())
app.use(sessions.sessionRoutes()) // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
app.use(demonstration.routes(sessions))

// A real application checks a password here.
app.post('/login', async (request, response) => {
  const { userId } = request.body ?? {}
  if (typeof userId !== 'string' || userId.trim() === '' || userId.length > 200) {
    response.status(400).json({ message: 'userId must be a name of 1 to 200 characters' })
    return
  }
  const session = await sessions.createNewSession(request, response, userId, { role: 'reader' }, { note: '' })
  response.json(session)
})

// A protected route, in the explicit style: no database call.
app.get('/me', async (request, response) => {
  const session = await sessions.getSession(request, response)
  response.json(session)
})

// A protected route, in the middleware style.
app.post('/payload', sessions.requireSession(), async (request, response) => {
  const session = sessions.sessionOf(request)
  await session.updateJwtPayload(request.body)
  response.json(session)
})

app.route('/info')
  .get(async (request, response) => {
    const session = await sessions.getSession(request, response)
    response.json(await session.getSessionInfo())
  })
  .put(async (request, response) => {
    const session = await sessions.getSession(request, response)
    await session.updateSessionInfo(request.body)
    response.json(await session.getSessionInfo())
  })

app.get('/devices', async (request, response) => {
  const session = await sessions.getSession(request, response)
  const { sessions: devices } = await sessions.listSessions(session.getUserId())
  response.json(devices.map(device => (
    { ...device, name: nameOf(device.userAgent), current: device.handle === session.getHandle() }
  )))
})

// Revokes one device of the user.
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
  response.json({ revoked: [handle] })
})

// Revokes the user's other devices.
app.delete('/devices', async (request, response) => {
  const session = await sessions.getSession(request, response)
  const revoked = await sessions.revokeAllSessionsForUser(session.getUserId(), { except: session.getHandle() })
  response.json({ revoked })
})

// Stays open, and says when the session is revoked, in this process or another.
app.get('/live', sessions.requireSession((_request, response, session) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' })
  response.write(': open\n\n')
  const stop = session.onRevoked(() => response.end('event: revoked\ndata:\n\n'))
  response.on('close', stop)
}))

app.use(answerUnknown)
app.use(answerWithReason) // 400 for what cannot be read or stored
app.use(sessions.errorHandler()) // 401, 403 and 503 as front-end SDKs expect them

const server = app.listen(Number(PORT), '127.0.0.1', error => {
  if (error === undefined) console.log(`Keyturn example: ${origin}`)
  else {
    console.error(`Port ${PORT} cannot be used (${error.code}). Set PORT to another one: PORT=3001 npm start`)
    process.exit(1)
  }
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => void sessions.close())
    server.closeAllConnections()
  })
}

/** "Chrome on Windows", from the user agent of a device's last refresh. */
function nameOf(userAgent) {
  const { browser, os } = Bowser.parse(userAgent || 'unknown')
  return [browser.name || 'Unknown browser', os.name].filter(Boolean).join(' on ')
}
