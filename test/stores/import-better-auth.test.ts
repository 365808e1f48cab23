// Sessions that Better Auth itself has made are taken over.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { fromBetterAuth, checkImport, importSessions } from '../../src/import/index.ts'
import type { BetterAuthOptions, ForeignDatabase } from '../../src/import/index.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { openPool as openMysqlPool } from '../support/mysql-pools.ts'
import { createTables } from '../support/old-auth-js-tables.ts'
import { hasOldSystems, importOld } from '../support/old-systems.ts'
import { openPool as openPostgresPool } from '../support/postgres-pools.ts'
import { SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const SECRET = 'the secret of Better Auth, which is long enough'
const COOKIE = '__Secure-better-auth.session_token'

interface Auth {
  handler(request: Request): Promise<Response>
}

type Create = (options: Readonly<Record<string, unknown>>) => Auth

interface Migrations {
  getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>
}

async function createAuth(options: Readonly<Record<string, unknown>>, isMigrated = true): Promise<Auth> {
  const { betterAuth } = await importOld<{ betterAuth: Create }>('better-auth')
  const settings = {
    secret: SECRET, baseURL: 'https://app.example.com', emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false }, logger: { disabled: true }, ...options,
  }
  if (options['database'] !== undefined && isMigrated) {
    const { getMigrations } = await importOld<Migrations>('better-auth/db/migration')
    await (await getMigrations(settings)).runMigrations()
  }
  return betterAuth(settings)
}

interface DrizzleBuilder {
  primaryKey(): DrizzleBuilder
  notNull(): DrizzleBuilder
}

interface DrizzleCore {
  pgTable(name: string, columns: Readonly<Record<string, DrizzleBuilder>>): unknown
  text(name: string): DrizzleBuilder
  timestamp(name: string): DrizzleBuilder
  boolean(name: string): DrizzleBuilder
}

/** The schema that `better-auth generate` writes for Drizzle, with the column of the plugin admin. */
async function drizzleSchema(): Promise<Readonly<Record<string, unknown>>> {
  const { pgTable, text, timestamp, boolean } = await importOld<DrizzleCore>('drizzle-orm/pg-core')
  const times = (): Readonly<Record<string, DrizzleBuilder>> => ({
    createdAt: timestamp('created_at').notNull(), updatedAt: timestamp('updated_at').notNull(),
  })
  return {
    user: pgTable('user', {
      id: text('id').primaryKey(), name: text('name').notNull(), email: text('email').notNull(),
      emailVerified: boolean('email_verified').notNull(), image: text('image'), ...times(),
    }),
    session: pgTable('session', {
      id: text('id').primaryKey(), expiresAt: timestamp('expires_at').notNull(), token: text('token').notNull(), ...times(),
      ipAddress: text('ip_address'), userAgent: text('user_agent'), userId: text('user_id').notNull(),
      impersonatedBy: text('impersonated_by'),
    }),
    account: pgTable('account', {
      id: text('id').primaryKey(), accountId: text('account_id').notNull(), providerId: text('provider_id').notNull(),
      userId: text('user_id').notNull(), accessToken: text('access_token'), refreshToken: text('refresh_token'),
      idToken: text('id_token'), accessTokenExpiresAt: timestamp('access_token_expires_at'),
      refreshTokenExpiresAt: timestamp('refresh_token_expires_at'), scope: text('scope'), password: text('password'), ...times(),
    }),
    verification: pgTable('verification', {
      id: text('id').primaryKey(), identifier: text('identifier').notNull(), value: text('value').notNull(),
      expiresAt: timestamp('expires_at').notNull(), ...times(),
    }),
  }
}

let people = 0

/** Signs somebody up. Returns the cookies and the user's id. */
async function signUp(
  auth: Auth,
  more: object = {},
): Promise<{ readonly cookies: readonly string[]; readonly userId: string }> {
  const response = await auth.handler(new Request('https://app.example.com/api/auth/sign-up/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'origin': 'https://app.example.com' },
    body: JSON.stringify({ email: `p${++people}@example.com`, password: 'a long password', name: 'P', ...more }),
  }))
  expect(response.status).toBe(200)
  const { user } = await response.json() as { user: { id: string } }
  return { cookies: response.headers.getSetCookie(), userId: user.id }
}

async function start(
  options: Omit<BetterAuthOptions, 'secret'>,
  mode: 'keep' | 'retire' = 'retire',
): Promise<SessionServer> {
  const importer = fromBetterAuth({ secret: SECRET, ...options })
  const server = await startSessionServer({
    imports: importSessions({ importers: [importer], until: '2026-06-30', mode }),
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer, cookies: readonly string[]): HttpClient {
  const client = server.client()
  for (const line of cookies) client.keep(line)
  return client
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const userOf = (reply: Reply): unknown => [reply.status, JSON.parse(reply.body).userId]

const [postgresUrl, mysqlUrl] = [inject('postgresUrl'), inject('mysqlUrl')]

interface Kind {
  readonly name: string
  readonly available: boolean
  open(): Promise<{ readonly database: ForeignDatabase; readonly given: unknown }>
}

const kinds: readonly Kind[] = [
  {
    name: 'SQLite',
    available: true,
    async open() {
      const database = new DatabaseSync(':memory:')
      return { database, given: database }
    },
  },
  {
    name: 'PostgreSQL',
    available: postgresUrl !== null,
    async open() {
      const pool = openPostgresPool(`${postgresUrl}?options=-c%20search_path%3Dbetter_auth`)
      await pool.query('DROP SCHEMA IF EXISTS better_auth CASCADE; CREATE SCHEMA better_auth')
      return { database: pool, given: pool }
    },
  },
  {
    name: 'MySQL',
    available: mysqlUrl !== null,
    async open() {
      const pool = openMysqlPool(mysqlUrl ?? '')
      await pool.query('SET FOREIGN_KEY_CHECKS = 0')
      for (const table of ['session', 'account', 'verification', 'user']) {
        await pool.query(`DROP TABLE IF EXISTS \`${table}\``)
      }
      return { database: pool, given: pool }
    },
  },
]

describe.runIf(hasOldSystems())('Better Auth', () => {
  for (const kind of kinds) {
    test.runIf(kind.available)(`in ${kind.name}: taken over once, by parallel requests, and gone after the sign-out`,
      async () => {
        const { database, given } = await kind.open()
        const auth = await createAuth({ database: given })
        const { cookies, userId } = await signUp(auth)
        const server = await start({ database })
        const clients = Array.from({ length: 5 }, () => browser(server, cookies))
        const [client] = clients
        expect(client?.cookie(COOKIE)).toMatch(/%3D$|=$/)
        const replies = await Promise.all(clients.map(me))
        expect(replies.map(userOf)).toEqual(Array(5).fill([200, userId]))
        const [handle = '', ...others] = await server.sessions.getAllSessionHandlesForUser(userId)
        expect(others).toEqual([])
        expect(client?.jar.filter(({ name }) => name.includes('better-auth'))).toEqual([])
        expect(handle).toMatch(/^c/)
        const old = await auth.handler(new Request('https://app.example.com/api/auth/get-session', {
          headers: { cookie: cookies.map(line => line.split(';')[0]).join('; ') },
        }))
        expect(await old.json()).toBeNull()
        expect((await client?.send('POST', SIGNOUT, { headers: SAME_ORIGIN }))?.status).toBe(200)
        expect((await me(browser(server, cookies))).status).toBe(401)
      })

    test.runIf(kind.available)(
      `IMP-08, IMP-10: in ${kind.name}, expired and impersonated sessions are refused, and counted`,
      async () => {
        const { database, given } = await kind.open()
        const auth = await createAuth({ database: given })
        const { cookies } = await signUp(auth)
        let now = Date.now()
        const server = await start({ database, clock: () => now })
        now += 7 * 86_400_000 + 5000
        expect((await me(browser(server, cookies))).status).toBe(401)
        now -= 2 * 86_400_000
        const check = await checkImport(importSessions({
          importers: [fromBetterAuth({ secret: SECRET, database })],
          until: '2026-12-31',
        }))
        expect([check.read, check.alive]).toEqual([1, 1])
      },
    )
  }

  test.runIf(postgresUrl !== null)('IMP-10: with the tables that it generates for Drizzle, in a database of another zone', async () => {
    const options = encodeURIComponent('-c search_path=better_auth_drizzle -c timezone=Asia/Kathmandu')
    const pool = openPostgresPool(`${postgresUrl}?options=${options}`)
    await pool.query('DROP SCHEMA IF EXISTS better_auth_drizzle CASCADE; CREATE SCHEMA better_auth_drizzle')
    const schema = await drizzleSchema()
    await createTables('pg', Object.values(schema), statement => pool.query(statement))
    const { drizzle } = await importOld<{ drizzle(pool: unknown): unknown }>('drizzle-orm/node-postgres')
    const { drizzleAdapter } = await importOld<{ drizzleAdapter(database: unknown, options: object): unknown }>(
      'better-auth/adapters/drizzle')
    const auth = await createAuth({ database: drizzleAdapter(drizzle(pool), { provider: 'pg', schema }) }, false)
    const [first, second, third, admin] = [await signUp(auth), await signUp(auth), await signUp(auth), await signUp(auth)]
    await pool.query('UPDATE session SET impersonated_by = \'admin\' WHERE user_id = $1', [admin.userId])
    const signedUpAt = Date.now()
    let now = signedUpAt + 7 * 86_400_000 - 60_000
    const server = await start({ database: pool, columns: 'snake_case', clock: () => now })
    expect(userOf(await me(browser(server, first.cookies)))).toEqual([200, first.userId])
    expect((await me(browser(server, admin.cookies))).status).toBe(401)
    await server.sessions.revokeAllSessionsForUser(third.userId)
    expect((await pool.query('SELECT user_id FROM session')).rows.map(row => row.user_id).toSorted())
      .toEqual([second.userId, admin.userId].toSorted())
    now = signedUpAt + 7 * 86_400_000 + 1000
    expect((await me(browser(server, second.cookies))).status).toBe(401)
  })

  test('IMP-04: a signed token is taken over once, in its cookie or as the bearer token of the plugin', async () => {
    const database = new DatabaseSync(':memory:')
    const auth = await createAuth({ database })
    const [one, two] = [await signUp(auth), await signUp(auth)]
    const server = await start({ database }, 'keep')
    const withBearer = ({ cookies }: Pick<typeof one, 'cookies'>): Promise<Reply> => server.client().send('GET', '/me', {
      headers: { authorization: `Bearer ${/session_token=([^;]+)/.exec(cookies.join())?.[1]}`, 'st-auth-mode': 'header' },
    })
    // Percent-encoded, as in the Set-Cookie header.
    expect(userOf(await withBearer(one))).toEqual([200, one.userId])
    expect((await me(browser(server, one.cookies))).status).toBe(401)
    expect(userOf(await me(browser(server, two.cookies)))).toEqual([200, two.userId])
    expect((await withBearer(two)).status).toBe(401)
  })

  test('IMP-08: a session in which an administrator acts as the user is refused', async () => {
    const database = new DatabaseSync(':memory:')
    const auth = await createAuth({ database })
    database.exec('ALTER TABLE session ADD COLUMN impersonatedBy TEXT')
    database.exec('ALTER TABLE user ADD COLUMN banned INTEGER')
    const [first, second] = [await signUp(auth), await signUp(auth)]
    database.exec('UPDATE session SET impersonatedBy = \'admin\' WHERE userId = (SELECT userId FROM session LIMIT 1)')
    const server = await start({ database })
    const statuses = [await me(browser(server, first.cookies)), await me(browser(server, second.cookies))]
    expect(statuses.map(({ status }) => status).toSorted()).toEqual([200, 401])
  })

  test('with a secondary storage: that alone says which sessions live', async () => {
    const values = new Map<string, string>()
    const secondaryStorage = {
      get: (key: string) => values.get(key) ?? null,
      set: (key: string, value: string) => void values.set(key, value),
      delete: (key: string) => void values.delete(key),
    }
    const database = new DatabaseSync(':memory:')
    const auth = await createAuth({ database, secondaryStorage })
    const [one, two] = [await signUp(auth), await signUp(auth)]
    const server = await start({ secondaryStorage })
    const client = browser(server, one.cookies)
    expect(userOf(await me(client))).toEqual([200, one.userId])
    expect([...values.keys()].filter(key => values.get(key)?.includes(one.userId))).toEqual([])
    values.set(`revoked-sessions-before-${two.userId}`, `${Date.now() + 60_000}`)
    expect((await me(browser(server, two.cookies))).status).toBe(401)
  })

  test('IMP-07: the cookie cache alone is no session', async () => {
    const database = new DatabaseSync(':memory:')
    const auth = await createAuth({ database, session: { cookieCache: { enabled: true } } })
    const { cookies } = await signUp(auth)
    const cache = cookies.filter(line => line.includes('session_data'))
    expect(cache.length).toBeGreaterThan(0)
    const server = await start({ database })
    expect((await me(browser(server, cache))).status).toBe(401)
    database.exec('DELETE FROM session')
    const client = browser(server, cookies)
    expect((await me(client)).status).toBe(401)
    expect(client.jar).toEqual([])
  })

  test('a session that ends with the browser stays one', async () => {
    const database = new DatabaseSync(':memory:')
    const auth = await createAuth({ database })
    const { cookies } = await signUp(auth, { rememberMe: false })
    const server = await start({ database })
    const client = browser(server, cookies)
    expect((await me(client)).status).toBe(200)
    expect(client.jar.map(({ expires }) => expires)).toEqual([null, null, null])
  })
})
