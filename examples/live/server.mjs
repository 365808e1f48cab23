// An event stream that ends when its session is revoked, in this process or another. Sessions live in the SQLite file
// keyturn.db: node examples/live/server.mjs
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
    response.end(session.getHandle())
  },
  'GET /events': sessions.requireSession((request, response, session) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const clock = setInterval(() => response.write(`data: ${new Date().toISOString()}\n\n`), 1000)
    const stopWaiting = session.onRevoked(() => response.end('event: signed-out\ndata:\n\n'))
    response.on('close', () => {
      clearInterval(clock)
      stopWaiting()
    })
    response.write(`data: hello ${session.getUserId()}\n\n`)
  }),
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
