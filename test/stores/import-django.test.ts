// Sessions that Django itself has made are taken over.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { checkImport, fromDjango, importSessions } from '../../src/import/index.ts'
import type { DjangoSessionsOptions, ForeignDatabase } from '../../src/import/index.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { openPool } from '../support/postgres-pools.ts'
import { preparePython } from '../support/python.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const python = await preparePython(join(import.meta.dirname, '../old-systems/requirements.txt'))
const postgresUrl = inject('postgresUrl')

const SECRET = 'the secret key of Django'
const OLDER = 'an older secret key of Django'

/** A database of Django. */
interface Place {
  /** Its entry in `DATABASES`. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly database: ForeignDatabase
  /** Whether a session has a row. */
  hasRow(key: string): Promise<boolean>
}

const kinds: readonly { readonly name: string; readonly available: boolean; open(): Promise<Place> }[] = [
  {
    name: 'SQLite',
    available: true,
    async open() {
      const file = join(createDirectory(), 'django.db')
      const database = new DatabaseSync(file)
      return {
        settings: { ENGINE: 'django.db.backends.sqlite3', NAME: file },
        database,
        hasRow: async key => database.prepare('SELECT 1 FROM django_session WHERE session_key = ?').all(key).length === 1,
      }
    },
  },
  {
    name: 'PostgreSQL',
    available: postgresUrl !== null,
    async open() {
      const { hostname, port, username, password, pathname } = new URL(postgresUrl ?? '')
      // Django sets its own zone. That of the importer's connection must not matter.
      const path = '-c search_path=django'
      const pool = openPool(`${postgresUrl}?options=${encodeURIComponent(`${path} -c timezone=Asia/Kathmandu`)}`)
      await pool.query('DROP SCHEMA IF EXISTS django CASCADE; CREATE SCHEMA django')
      return {
        settings: {
          ENGINE: 'django.db.backends.postgresql', HOST: hostname, PORT: port, USER: username, PASSWORD: password,
          NAME: pathname.slice(1), OPTIONS: { options: path },
        },
        database: pool,
        hasRow: async key => (
          (await pool.query('SELECT 1 FROM django_session WHERE session_key = $1', [key])).rows.length === 1
        ),
      }
    },
  },
]

interface Django {
  readonly secret?: string
  readonly engine?: 'db' | 'cached_db'
}

/** Runs Django on a database. `script` prints JSON. */
async function django<Result>({ settings }: Place, script: string, { secret = SECRET, engine = 'db' }: Django = {}): Promise<Result> {
  const program = `
import json, sys, django
from django.conf import settings
settings.configure(
    SECRET_KEY=${JSON.stringify(secret)}, USE_TZ=True, DATABASES={'default': json.loads(${JSON.stringify(JSON.stringify(settings))})},
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions'],
    DEFAULT_AUTO_FIELD='django.db.models.AutoField', SESSION_ENGINE='django.contrib.sessions.backends.${engine}')
django.setup()
from django.core.management import call_command
call_command('migrate', verbosity=0)
from django.contrib.auth import login, get_user_model
from django.contrib.sessions.backends.${engine} import SessionStore
from django.http import HttpRequest
User = get_user_model()
def sign_in(name, **more):
    request = HttpRequest()
    request.session = SessionStore()
    user, is_new = User.objects.get_or_create(username=name)
    if is_new: user.set_password('first password'); user.save()
    login(request, user, backend='django.contrib.auth.backends.ModelBackend')
    for key, value in more.items(): request.session[key] = value
    request.session.save()
    return request.session.session_key, user
${script}
`
  const { stdout } = await promisify(execFile)(python ?? '', ['-c', program], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  return JSON.parse(stdout)
}

async function start(database: ForeignDatabase, options: Partial<DjangoSessionsOptions> = {}): Promise<SessionServer> {
  const server = await startSessionServer({
    imports: importSessions({
      importers: [fromDjango({ secretKey: SECRET, database, ...options })], until: '2026-06-30', mode: 'retire',
    }),
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer, key: string): HttpClient {
  const client = server.client()
  client.keep(`sessionid=${key}; Path=/; HttpOnly`)
  return client
}

const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')

describe.skipIf(python === null).each(kinds.filter(({ available }) => available))('Django on $name', ({ open }) => {
  test('a session is taken over once, also a compressed one, and gone after the sign-out', async () => {
    const place = await open()
    const made = await django<{ plain: string; long: string; id: number }>(place, `
plain, user = sign_in('alice')
long, _ = sign_in('alice', cart=['thing'] * 500)
print(json.dumps({'plain': plain, 'long': long, 'id': user.pk}))`)
    const { database } = place
    const server = await start(database, { login: data => ({ sessionInfo: { note: Array.isArray(data['cart']) ? 'cart' : 'none' } }) })
    for (const [key, note] of [[made.plain, 'none'], [made.long, 'cart']] as const) {
      const clients = Array.from({ length: 5 }, () => browser(server, key))
      const replies = await Promise.all(clients.map(me))
      expect(replies.map(reply => [reply.status, JSON.parse(reply.body).userId]))
        .toEqual(Array(5).fill([200, `${made.id}`]))
      const [handle = ''] = await server.sessions.getAllSessionHandlesForUser(`${made.id}`)
      expect(await server.sessions.getSessionInfo(handle)).toEqual({ note })
      expect(await place.hasRow(key)).toBe(false)
      const [client] = clients
      expect((await client?.send('POST', SIGNOUT, { headers: SAME_ORIGIN }))?.status).toBe(200)
      expect((await me(browser(server, key))).status).toBe(401)
    }
  })

  test('IMP-06: a session from before a password change is refused, and so is that of an inactive user', async () => {
    const place = await open()
    const { before, after, inactive, gone } = await django<Record<string, string>>(place, `
before, user = sign_in('alice')
user.set_password('second password'); user.save()
request = HttpRequest(); request.session = SessionStore()
login(request, user, backend='django.contrib.auth.backends.ModelBackend'); request.session.save()
inactive, other = sign_in('bob')
other.is_active = False; other.save()
gone, third = sign_in('carol')
third.delete()
print(json.dumps({'before': before, 'after': request.session.session_key, 'inactive': inactive, 'gone': gone}))`)
    const server = await start(place.database)
    const statuses = []
    for (const key of [before, inactive, gone, after]) statuses.push((await me(browser(server, key ?? ''))).status)
    expect(statuses).toEqual([401, 401, 401, 200])
  })

  test('IMP-10, IMP-12: expired by its own time; signed with an older key; unknown', async () => {
    const place = await open()
    const { key } = await django<{ key: string }>(place, `
key, _ = sign_in('alice')
print(json.dumps({'key': key}))`, { secret: OLDER })
    let now = Date.now()
    const { database } = place
    const strict = await start(database)
    expect((await me(browser(strict, key))).status).toBe(401)
    const server = await start(database, { secretKeyFallbacks: [OLDER], clock: () => now })
    now += 14 * 86_400_000 + 60_000
    expect((await me(browser(server, key))).status).toBe(401)
    now -= 120_000
    server.clock.advance(6000)
    expect((await me(browser(server, 'x'.repeat(32)))).status).toBe(401)
    expect((await me(browser(server, key))).status).toBe(200)
  })

  test('a session of the engine cached_db has a row as well, and is judged by that', async () => {
    const place = await open()
    const { key, ended } = await django<{ key: string; ended: string }>(place, `
key, user = sign_in('alice')
ended, _ = sign_in('alice')
store = SessionStore(ended); store.flush()
print(json.dumps({'key': key, 'ended': ended}))`, { engine: 'cached_db' })
    expect([await place.hasRow(key), await place.hasRow(ended)]).toEqual([true, false])
    const server = await start(place.database)
    expect((await me(browser(server, key))).status).toBe(200)
    expect((await me(browser(server, ended))).status).toBe(401)
  })

  test('IMP-08: a session without a login is left alone; the check counts it', async () => {
    const place = await open()
    const { anonymous } = await django<{ anonymous: string }>(place, `
store = SessionStore(); store['cart'] = [1]; store.save()
sign_in('alice'); _, user = sign_in('bob')
user.delete()
print(json.dumps({'anonymous': store.session_key}))`)
    const { database } = place
    const server = await start(database)
    const client = browser(server, anonymous)
    expect((await me(client)).status).toBe(401)
    expect(client.cookie('sessionid')).toBe(anonymous)
    const setup = importSessions({ importers: [fromDjango({ secretKey: SECRET, database })], until: '2026-12-31' })
    expect(await checkImport(setup)).toMatchObject({ read: 3, alive: 1, reasons: { 'anonymous': 1, 'no-user': 1 } })
  })
})
