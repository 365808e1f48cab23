// What `ready()`, `health()` and the first request say of stores that are down, silent, without tables or privileges.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createClient } from 'redis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { diagnoseStore } from '../../src/cli/store-diagnosis.ts'
import { createSessions } from '../../src/create-sessions.ts'
import type { Sessions } from '../../src/create-sessions.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { locateStore } from '../../src/server/store-place.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import { mysqlNames } from '../../src/stores/mysql/names.ts'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import { postgresPrivileges } from '../../src/stores/postgres/check.ts'
import { postgresNames } from '../../src/stores/postgres/names.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { openStoreByUrl } from '../../src/stores/registry.ts'
import { listPrivileges } from '../../src/stores/sql/privileges.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { opened } from '../support/mysql-pools.ts'
import { freshSchema } from '../support/postgres-pools.ts'
import { runStoreContract } from '../support/run-contract.ts'

const origin = 'https://app.example.com'

function embed(store: SessionStore): Sessions<JsonObject, JsonObject> {
  const sessions = createSessions({ origin, store })
  onTestFinished(() => sessions.close().catch(() => undefined))
  return sessions
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A port that accepts connections and never answers. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

const requestTimeout = '400ms'

/** Each kind of store with a server, by the port of that server. */
const kinds: readonly (readonly [name: string, open: (port: number) => SessionStore])[] = [
  ['PostgreSQL', port => createPostgresStore(`postgres://app@127.0.0.1:${port}/app`, { requestTimeout })],
  ['MySQL', port => createMysqlStore(`mysql://app@127.0.0.1:${port}/app`, { requestTimeout })],
  ['Redis (ioredis)', port => createRedisStore(`redis://127.0.0.1:${port}`, { requestTimeout })],
  ['Redis (redis)', port => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => undefined)
    client.connect().catch(() => undefined)
    onTestFinished(() => client.destroy())
    return createRedisStore(client, { requestTimeout })
  }],
]

/** Notes the calls that begin after another one has failed: each would wait for the time limit again. */
function sequential(inner: SessionStore): { readonly store: SessionStore; readonly late: string[] } {
  const late: string[] = []
  let hasFailed = false
  return {
    late,
    store: wrapStore((name, call) => async (...input) => {
      if (hasFailed && name !== 'close') late.push(name)
      try {
        return await call(inner, ...input)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }),
  }
}

describe.each(kinds)('L-36: %s', (_, open) => {
  describe.each([['down', closedPort], ['silent', silentPort]] as const)('that is %s when the application starts', (_state, findPort) => {
    test('L-36: the first login gets STORE_UNAVAILABLE after one time limit: no call begins after a failed one', async () => {
      const { store, late } = sequential(open(await findPort()))
      const sessions = embed(store)
      const login = webSessions(sessions).createNewSession(
        new Request(`${origin}/login`, { method: 'POST', headers: { origin } }), new Headers(), 'alice')
      await expect(login).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503, reason: 'store-unreachable' })
      expect(late).toEqual([])
    })

    test('L-36: ready() rejects with the reason and the cure, health() says so', async () => {
      const sessions = embed(open(await findPort()))
      const problem = { code: 'STORE_UNAVAILABLE', reason: 'store-unreachable' }
      await expect(sessions.ready()).rejects.toMatchObject(problem)
      await expect(sessions.ready()).rejects.toThrow('check that the store runs and that its address is right')
      expect(await sessions.health()).toMatchObject({
        status: 'failing', reasons: ['store-unreachable', 'keys-missing'],
        store: { isReachable: false, latency: null, lastFailure: { reason: 'store-unreachable' } },
      })
    })
  })
})

const postgresUrl = inject('postgresUrl')

describe.skipIf(postgresUrl === null)('L-36: PostgreSQL', () => {
  const url = postgresUrl ?? ''

  async function run(sql: string): Promise<void> {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(sql)
    await client.end()
  }

  test('L-36: missing, outdated and newer tables have different reasons; the same object becomes ready after the migration', async () => {
    const schema = freshSchema()
    const sessions = embed(createPostgresStore(url, { schema }))
    await expect(sessions.ready()).rejects.toMatchObject({
      code: 'MISUSE', reason: 'tables-missing', message: expect.stringContaining('npx keyturn migrate'),
    })
    expect(await sessions.health()).toMatchObject({ status: 'failing', reasons: ['tables-missing', 'keys-missing'] })
    await migratePostgres(url, { schema })
    for (const [version, reason] of [[0, 'tables-outdated'], [99, 'tables-newer']] as const) {
      await run(`UPDATE "${schema}".keyturn_meta SET number = ${version} WHERE name = 'schema'`)
      await expect(sessions.ready()).rejects.toMatchObject({ code: 'MISUSE', reason })
    }
    await run(`UPDATE "${schema}".keyturn_meta SET number = 1 WHERE name = 'schema'`)
    await sessions.ready()
    expect(await sessions.health()).toMatchObject({ status: 'ok', keys: { count: 2 } })
  })

  test('L-36: refused credentials and a server that accepts no writes have reasons of their own', async () => {
    const wrong = new URL(url)
    wrong.username = 'nobody_there'
    await expect(embed(createPostgresStore(wrong.href)).ready())
      .rejects.toMatchObject({ reason: 'credentials-refused' })
    const schema = freshSchema()
    await migratePostgres(url, { schema })
    const readOnly = `${url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`
    const pool = new (await import('pg')).Pool({ connectionString: readOnly })
    onTestFinished(() => pool.end())
    await expect(embed(createPostgresStore(pool, { schema })).ready())
      .rejects.toThrow('accepts no writes: it is a standby, or default_transaction_read_only is on')
  })

  test('L-36: missing privileges are named before the first request', async () => {
    const [schema, role] = [freshSchema(), freshSchema()]
    await migratePostgres(url, { schema })
    await run(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
      REVOKE INSERT ON ${schema}.keyturn_session FROM ${role}; REVOKE DELETE ON ${schema}.keyturn_change FROM ${role}`)
    const app = new URL(url)
    app.username = role
    const sessions = embed(createPostgresStore(app.href, { schema }))
    const problem = sessions.ready()
    await expect(problem).rejects.toMatchObject({ code: 'MISUSE', reason: 'privileges-missing' })
    await expect(problem).rejects.toThrow(
      `grant INSERT ON "${schema}"."keyturn_session", DELETE ON "${schema}"."keyturn_change"`)
    expect(await diagnoseStore(locateStore({ store: app.href, prefix: null, schema }, 'public'), [])).toEqual([
      { kind: 'wrong', about: 'store', words: expect.stringContaining(`grant INSERT ON "${schema}"."keyturn_session"`) },
    ])
    await run(
      `GRANT INSERT ON ${schema}.keyturn_session TO ${role}; GRANT DELETE ON ${schema}.keyturn_change TO ${role}`,
    )
    await sessions.ready()
  })

  test('L-36: the statement of docs/stores.md grants what is needed', async () => {
    const [schema, role] = [freshSchema(), freshSchema()]
    await migratePostgres(url, { schema })
    const guide = readFileSync(join(import.meta.dirname, '../../docs/stores.md'), 'utf8')
    const [grant = ''] = /^GRANT .*?;$/ms.exec(guide) ?? []
    await run(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role}; SET search_path = ${schema};
      ${grant.replace(/ app;$/, ` ${role};`)}`)
    const app = new URL(url)
    app.username = role
    await embed(createPostgresStore(app.href, { schema })).ready()
  })

  let contracts = 0
  runStoreContract('PostgreSQL, as a user with exactly the privileges that ready() demands', async () => {
    const [schema, role] = [freshSchema(), `contract_role_${process.pid}_${++contracts}`]
    await migratePostgres(url, { schema })
    const needed = listPrivileges(postgresNames({ schema }), postgresPrivileges)
    await run(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role};
      ${needed.map(([table, privilege]) => `GRANT ${privilege} ON ${table} TO ${role}`).join(';')}`)
    const app = new URL(url)
    app.username = role
    return { open: async () => createPostgresStore(app.href, { schema, poolSize: 4, requestTimeout: 60 }), discard: async () => undefined }
  })
})

for (const { name, available, url } of await mysqlEngines('ready')) describe.skipIf(!available)(`L-36: ${name}`, () => {
  async function run(...statements: readonly string[]): Promise<void> {
    const connection = await createConnection(url)
    for (const sql of statements) await connection.query(sql)
    await connection.end()
  }

  test('L-36: missing, outdated and newer tables have different reasons; the same object becomes ready after the migration', async () => {
    const sessions = embed(createMysqlStore(url, { prefix: 'tables_' }))
    await expect(sessions.ready()).rejects.toMatchObject({ code: 'MISUSE', reason: 'tables-missing' })
    await migrateMysql(url, { prefix: 'tables_' })
    for (const [version, reason] of [[0, 'tables-outdated'], [99, 'tables-newer']] as const) {
      await run(`UPDATE tables_meta SET number = ${version} WHERE name = 'schema'`)
      await expect(sessions.ready()).rejects.toMatchObject({ code: 'MISUSE', reason })
    }
    await run('UPDATE tables_meta SET number = 1 WHERE name = \'schema\'')
    await sessions.ready()
    expect(await sessions.health()).toMatchObject({ status: 'ok', keys: { count: 2 } })
  })

  const user = 'limited@\'127.0.0.1\''
  const grantsFor = (prefix: string): readonly string[] => (
    listPrivileges(mysqlNames({ prefix })).map(([table, privilege]) => `GRANT ${privilege} ON ${table} TO ${user}`)
  )
  const app = new URL(url === '' ? 'mysql://nowhere' : url)
  app.username = 'limited'

  test('L-36: missing privileges are named before the first request, refused credentials, too', async () => {
    await expect(embed(createMysqlStore(app.href)).ready()).rejects.toMatchObject({ reason: 'credentials-refused' })
    await migrateMysql(url, { prefix: 'rights_' })
    const grants = grantsFor('rights_')
    const [insert, remove] = ['INSERT ON `rights_session`', 'DELETE ON `rights_change`']
    await run(`CREATE USER ${user}`, ...grants.filter(grant => !grant.includes(insert) && !grant.includes(remove)))
    const sessions = embed(createMysqlStore(app.href, { prefix: 'rights_' }))
    const problem = sessions.ready()
    await expect(problem).rejects.toMatchObject({ code: 'MISUSE', reason: 'privileges-missing' })
    await expect(problem).rejects.toThrow(`grant ${insert}, ${remove}`)
    await run(...grants)
    await sessions.ready()
  })

  let contracts = 0
  runStoreContract(`${name}, as a user with exactly the privileges that ready() demands`, async () => {
    const prefix = `rights_${++contracts}_`
    await migrateMysql(url, { prefix })
    await run(...grantsFor(prefix))
    return { open: async () => createMysqlStore(app.href, { prefix, poolSize: 4, requestTimeout: 60 }), discard: async () => undefined }
  })
})

describe('L-36: SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-ready-'))

  test('L-36: missing, outdated and newer tables have their reasons, also if a process has the file open meanwhile', async () => {
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'app.db')
    const store = opened(openSqliteStore(file))
    await embed(store).ready()
    const database = new DatabaseSync(file)
    for (const [version, reason] of [[0, 'tables-outdated'], [99, 'tables-newer']] as const) {
      database.exec(`UPDATE keyturn_meta SET value = '${version}' WHERE name = 'schema'`)
      await expect(openStoreByUrl(`sqlite:${file}`, { migrate: 'manual' }))
        .rejects.toMatchObject({ code: 'MISUSE', reason })
      // The file was migrated while a process has it open.
      await expect(embed(store).ready()).rejects.toMatchObject({ reason })
    }
    database.close()
    await expect(openStoreByUrl(`sqlite:${join(folder, 'none.db')}`, { migrate: 'manual' }))
      .rejects.toMatchObject({ code: 'MISUSE', reason: 'tables-missing' })
  })
})
