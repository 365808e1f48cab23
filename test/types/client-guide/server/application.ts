// An application with the routes that docs/client.md shows. It prints its origin.
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { createSessions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import { createMemoryStore } from 'keyturn/stores/memory'

const application = express()
const server = createServer(application).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
const origin = `http://localhost:${address.port}`
const own = expressSessions(createSessions<{ role?: string }, object>({ origin, store: createMemoryStore() }))
globalThis.app = application
globalThis.sessions = own
application.use(own.sessionRoutes())
application.post('/login', express.json(), async (request, response) => {
  await own.createNewSession(request, response, String(request.body.userId))
  response.json({})
})
await import('./devices.ts')
application.use(own.errorHandler())
console.log(origin)
