// Sessions as SuperTokens cores keep them are taken over at the refresh endpoint.
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { checkImport, importedHandleOf, importSessions, fromSuperTokens } from '../../src/import/index.ts'
import type { ForeignDatabase, SuperTokensOptions } from '../../src/import/index.ts'
import type { ImportRefusal } from '../../src/session/events.ts'
import type { HttpClient, Reply } from '../support/http-client.ts'
import { openPool as openMysqlPool } from '../support/mysql-pools.ts'
import { createOldRefreshToken, createRefreshTokenKey, h, oldTables } from '../support/old-supertokens.ts'
import { openPool as openPostgresPool } from '../support/postgres-pools.ts'
import { REFRESH, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const [postgresUrl, mysqlUrl, mariadbUrl] = [inject('postgresUrl'), inject('mysqlUrl'), inject('mariadbUrl')]
const key = createRefreshTokenKey()

/** The database of a core. */
interface Core {
  readonly database: ForeignDatabase
  /** Runs statements; values are quoted by the test. */
  run(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

interface Kind {
  readonly name: string
  readonly available: boolean
  open(isNew: boolean): Promise<Core>
}

function mysqlKind(name: string, url: string | null): Kind {
  return {
    name,
    available: url !== null,
    async open(isNew) {
      const pool = openMysqlPool(url ?? '')
      for (const table of ['session_info', 'key_value', 'userid_mapping', 'app_id_to_user_id']) {
        await pool.query(`DROP TABLE IF EXISTS st_${table}`)
      }
      for (const statement of oldTables('st_', isNew)) await pool.query(statement)
      return {
        database: pool,
        async run(sql) {
          const [rows] = await pool.query(sql)
          return Array.isArray(rows) ? rows.map(row => Object.fromEntries(Object.entries(row))) : []
        },
      }
    },
  }
}

const kinds: readonly Kind[] = [
  {
    name: 'PostgreSQL',
    available: postgresUrl !== null,
    async open(isNew) {
      const pool = openPostgresPool(`${postgresUrl}?options=-c%20search_path%3Dsupertokens`)
      await pool.query('DROP SCHEMA IF EXISTS supertokens CASCADE; CREATE SCHEMA supertokens')
      for (const statement of oldTables('st_', isNew)) await pool.query(statement)
      return { database: pool, run: async sql => (await pool.query(sql)).rows }
    },
  },
  mysqlKind('MySQL', mysqlUrl),
  mysqlKind('MariaDB', mariadbUrl),
]

const refusals: ImportRefusal[] = []

async function start(core: Core, options: Partial<SuperTokensOptions> = {}): Promise<SessionServer> {
  refusals.length = 0
  const importer = fromSuperTokens({ database: core.database, prefix: 'st', ...options })
  const server = await startSessionServer({
    events: { onImportRefused: refusal => refusals.push(refusal) },
    imports: importSessions({ importers: [importer], until: '2026-06-30', mode: 'retire' }),
  })
  onTestFinished(() => server.close())
  return server
}

interface OldSession {
  readonly handle: string
  /** The current refresh token of the row. */
  readonly parent: string
  /** A child of it, which the core has given out, and which was not used yet. */
  child(): string
}

async function createSession(
  core: Core,
  overrides: Readonly<Record<string, string | number>> = {},
  antiCsrfToken?: string,
): Promise<OldSession> {
  const handle = `${overrides['session_handle'] ?? randomUUID()}`
  const userId = `${overrides['user_id'] ?? 'alice'}`
  const tenantId = `${overrides['tenant_id'] ?? 'public'}`
  const content = {
    sessionHandle: handle, userId, ...antiCsrfToken === undefined ? {} : { antiCsrfToken },
    ...tenantId === 'public' ? {} : { tenantId },
  }
  const parent = createOldRefreshToken(key, content)
  const row = {
    app_id: 'public', tenant_id: tenantId, session_handle: handle, user_id: userId, refresh_token_hash_2: h(h(parent)),
    session_data: '{"note":"n"}', expires_at: Date.now() + 86_400_000, created_at_time: Date.now() - 3_600_000,
    jwt_user_payload: '{"role":"admin","iss":"https://api.example.com/auth","sub":"x"}', ...overrides,
  }
  const value = (each: string | number): string => typeof each === 'number' ? `${each}` : `'${each}'`
  await core.run(`INSERT INTO st_session_info (${Object.keys(row).join(', ')}, use_static_key)
    VALUES (${Object.values(row).map(value).join(', ')}, FALSE)`)
  return { handle, parent, child: () => createOldRefreshToken(key, { ...content, parentRefreshTokenHash1: h(parent) }) }
}

async function storeKey(core: Core): Promise<void> {
  await core.run(`INSERT INTO st_key_value VALUES ('public', 'public', 'refresh_token_key', '${key}', 1)`)
}

function browser(server: SessionServer, token: string): HttpClient {
  const client = server.client()
  client.keep(`sRefreshToken=${encodeURIComponent(token)}; Path=${REFRESH}; Secure; HttpOnly`)
  client.keep('sAccessToken=old; Path=/; Secure; HttpOnly')
  return client
}

const refresh = (client: HttpClient, headers: object = {}): Promise<Reply> => (
  client.send('POST', REFRESH, { headers: { ...SAME_ORIGIN, ...headers } })
)
const me = (client: HttpClient): Promise<Reply> => client.send('GET', '/me')
const reasons = (): string[] => refusals.map(({ reason }) => reason)
const rowsOf = async (core: Core, handle: string): Promise<number> => (
  (await core.run(`SELECT session_handle FROM st_session_info WHERE session_handle = '${handle}'`)).length
)

describe.each(kinds.filter(({ available }) => available))('SuperTokens on $name', ({ open }) => {
  test('IMP-03: the current token, and any unused child of it, get one session', async () => {
    const core = await open(false)
    await storeKey(core)
    const old = await createSession(core, { tenant_id: 'one', session_handle: `${randomUUID()}_one` })
    const server = await start(core)
    const clients = [old.parent, old.child(), old.child(), old.child(), old.parent].map(token => browser(server, token))
    const replies = await Promise.all(clients.map(client => refresh(client)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const [client] = clients
    if (client === undefined) return
    expect(JSON.parse((await me(client)).body))
      .toMatchObject({ userId: 'alice', tenantId: 'one', payload: { role: 'admin' } })
    const handles = await server.sessions.getAllSessionHandlesForUser('alice')
    expect(handles).toEqual([await importedHandleOf('supertokens', `public one ${old.handle}`)])
    expect(await server.sessions.getSessionInfo(handles[0] ?? '')).toEqual({ note: 'n' })
    expect(await rowsOf(core, old.handle)).toBe(0)
    expect(client.jar.filter(({ name }) => /^s(?:Access|Refresh)Token$/.test(name))).toEqual([])
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).status).toBe(200)
    for (const token of [old.parent, old.child()]) expect((await refresh(browser(server, token))).status).toBe(401)
  })

  test('IMP-02: what the core does afterwards revives nothing, and what it did meanwhile is not deleted', async () => {
    const core = await open(false)
    await storeKey(core)
    const old = await createSession(core)
    const child = old.child()
    const server = await start(core)
    const client = browser(server, old.parent)
    expect((await refresh(client)).status).toBe(200)
    expect(await rowsOf(core, old.handle)).toBe(0)
    // The core of a late request writes the row again, with the child as the current token.
    await createSession(core, { session_handle: old.handle, refresh_token_hash_2: h(h(child)) })
    const [handle = ''] = await server.sessions.getAllSessionHandlesForUser('alice')
    await server.sessions.revokeSession(handle)
    expect((await refresh(browser(server, child))).status).toBe(401)
    expect((await refresh(browser(server, old.parent))).status).toBe(401)
    expect(await rowsOf(core, old.handle)).toBe(1)
  })

  test('a token that was replaced is refused, before the take-over and after it, and ends nothing', async () => {
    const core = await open(false)
    await storeKey(core)
    const old = await createSession(core)
    const child = old.child()
    const stranger = old.child()
    await core.run(`UPDATE st_session_info SET refresh_token_hash_2 = '${h(h(child))}'`)
    const server = await start(core)
    expect((await refresh(browser(server, old.parent))).status).toBe(401)
    expect((await refresh(browser(server, stranger))).status).toBe(401)
    expect(await rowsOf(core, old.handle)).toBe(1)
    const client = browser(server, child)
    expect((await refresh(client)).status).toBe(200)
    expect((await refresh(browser(server, stranger))).status).toBe(401)
    expect(reasons()).toEqual(['reused', 'reused', 'reused'])
    expect((await me(client)).status).toBe(200)
  })

  test('of cores from 12.1 on, the token before the last one is accepted for the grace period', async () => {
    const core = await open(true)
    await storeKey(core)
    const old = await createSession(core)
    const before = createOldRefreshToken(key, { sessionHandle: old.handle, userId: 'alice' })
    const rotate = (ago: number): Promise<unknown> => core.run(
      `UPDATE st_session_info SET prev_refresh_token_hash_2 = '${h(h(before))}',
       refresh_token_rotated_at = ${Date.now() - ago}`)
    await rotate(60_000)
    const server = await start(core)
    expect((await refresh(browser(server, before))).status).toBe(401)
    await rotate(1000)
    server.clock.advance(6000)
    expect((await refresh(browser(server, before))).status).toBe(200)
  })

  test('expired and unknown ones are refused; tampered ones are not ours', async () => {
    const core = await open(false)
    await storeKey(core)
    const old = await createSession(core, { expires_at: Date.now() - 1 })
    const gone = createOldRefreshToken(key, { sessionHandle: randomUUID(), userId: 'alice' })
    const server = await start(core)
    expect((await refresh(browser(server, old.parent))).status).toBe(401)
    expect((await refresh(browser(server, gone))).status).toBe(401)
    expect(reasons()).toEqual(['invalid', 'invalid'])
    const { parent } = await createSession(core)
    const flipped = `${parent.startsWith('A') ? 'B' : 'A'}${parent.slice(1)}`
    for (
      const token of [flipped, parent.replace(/\.[^.]+\.V2$/, `.${h('x')}.V2`),
        createOldRefreshToken(createRefreshTokenKey(), {
          sessionHandle: randomUUID(),
          userId: 'alice',
    })]) {
      expect((await refresh(browser(server, token))).status).toBe(401)
    }
    expect(reasons()).toEqual(['invalid', 'invalid'])
    expect((await refresh(browser(server, parent))).status).toBe(200)
  })

  test('a token that names an anti-CSRF token needs it once', async () => {
    const core = await open(false)
    await storeKey(core)
    const old = await createSession(core, {}, 'a-uuid')
    const server = await start(core)
    expect((await refresh(browser(server, old.parent))).status).toBe(401)
    expect((await refresh(browser(server, old.parent), { 'anti-csrf': 'b-uuid' })).status).toBe(401)
    expect((await refresh(browser(server, old.parent), { 'anti-csrf': 'a-uuid' })).status).toBe(200)
  })

  test('in header mode, and the key given by the application', async () => {
    const core = await open(false)
    const old = await createSession(core, { session_data: '{}' })
    const server = await start(core, { refreshTokenKey: key })
    const reply = await server.client().send('POST', REFRESH, { headers: { authorization: `Bearer ${old.parent}` } })
    expect([reply.status, reply.setCookies]).toEqual([200, []])
    const { 'st-access-token': access = '', 'st-refresh-token': next = '' } = reply.headers
    const mine = await server.client().send('GET', '/me', { headers: { authorization: `Bearer ${access}` } })
    expect(mine.status).toBe(200)
    expect(next).toMatch(/^kt1\./)
  })

  test('the user is the primary user, under its external id', async () => {
    const core = await open(false)
    await storeKey(core)
    const [recipe, primary] = [randomUUID(), randomUUID()]
    await core.run(`INSERT INTO st_app_id_to_user_id VALUES ('public', '${recipe}', 'emailpassword', '${primary}')`)
    await core.run(`INSERT INTO st_userid_mapping VALUES ('public', '${recipe}', 'recipe-external')`)
    await core.run(`INSERT INTO st_userid_mapping VALUES ('public', '${primary}', 'primary-external')`)
    const old = await createSession(core, { user_id: 'recipe-external' })
    await createSession(core, { user_id: 'recipe-external' })
    const server = await start(core)
    expect((await refresh(browser(server, old.parent))).status).toBe(200)
    expect(await server.sessions.getAllSessionHandlesForUser('primary-external')).toHaveLength(1)
    await server.sessions.revokeAllSessionsForUser('primary-external')
    expect(await core.run('SELECT session_handle FROM st_session_info')).toEqual([])
  })

  test('a request with an old access token is asked to refresh', async () => {
    const core = await open(false)
    await storeKey(core)
    const server = await start(core)
    const token = [{ alg: 'RS256', kid: 'd-1', version: '5' }, { sub: 'alice' }]
      .map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const client = server.client()
    client.keep(`sAccessToken=${token}.c2ln; Path=/; Secure; HttpOnly`)
    const reply = await me(client)
    expect([reply.status, JSON.parse(reply.body).message]).toEqual([401, 'try refresh token'])
  })

  test('the check counts every session', async () => {
    const core = await open(false)
    await storeKey(core)
    for (let count = 0; count < 5; count++) await createSession(core)
    await createSession(core, { expires_at: 1 })
    await createSession(core, { jwt_user_payload: JSON.stringify({ filler: 'x'.repeat(2001) }) })
    const setup = importSessions({
      importers: [fromSuperTokens({ database: core.database, prefix: 'st' })],
      until: '2027-06-30',
    })
    const parts: (number | null)[] = []
    const result = await checkImport(setup, { batch: 3, onProgress: ({ read }, total) => parts.push(read, total) })
    expect(result).toMatchObject({ read: 7, alive: 5, reasons: { expired: 1, unwritable: 1 } })
    expect(parts).toEqual([3, 7, 6, 7, 7, 7, 7, 7])
  })
})
