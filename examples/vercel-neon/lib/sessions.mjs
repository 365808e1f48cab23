// Keyturn in Vercel functions, with Neon over HTTP. README.md has the commands.
import { neon } from '@neondatabase/serverless'
import { waitUntil } from '@vercel/functions'
import { createSessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { createPostgresStore, neonPool } from 'keyturn/stores/postgres'

// One for each instance of a function. Instances are frozen between requests, so nothing may wait for a timer: `keepAlive`.
export const sessions = webSessions(createSessions({
  origin: process.env.ORIGIN,
  secret: process.env.SECRET,
  store: createPostgresStore(neonPool(neon(process.env.DATABASE_URL))),
  keepAlive: waitUntil,
}))

const routes = sessions.sessionRoutes()

/** POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json. */
export const auth = async request => await routes(request) ?? new Response(null, { status: 404 })
