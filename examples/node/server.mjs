// Keyturn with node:http alone. Sessions live in the SQLite file keyturn.db: node examples/node/server.mjs
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { createSessions } from 'keyturn'
import { nodeSessions } from 'keyturn/frameworks/node'

const { PORT = '3000' } = process.env
const sessions = nodeSessions(createSessions({ origin: `http://localhost:${PORT}` }))

const answerError = sessions.errorHandler()
const answerOwn = sessions.sessionRoutes() // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
const routes = {
  // A real application checks a password here.
  'POST /login': async (request, response) => {
    const { userId } = await json(request)
    const session = await sessions.createNewSession(request, response, userId)
    send(response, { userId: session.getUserId() })
  },
  'GET /me': sessions.requireSession((_, response, session) => send(response, { userId: session.getUserId() })),
}

createServer(async (request, response) => {
  try {
    if (await answerOwn(request, response)) return
    const route = routes[`${request.method} ${request.url}`]
    if (route === undefined) response.writeHead(404).end()
    else await route(request, response)
  } catch (error) {
    answerError(error, request, response)
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log(`http://localhost:${PORT}`))

function send(response, value) {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
}
