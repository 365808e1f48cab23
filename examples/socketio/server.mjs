// Keyturn with Socket.IO: it accepts only sockets with a session, and disconnects them when the session ends.
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { createSessions } from 'keyturn'
import { nodeSessions } from 'keyturn/frameworks/node'
import { socketIoSessions } from 'keyturn/frameworks/socketio'
import { openSqliteStore } from 'keyturn/stores/sqlite'

const { PORT = '3000', DATABASE = 'example.db' } = process.env
const origin = `http://127.0.0.1:${PORT}`

const sessions = socketIoSessions(nodeSessions(createSessions({ origin, store: openSqliteStore(DATABASE) })))

// Logins and refreshes are ordinary requests.
const answerError = sessions.errorHandler()
const answerOwn = sessions.sessionRoutes()
const server = createServer(async (request, response) => {
  try {
    if (await answerOwn(request, response)) return
    if (request.method === 'POST' && request.url === '/login') {
      await sessions.createNewSession(request, response, 'ada') // a real application checks a password here
      response.end('{}')
    } else {
      response.writeHead(404).end()
    }
  } catch (error) {
    answerError(error, request, response)
  }
})

const io = new Server(server)
io.use(sessions.requireSession())
io.on('connection', socket => {
  const session = sessions.sessionOf(socket)
  socket.emit('hello', session.getUserId())
})

server.listen(Number(PORT), '127.0.0.1', () => console.log(`Keyturn example: ${origin}`))
process.once('SIGTERM', () => process.exit(0))
