// Keyturn with itty-router, through a custom adapter. Sessions live in memory here; a real application names a store.
// Run it with: bun examples/itty-router/app.ts
import { Router } from 'itty-router'
import { createSessions } from 'keyturn'
import { createMemoryStore } from 'keyturn/stores/memory'
import { ittySessions } from './itty-sessions.ts'

const sessions = ittySessions(createSessions({ origin: 'http://localhost:3000', store: createMemoryStore() }))

const router = Router<Request>({
  before: [sessions.sessionRoutes()], // POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
  catch: sessions.errorHandler(),
  finally: [sessions.finish()],
})

// A real application checks a password here.
router.post('/login', async request => {
  const { userId }: { userId: string } = await request.json()
  const session = await sessions.createNewSession(request, userId)
  return Response.json({ userId: session.getUserId() })
})

router.get('/me', sessions.requireSession(), request => (
  Response.json({ userId: sessions.sessionOf(request).getUserId() })
))

export default { port: 3000, hostname: '127.0.0.1', fetch: router.fetch }
