// The commands of docs/leaks.md, run against a store with active sessions of a running application.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { keyturn } from '../support/command-line.ts'
import type { Answer } from '../support/command-line.ts'
import { startCoreServer } from '../support/core-server.ts'
import { copyDatabase, signingKeyIn, visitForged } from '../support/finder.ts'
import type { HttpClient } from '../support/http-client.ts'
import { AT, REFRESH, RT, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'
import type { SessionServer } from '../support/session-server.ts'

const SECRET = 'the old secret of the application ...'
const NEW_SECRET = 'the new secret of the application ...'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-leaks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const running: SessionServer[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const app of running.splice(0)) await app.close()
})

let number = 0
const newFile = (): string => join(folder, `${++number}.db`)
const copyOf = (file: string): string => copyDatabase(file, newFile())

/** Starts the application with a SQLite file, the real clock, and a short poll interval of the change log. */
async function start(file: string, secret: string | readonly string[] | null): Promise<SessionServer> {
  const app = await startSessionServer({
    store: openSqliteStore(file),
    ...secret === null ? {} : { secret },
    clock: Date.now,
    maxStaleness: 3600,
    pollInterval: 0.02,
    schedule(task, delay) {
      const timer = setTimeout(task, delay)
      return () => clearTimeout(timer)
    },
  })
  running.push(app)
  return app
}

async function stop(app: SessionServer): Promise<void> {
  running.splice(running.indexOf(app), 1)
  await app.close()
}

async function login(app: SessionServer, userId: string): Promise<HttpClient> {
  const client = app.client()
  const { status } = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId } })
  expect(status).toBe(200)
  return client
}

const visit = async (client: HttpClient): Promise<number> => (await client.send('GET', '/me')).status
const refresh = async (client: HttpClient): Promise<number> => (
  (await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status
)

/** Lets a browser continue with another process of the application. */
function move(client: HttpClient, app: SessionServer): HttpClient {
  const moved = app.client()
  moved.jar = client.jar
  return moved
}

/** What the running application says soon. */
const soon = (what: () => Promise<number>, status: number): Promise<void> => expect.poll(what).toBe(status)

interface ListedKey {
  readonly kid: string
  readonly purpose: string
  readonly encrypted: boolean
  readonly secret: number | null
}

async function listKeys(file: string): Promise<readonly ListedKey[]> {
  return JSON.parse((await keyturn('keys', 'list', `sqlite:${file}`, '--json')).out) as ListedKey[]
}

/** Runs a command as an operator does, with the secret in the environment. It must succeed. */
async function run(file: string, secret: string | null, ...args: string[]): Promise<Answer> {
  vi.stubEnv('KEYTURN_SECRET', secret ?? '')
  const answer = await keyturn(...args, `sqlite:${file}`)
  expect(answer.code, answer.error).toBe(0)
  return answer
}

describe('the database', () => {
  test('LEAK-01: with a secret, a copy yields no key and no token, and there is nothing to run', async () => {
    const file = newFile()
    const app = await start(file, SECRET)
    const alice = await login(app, 'alice')
    const copy = copyOf(file)
    await expect(signingKeyIn(copy, null)).rejects.toMatchObject({ code: 'MISUSE' })
    await expect(signingKeyIn(copy, NEW_SECRET)).rejects.toMatchObject({ code: 'MISUSE' })
    expect(await visit(alice)).toBe(200)
  })

  test('LEAK-01: without one, the copy forges access tokens until all keys are replaced and encrypted', async () => {
    const file = newFile()
    const app = await start(file, null)
    const alice = await login(app, 'alice')
    const stolen = await signingKeyIn(copyOf(file), null)
    expect(await visitForged(app, stolen, alice)).toBe(200)

    const { out } = await run(file, SECRET, 'sessions', 'revoke', '--all', '--yes')
    expect(out).toContain('Replaced all keys')
    // The process without the secret accepts no token any more.
    await soon(() => visitForged(app, stolen, alice), 500)
    await stop(app)
    const next = await start(file, SECRET)
    expect(await visitForged(next, stolen, alice)).toBe(401)
    expect(await visit(move(alice, next))).toBe(401)
    expect(await refresh(move(alice, next))).toBe(401)
    const again = await login(next, 'alice')
    expect([await visit(again), await refresh(again)]).toEqual([200, 200])
    expect((await listKeys(file)).every(({ encrypted }) => encrypted)).toBe(true)
    await expect(signingKeyIn(copyOf(file), null)).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('LEAK-01: sessions revoke --all does nothing without --yes, nor without the secret of the store', async () => {
    const file = newFile()
    const alice = await login(await start(file, SECRET), 'alice')
    const before = await listKeys(file)
    const bare = await keyturn('sessions', 'revoke', '--all', `sqlite:${file}`, '--secret', SECRET)
    expect([bare.code, bare.error]).toEqual([2, expect.stringContaining('confirm with --yes')])
    const blind = await keyturn('sessions', 'revoke', '--all', '--yes', `sqlite:${file}`)
    expect([blind.code, blind.error]).toEqual([1, expect.stringContaining('no secret is configured')])
    const both = await keyturn('sessions', 'revoke', '--all', '--user', 'alice', '--yes', `sqlite:${file}`)
    expect(both.code).toBe(2)
    expect(await listKeys(file)).toEqual(before)
    expect(await visit(alice)).toBe(200)
    const empty = newFile()
    await keyturn('migrate', `sqlite:${empty}`)
    const nothing = await keyturn('sessions', 'revoke', '--all', '--yes', `sqlite:${empty}`)
    expect([nothing.code, nothing.error]).toEqual([1, expect.stringContaining('is this the right store?')])
  })
})

test('LEAK-02: a refresh key: rotate replaces it without a logout, retire refuses its refresh tokens', async () => {
  const file = newFile()
  const app = await start(file, SECRET)
  const alice = await login(app, 'alice')
  const leaked = (await listKeys(file)).find(({ purpose }) => purpose === 'refresh')?.kid ?? ''
  expect(await visit(alice)).toBe(200)

  await run(file, SECRET, 'keys', 'rotate', '--purpose', 'refresh')
  expect(await refresh(alice)).toBe(200)
  expect((await listKeys(file)).filter(({ purpose }) => purpose === 'refresh')).toHaveLength(2)

  await run(file, SECRET, 'keys', 'retire', leaked)
  await soon(() => refresh(move(alice, app)), 401)
  const again = await login(app, 'alice')
  expect([await visit(again), await refresh(again)]).toEqual([200, 200])
  expect(again.cookie(RT)).not.toContain(leaked)
})

test('LEAK-03: the secret is changed in three deployments without a logout, and then decrypts nothing', async () => {
  const file = newFile()
  let app = await start(file, SECRET)
  let alice = await login(app, 'alice')

  for (const secret of [[SECRET, NEW_SECRET], [NEW_SECRET, SECRET], NEW_SECRET]) {
    await stop(app)
    app = await start(file, secret)
    alice = move(alice, app)
    expect([await visit(alice), await refresh(alice)]).toEqual([200, 200])
    if (secret[0] !== NEW_SECRET) continue
    const { out } = await run(file, NEW_SECRET, 'keys', 'list', '--json')
    expect((JSON.parse(out) as ListedKey[]).map(({ secret: which }) => which)).toEqual([1, 1])
  }
  await expect(signingKeyIn(copyOf(file), SECRET)).rejects.toMatchObject({ code: 'MISUSE' })
})

test('LEAK-03: with a copy of the store it forges access tokens, until one command with a new secret', async () => {
  const file = newFile()
  const app = await start(file, SECRET)
  const alice = await login(app, 'alice')
  const stolen = await signingKeyIn(copyOf(file), SECRET)
  expect(await visitForged(app, stolen, alice)).toBe(200)

  await run(file, NEW_SECRET, 'sessions', 'revoke', '--all', '--yes')
  // The process with the old secret cannot decrypt the new keys, and has no others.
  await soon(() => visitForged(app, stolen, alice), 500)
  await stop(app)
  const next = await start(file, NEW_SECRET)
  expect(await visitForged(next, stolen, alice)).toBe(401)
  expect([await visit(move(alice, next)), await refresh(move(alice, next))]).toEqual([401, 401])
  const again = await login(next, 'alice')
  expect([await visit(again), await refresh(again)]).toEqual([200, 200])
})

test('LEAK-02: the standalone server refuses what a retired key signed or issued, soon', async () => {
  const file = newFile()
  const core = await startCoreServer({ secrets: [SECRET] }, openSqliteStore(file))
  onTestFinished(() => core.server.close())
  const { accessToken, refreshToken } = await core.create()
  const verify = async (): Promise<string> => (await core.call('/recipe/session/verify', {
    body: { accessToken: accessToken.token, doAntiCsrfCheck: false, checkDatabase: false, enableAntiCsrf: false },
  })).json.status
  expect(await verify()).toBe('OK')
  for (const { kid, purpose } of await listKeys(file)) {
    if (purpose !== 'core-static') await run(file, SECRET, 'keys', 'retire', kid)
  }
  await expect.poll(verify).toBe('TRY_REFRESH_TOKEN')
  expect((await core.refresh(refreshToken.token)).status).toBe('UNAUTHORISED')
  const again = await core.create()
  expect((await core.refresh(again.refreshToken.token)).status).toBe('OK')
})

describe('a backup', () => {
  test('LEAK-04: its signing keys are refused as soon as they are retired; users refresh and continue', async () => {
    const file = newFile()
    const app = await start(file, null)
    const alice = await login(app, 'alice')
    const backup = copyOf(file)
    const stolen = await signingKeyIn(backup, null)
    expect(await visitForged(app, stolen, alice)).toBe(200)

    const kids = (await listKeys(backup)).filter(({ purpose }) => purpose === 'access').map(({ kid }) => kid)
    expect(kids).toEqual([stolen.kid])
    for (const kid of kids) await run(file, null, 'keys', 'retire', kid)
    await soon(() => visitForged(app, stolen, alice), 401)
    expect(await visit(alice)).toBe(401)
    expect([await refresh(alice), await visit(alice)]).toEqual([200, 200])
  })

  test('LEAK-04: a restored one has sessions that were revoked since: sessions revoke --all revokes them', async () => {
    const file = newFile()
    const app = await start(file, SECRET)
    const alice = await login(app, 'alice')
    const backup = copyOf(file)
    await run(file, SECRET, 'sessions', 'revoke', '--user', 'alice')
    await soon(() => visit(alice), 401)
    await stop(app)

    const restored = newFile()
    copyFileSync(backup, restored)
    await run(restored, SECRET, 'sessions', 'revoke', '--all', '--yes')
    const next = await start(restored, SECRET)
    expect([await visit(move(alice, next)), await refresh(move(alice, next))]).toEqual([401, 401])
    const again = await login(next, 'alice')
    expect([await visit(again), await refresh(again)]).toEqual([200, 200])
  })
})

test('LEAK-05: a log with tokens: the sessions whose tokens occur in it are revoked, and no others', async () => {
  const file = newFile()
  const app = await start(file, SECRET)
  const [alice, bob, carol, dave] = [
    await login(app, 'alice'), await login(app, 'bob'), await login(app, 'carol'), await login(app, 'dave'),
  ]
  const handleOf = async (client: HttpClient): Promise<string> => (
    (JSON.parse((await client.send('GET', '/me')).body) as { handle: string }).handle
  )
  const log = join(folder, 'access.log')
  writeFileSync(log, [
    `GET /me 200 cookie="${AT}=${alice.cookie(AT)}; theme=dark"`,
    `POST ${REFRESH} 200 cookie="${RT}=${bob.cookie(RT)}"`,
    `{"msg":"session","handle":"${await handleOf(carol)}"}`,
    `GET /me 200 cookie="${AT}=${alice.cookie(AT)}"`,
    `GET /${'c'.repeat(23)} 404 ${'h'.repeat(40)} eyJhbGciOiJub25lIn0.eyJub3QgSlNPTg.x`,
  ].join('\n'))

  const { out } = await run(file, null, 'sessions', 'revoke', '--found-in', log)
  expect(out).toBe('Revoked 3 sessions.')
  for (const client of [alice, bob, carol]) {
    await soon(() => visit(client), 401)
    expect(await refresh(client)).toBe(401)
  }
  expect([await visit(dave), await refresh(dave)]).toEqual([200, 200])
  expect(await visit(await login(app, 'alice'))).toBe(200)
  expect((await keyturn('sessions', 'revoke', '--found-in', log, `sqlite:${file}`)).code).toBe(1)
})
