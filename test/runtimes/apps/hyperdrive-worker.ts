import { env, waitUntil } from 'cloudflare:workers'
import { Hono } from 'hono'
import { Client } from 'pg'
import { honoSessions } from '../../../src/frameworks/hono.ts'
import { createSessions } from '../../../src/index.ts'
import { createPostgresStore, poolPerCall } from '../../../src/stores/postgres.ts'

// An application with the store of docs/serverless.md, created as the module loads.

const pool = poolPerCall(() => new Client({ connectionString: env.HYPERDRIVE.connectionString }), {
  keepAlive: work => waitUntil?.(work),
})
const store = createPostgresStore(pool)
const sessions = honoSessions(createSessions({
  origin: 'http://localhost:3000', secret: '0123456789abcdef0123456789abcdef', store,
}))

const app = new Hono()
app.use(sessions.sessionRoutes())
app.onError(sessions.errorHandler())
app.post('/login', async context => {
  const { userId } = await context.req.json<{ userId: string }>()
  await sessions.createNewSession(context, userId)
  return context.json({})
})
app.get('/me', sessions.requireSession(), context => (
  context.json({ userId: context.var.session.getUserId(), at: Date.now() })
))
app.get('/strict', sessions.requireSession({ blacklisting: 'strict' }), context => context.json({}))
app.post('/revoke', sessions.requireSession(), async context => {
  await context.var.session.revokeSession()
  return context.json({ at: Date.now() })
})

export default app
