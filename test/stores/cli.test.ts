import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { openStoreByUrl } from '../../src/stores/registry.ts'
import { sampleRecord } from '../../src/testing/samples.ts'
import { keyturn } from '../support/command-line.ts'
import type { Answer } from '../support/command-line.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const MINUTE = 60_000
const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** Runs the program on a machine whose clock is ahead. */
async function keyturnAhead(ahead: number, ...args: string[]): Promise<Answer> {
  const preload = `data:text/javascript,const now = Date.now; Date.now = () => now() + ${ahead}`
  const child = spawn(process.execPath, ['--conditions=keyturn-source', '--import', preload, main, ...args])
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out: out.trimEnd(), error: error.trimEnd() }
}

const folder = mkdtempSync(join(tmpdir(), 'keyturn-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('help', () => {
  test('lists the commands and the exit codes', async () => {
    const { code, out } = await keyturn()
    expect(code).toBe(0)
    expect(out).toContain('migrate')
    expect(out).toContain('cleanup')
    expect(out).toContain('Exit codes')
    expect((await keyturn('migrate', '--help')).out).toContain('--print')
  })

  test('migrate --print needs no database: a scheme is enough, and SQLite the default', async () => {
    expect((await keyturn('migrate', '--print')).out).toContain('keyturn_session')
    expect((await keyturn('migrate', '--print', 'postgres:')).out).toContain('fillfactor')
  })

  test('a pipe that closes early, as that of `| head`, is no error', async () => {
    const script = '"$0" --conditions=keyturn-source "$1" migrate --print; echo "exit code $?" >&2'
    const child = spawn('sh', ['-c', script, process.execPath, main])
    child.stdout.destroy()
    expect(await text(child.stderr)).toBe('exit code 0\n')
  })

  test('a reader of errors and logs that goes away does not end the process', async () => {
    const child = spawn(process.execPath, ['--conditions=keyturn-source', main, 'conquer'])
    child.stderr.destroy()
    expect(await once(child, 'exit')).toEqual([2, null])
  })

  test.each([
    [['conquer'], 'no command'],
    [['migrate', 'sqlite:a', 'sqlite:b'], 'two stores were given'],
    [['migrate', 'oracle://x'], 'migrate takes one argument, the store: a URL that begins with sqlite:, postgres:,'],
    [['migrate', 'sqlite:a', '--colour'], '--colour'],
    [['migrate', 'redis://127.0.0.1:1'], 'nothing to migrate'],
    [['cleanup', 'sqlite:a', 'sqlite:b'], 'two stores were given'],
  ])('%j is called with invalid arguments: exit code 2', async (args, message) => {
    const { code, error } = await keyturn(...args)
    expect(code).toBe(2)
    expect(error).toContain(message)
  })
})

describe('a store that cannot be reached', () => {
  test('exit code 1, and no credentials in the message (ST-07)', async () => {
    const { code, error, out } = await keyturn('migrate', 'postgres://ada:hunter2@127.0.0.1:1/none')
    expect(code).toBe(1)
    expect(error + out).not.toContain('hunter2')
  })
})

const postgresServer = inject('postgresUrl')

describe.each([
  ['SQLite', `sqlite:${join(folder, 'cli.db')}`],
  ['PostgreSQL', postgresServer === null ? null : await createPostgresDatabase(postgresServer, 'cli')],
  ...(await mysqlEngines('cli')).map(engine => [engine.name, engine.available ? engine.url : null] as const),
].map(([name, url]) => ({ name, url })))('on $name', ({ name, url: database }) => {
  const url = (): string => database ?? ''
  beforeEach(context => context.skip(database === null))

  test('migrate creates the tables, once', async () => {
    expect((await keyturn('migrate', url())).code).toBe(0)
    const again = await keyturn('migrate', url())
    expect(again).toMatchObject({ code: 0, error: '' })
    expect(again.out).toContain('up to date')
  })

  test('migrate --print shows the SQL, with the prefix', async () => {
    const { code, out } = await keyturn('migrate', url(), '--print', '--prefix', 'app_')
    expect(code).toBe(0)
    expect(out).toContain('CREATE TABLE')
    expect(out).toContain('app_session')
    expect(out).not.toContain('keyturn_session')
  })

  test('cleanup removes expired sessions, and nothing else', async () => {
    const store = await openStoreByUrl(url())
    const now = Date.now()
    const times = { createdAt: now - 10_000, rotatedAt: now - 10_000, servedAt: now - 10_000, idleTimeout: 5000 }
    const handle = (): ReturnType<typeof createHandle> => createHandle('cookie', nodeCrypto.randomBytes)
    for (let index = 0; index < 3; index++) {
      await store.insert(sampleRecord({ ...times, handle: handle(), expiresAt: now - 5000, absoluteExpiry: null }))
    }
    const kept = sampleRecord({
      ...times,
      handle: handle(),
      idleTimeout: 60_000,
      expiresAt: now + 50_000,
      absoluteExpiry: null,
    })
    await store.insert(kept)
    expect(await keyturn('cleanup', url(), '--json')).toEqual({ code: 0, out: '{"removed":3}', error: '' })
    expect(await keyturn('cleanup', url())).toEqual({ code: 0, out: 'Removed 0 expired sessions.', error: '' })
    expect(await store.find(kept.handle)).not.toBeNull()
    await store.close()
  })

  // A file has no clock of its own.
  if (name !== 'SQLite') test('a machine whose clock is ahead uses the time of the database', async () => {
    const store = await openStoreByUrl(url())
    const handle = createHandle('cookie', nodeCrypto.randomBytes)
    const now = Date.now()
    await store.insert(sampleRecord({
      handle, userId: 'ahead', createdAt: now, rotatedAt: now, servedAt: now, idleTimeout: 5 * MINUTE,
      expiresAt: now + 5 * MINUTE, absoluteExpiry: null,
    }))
    const [removed, listed, refused] = await Promise.all([
      keyturnAhead(10 * MINUTE, 'cleanup', url()),
      keyturnAhead(10 * MINUTE, 'sessions', 'list', 'ahead', url(), '--json'),
      keyturnAhead(45 * MINUTE, 'cleanup', url()),
    ])
    expect(removed).toEqual({ code: 0, out: 'Removed 0 expired sessions.', error: '' })
    expect(JSON.parse(listed.out).sessions).toEqual([expect.objectContaining({ handle })])
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.error).toMatch(/^keyturn cleanup: this machine's clock is \d+ s ahead of the store's/)
    expect(await store.find(handle)).not.toBeNull()

    const revoked = await keyturnAhead(45 * MINUTE, 'sessions', 'revoke', handle, url())
    expect(revoked).toMatchObject({ code: 0, out: 'Revoked 1 session.' })
    expect(revoked.error).toMatch(/ahead of the store's.*Using this machine's clock instead$/)
    await store.close()
  })
})
