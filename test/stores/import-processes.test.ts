// 15 take-overs of one old session in each of three processes, in every store.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { importSessions } from '../../src/import/index.ts'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { freshSchema, openPool, opened } from '../support/postgres-pools.ts'
import { realStores } from '../support/real-stores.ts'
import { createDirectory } from '../support/servers/workspace.ts'
import { RT, SAME_ORIGIN, SIGNOUT, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'
import type { HttpClient } from '../support/http-client.ts'
import type { SessionStore } from '../../src/session/store.ts'

async function serve(store: SessionStore, old: OldSystem): Promise<SessionServer> {
  const server = await startSessionServer({
    store, imports: importSessions({ importers: [old], until: '2026-06-30', mode: 'retire' }),
  })
  onTestFinished(() => server.close())
  return server
}

function browser(server: SessionServer): HttpClient {
  const client = server.client()
  client.keep('old=id-1; Path=/')
  return client
}

describe.each(realStores.filter(({ available }) => available))('IMP-04: in $name', ({ name, open }) => {
  test('45 take-overs on three connections give one session and the same tokens', async () => {
    const data = `i${name.toLowerCase().replaceAll(/[^a-z]/g, '')}${process.pid}`
    const old = new OldSystem()
    old.sessions.set('id-1', { userId: 'alice' })
    const servers = [await serve(await open(data), old), await serve(await open(data), old),
      await serve(await open(data), old)]
    const clients = servers.flatMap(server => Array.from({ length: 15 }, () => browser(server)))
    const replies = await Promise.all(clients.map(client => client.send('GET', '/me')))
    expect(servers.flatMap(({ failures }) => failures)).toEqual([])
    expect(replies.map(({ status }) => status)).toEqual(Array(45).fill(200))
    expect(new Set(clients.map(client => client.cookie(RT))).size).toBe(1)
    const [server] = servers
    const [client] = clients
    expect(await server?.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
    expect(old.sessions.size).toBe(0)
    expect((await client?.send('POST', SIGNOUT, { headers: SAME_ORIGIN }))?.status).toBe(200)
    old.sessions.set('id-1', { userId: 'alice' })
    const again = await Promise.all(servers.map(each => browser(each).send('GET', '/me')))
    expect(again.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(await server?.sessions.getAllSessionHandlesForUser('alice')).toEqual([])
  })
})

const postgresUrl = inject('postgresUrl')

test.runIf(postgresUrl !== null)('IMP-04: take-overs that wait too long for a connection are 503, and get one session when repeated', async () => {
  const schema = freshSchema()
  const pool = openPool(postgresUrl ?? '', 1)
  await migratePostgres(pool, { schema })
  const old = new OldSystem()
  old.sessions.set('id-1', { userId: 'alice' })
  const server = await serve(opened(createPostgresStore(pool, { schema, requestTimeout: 0.2 })), old)
  await server.sessions.ready()
  // The pool has one connection, and this is it.
  const connection = await pool.connect()
  const clients = Array.from({ length: 15 }, () => browser(server))
  const refused = await Promise.all(clients.map(client => client.send('GET', '/me')))
  expect(refused.map(({ status, headers, setCookies }) => [status, headers['retry-after'], setCookies]))
    .toEqual(Array(15).fill([503, '1', []]))
  expect(server.failures).toEqual(Array(15).fill(expect.objectContaining({
    code: 'STORE_UNAVAILABLE', reason: 'store-unreachable', message: 'the PostgreSQL database did not answer within 200 ms',
  })))
  connection.release()
  await Promise.all(clients.map(client => expect.poll(async () => (await client.send('GET', '/me')).status).toBe(200)))
  expect(new Set(clients.map(client => client.cookie(RT))).size).toBe(1)
  expect(await server.sessions.getAllSessionHandlesForUser('alice')).toHaveLength(1)
})

/** Starts a process with a server of its own. It says what its 15 take-overs have given. */
function startProcess(file: string): { readonly child: ChildProcess; next(): Promise<unknown> } {
  const child = fork(join(import.meta.dirname, '../support/import-child.ts'), [file], {
    execArgv: ['--conditions=keyturn-source'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    child,
    next: () => new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', code => reject(new Error(`the process ended with ${code}`)))
    }),
  }
}

test('IMP-04: 15 take-overs in each of three processes on one file give one session', async () => {
  const file = join(createDirectory(), 'keyturn.db')
  const store = openSqliteStore(file)
  onTestFinished(() => store.close())
  await store.listKeys()
  const processes = [startProcess(file), startProcess(file), startProcess(file)]
  expect(await Promise.all(processes.map(({ next }) => next()))).toEqual(['ready', 'ready', 'ready'])
  const answers = processes.map(({ child, next }) => {
    const answer = next()
    child.send('go')
    return answer
  })
  const tokens = (await Promise.all(answers)).flat()
  expect([tokens.length, new Set(tokens).size]).toEqual([45, 1])
  expect((await store.listByUser('alice', { limit: 10, after: null })).sessions).toHaveLength(1)
})
