// Users who were logged in with the old system before the deployment stay logged in, in Chromium.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeSessions } from '../../src/frameworks/node.ts'
import {
  fromAuthJsTokens, fromBetterAuth, betterSqlite3Sessions, fromDjango, fromExpressSession, importSessions,
  fromIronSession,
  fromSuperTokens,
} from '../../src/import/index.ts'
import { createSessions } from '../../src/index.ts'
import type { SessionImporter } from '../../src/session/importer.ts'
import { createSqliteStore } from '../../src/stores/sqlite.ts'
import { pythonPackage } from '../support/django.ts'
import { createOldRefreshToken, createRefreshTokenKey, h, oldTables } from '../support/old-supertokens.ts'
import { hasOldSystems, importOld, requireOld } from '../support/old-systems.ts'
import { preparePython } from '../support/python.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { browserPath, launchBrowser } from './support/browser.ts'

const SECRET = 'the secret of the old application, long'

/** An old system: its database, what the real library answers at a login, and its importer. */
interface OldApplication {
  readonly database: DatabaseSync
  /** The `Set-Cookie` lines of a login, and the id of its user. */
  login(origin: string): Promise<{ readonly cookies: readonly string[]; readonly userId: string }>
  readonly importer: SessionImporter
  /** Whether it is taken over at the refresh endpoint. */
  readonly atRefresh?: true
}

const python = await preparePython(join(pythonPackage, 'requirements/dev.txt'))

const systems: Readonly<Record<string, () => Promise<OldApplication>>> = {
  async 'express-session'() {
    const database = new DatabaseSync(':memory:')
    const session = requireOld<(options: object) => (request: unknown, response: unknown, next: () => void) => void>(
      'express-session',
    )
    const create: (module: unknown) => new (options: object) => object = requireOld('better-sqlite3-session-store')
    const store = new (create(session))({ client: database, expired: { clear: false, intervalMs: 2 ** 30 } })
    const middleware = session({
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      store,
      cookie: { maxAge: 86_400_000 },
    })
    return {
      database,
      login: () => answered((request, response) => middleware(request, response, () => {
        Object.assign(Reflect.get(request, 'session'), { userId: 'alice' })
        response.end()
      })),
      importer: fromExpressSession({ secret: SECRET, sessions: betterSqlite3Sessions(database) }),
    }
  },
  async 'Better Auth'() {
    const database = new DatabaseSync(':memory:')
    const { betterAuth } = await importOld<
      { betterAuth(options: object): { handler(request: Request): Promise<Response> } }
    >('better-auth')
    const { getMigrations } = await importOld<
      { getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }> }
    >(
      'better-auth/db/migration')
    const settings = (baseURL: string): object => ({
      database, secret: SECRET, baseURL, emailAndPassword: { enabled: true }, telemetry: { enabled: false },
      logger: { disabled: true },
    })
    await (await getMigrations(settings('http://localhost'))).runMigrations()
    return {
      database,
      async login(origin) {
        const response = await betterAuth(settings(origin)).handler(new Request(`${origin}/api/auth/sign-up/email`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin },
          body: JSON.stringify({ email: 'alice@example.com', password: 'a long password', name: 'Alice' }),
        }))
        const { user } = await response.json() as { user: { id: string } }
        return { cookies: response.headers.getSetCookie(), userId: user.id }
      },
      importer: fromBetterAuth({ secret: SECRET, database }),
    }
  },
  async 'NextAuth 4'() {
    const { encode } = requireOld<{ encode(options: object): Promise<string> }>('next-auth/jwt')
    return {
      database: new DatabaseSync(':memory:'),
      login: async () => ({
        cookies: [
          `next-auth.session-token=${await encode({
            token: { sub: 'alice' },
            secret: SECRET,
          })}; Path=/; HttpOnly; SameSite=Lax`,
        ],
        userId: 'alice',
      }),
      importer: fromAuthJsTokens({ secret: SECRET }),
    }
  },
  async 'Auth.js 5'() {
    const { encode } = await importOld<{ encode(options: object): Promise<string> }>('@auth/core/jwt')
    const name = 'authjs.session-token'
    return {
      database: new DatabaseSync(':memory:'),
      login: async () => ({
        cookies: [
          `${name}=${await encode({
            token: { sub: 'alice' },
            secret: SECRET,
            salt: name,
          })}; Path=/; HttpOnly; SameSite=Lax`,
        ],
        userId: 'alice',
      }),
      importer: fromAuthJsTokens({ secret: SECRET }),
    }
  },
  async 'iron-session'() {
    const { getIronSession } = await importOld<{
      getIronSession(
        request: unknown,
        response: unknown,
        options: object,
      ): Promise<{ userId?: string; save(): Promise<void> }>
    }>('iron-session')
    const options = { password: SECRET, cookieName: 'app', cookieOptions: { secure: false } }
    return {
      database: new DatabaseSync(':memory:'),
      login: () => answered(async (request, response) => {
        const session = await getIronSession(request, response, options)
        session.userId = 'alice'
        await session.save()
        response.end()
      }),
      importer: fromIronSession({ password: SECRET, cookieName: 'app' }),
    }
  },
  async 'SuperTokens'() {
    const database = new DatabaseSync(':memory:')
    for (const statement of oldTables('', false)) database.exec(statement)
    const key = createRefreshTokenKey()
    database.prepare('INSERT INTO key_value VALUES (\'public\', \'public\', \'refresh_token_key\', ?, 1)').run(key)
    return {
      database,
      atRefresh: true,
      async login() {
        const sessionHandle = randomUUID()
        const parent = createOldRefreshToken(key, { sessionHandle, userId: 'alice' })
        const child = createOldRefreshToken(key, { sessionHandle, userId: 'alice', parentRefreshTokenHash1: h(parent) })
        database.prepare(`INSERT INTO session_info VALUES ('public', 'public', ?, 'alice', ?, '{}', ?, ?, '{}', 0)`)
          .run(sessionHandle, h(h(parent)), Date.now() + 86_400_000, Date.now() - 60_000)
        const header = Buffer.from('{"alg":"RS256","version":"5"}').toString('base64url')
        return {
          cookies: [
            `sAccessToken=${header}.e30.c2ln; Path=/; HttpOnly; SameSite=Lax`,
            `sRefreshToken=${encodeURIComponent(child)}; Path=/auth/session/refresh; HttpOnly; SameSite=Lax`,
          ],
          userId: 'alice',
        }
      },
      importer: fromSuperTokens({ database }),
    }
  },
  async 'Django'() {
    const file = join(createDirectory(), 'django.db')
    const program = `
import django
from django.conf import settings
settings.configure(SECRET_KEY=${JSON.stringify(SECRET)}, USE_TZ=True, DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ${JSON.stringify(file)}}},
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'], DEFAULT_AUTO_FIELD='django.db.models.AutoField')
django.setup()
from django.core.management import call_command
call_command('migrate', verbosity=0)
from django.contrib.auth import login, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
request = HttpRequest(); request.session = SessionStore()
user = get_user_model().objects.create_user('alice', password='a password')
login(request, user, backend='django.contrib.auth.backends.ModelBackend'); request.session.save()
print(request.session.session_key, user.pk)`
    const { stdout } = await promisify(execFile)(python ?? '', ['-c', program], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    })
    const [key = '', userId = ''] = stdout.trim().split(' ')
    const database = new DatabaseSync(file)
    return {
      database,
      login: async () => ({ cookies: [`sessionid=${key}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600`], userId }),
      importer: fromDjango({ secretKey: SECRET, database }),
    }
  },
}

/** The cookies that a handler of the old application sets. */
async function answered(
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<{ readonly cookies: readonly string[]; readonly userId: string }> {
  const server = createServer((request, response) => void handler(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/`)
  await new Promise(resolve => server.close(resolve))
  return { cookies: response.headers.getSetCookie(), userId: 'alice' }
}

interface NewApplication {
  readonly origin: string
  /** Serves the old application's login until Keyturn is deployed. */
  isDeployed: boolean
  handles(userId: string): Promise<readonly string[]>
  close(): Promise<void>
}

async function deploy(old: OldApplication): Promise<NewApplication> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  const sessions = nodeSessions(createSessions({
    origin,
    store: createSqliteStore(new DatabaseSync(':memory:')),
    imports: importSessions({ importers: [old.importer], until: new Date(Date.now() + 86_400_000), mode: 'retire' }),
  }))
  const routes = sessions.sessionRoutes()
  const state = { isDeployed: false }
  server.on('request', (request, response) => void (async () => {
    // Browsers ask for it by themselves: that must not be another login.
    if (request.url === '/favicon.ico') return response.writeHead(404).end()
    if (!state.isDeployed) {
      const { cookies } = await old.login(origin)
      response.setHeader('set-cookie', [...cookies])
      return response.end('<h1>logged in with the old application</h1>')
    }
    if (await routes(request, response)) return
    try {
      const session = await sessions.getSession(request, response, { required: false })
      response.setHeader('content-type', 'text/html')
      response.end(`<h1>${session?.getUserId() ?? 'nobody'}</h1>`)
    } catch (error) {
      sessions.errorHandler()(error, request, response)
    }
  })())
  return Object.assign(state, {
    origin,
    handles: (userId: string) => sessions.getAllSessionHandlesForUser(userId),
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await sessions.close()
    },
  })
}

/** Shows a page. At a system whose sessions come over at the refresh endpoint, the front end refreshes first. */
async function show(page: Page, origin: string, atRefresh: boolean): Promise<string | null> {
  const response = await page.goto(`${origin}/`)
  if (response?.status() === 401 && atRefresh) {
    await page.evaluate('fetch("/auth/session/refresh", { method: "POST" }).then(response => response.status)')
    await page.goto(`${origin}/`)
  }
  return page.locator('h1').textContent({ timeout: 5000 }).catch(() => null)
}

describe.skipIf(browserPath === null || !hasOldSystems())('an import in Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser?.close()
  })

  const available = Object.entries(systems).filter(([name]) => name !== 'Django' || python !== null)

  test.for(available)('IMP-01, IMP-04: %s: stays logged in, once, and is gone after the sign-out', async ([, open]) => {
    const old = await open()
    const application = await deploy(old)
    const { origin } = application
    const atRefresh = old.atRefresh === true
    const profile = await browser.newContext()
    try {
      const page = await profile.newPage()
      await page.goto(`${origin}/`)
      const before = await profile.cookies()
      expect(before.length).toBeGreaterThan(0)
      application.isDeployed = true
      const tabs = [page, ...await openTabs(profile, 4)]
      const shown = await Promise.all(tabs.map(tab => show(tab, origin, atRefresh)))
      const [userId = ''] = shown
      expect(userId).toMatch(/./)
      expect(userId).not.toBe('nobody')
      expect(new Set(shown)).toEqual(new Set([userId]))
      expect(await application.handles(userId ?? '')).toHaveLength(1)
      const kept = (await profile.cookies()).map(({ name }) => name)
      expect(before.filter(({ name, path }) => kept.includes(name) && path === '/').map(({ name }) => name)).toEqual([])
      expect(await show(page, origin, atRefresh)).toBe(userId)
      expect(await page.evaluate('fetch("/auth/signout", { method: "POST" }).then(response => response.status)'))
        .toBe(200)
      expect(await show(page, origin, false)).toBe('nobody')
      // A copy of the cookies, as a backup of the profile has it.
      await profile.addCookies(before)
      const again = await show(page, origin, atRefresh)
      expect(['nobody', null]).toContain(again)
      expect(await application.handles(userId ?? '')).toEqual([])
    } finally {
      await profile.close()
      await application.close()
    }
  })
})

function openTabs(profile: BrowserContext, count: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: count }, () => profile.newPage()))
}
