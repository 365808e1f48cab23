// How commands find the store and the application, and what they print about the store.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { keyturn } from '../support/command-line.ts'
import { serveProcess } from '../support/serve-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-store-cli-'))
const store = `sqlite:${join(folder, 'keyturn.db')}`
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('V-10: one way to name a store and an application', () => {
  const readers = [
    ['keys', 'list'], ['keys', 'encrypt'], ['sessions', 'list', 'ada'], ['sessions', 'revoke', '--user', 'ada'],
    ['cleanup'],
    ['migrate'], ['doctor'], ['serve'],
  ]

  test.each(readers)('two stores, or an unknown argument, are refused and not repeated: %s %s %s', async (...args) => {
    const command = args.filter(word => word !== undefined)
    const twice = await keyturn(...command, 'sqlite:hunter2.db', 'postgres://ada:hunter2@127.0.0.1:1/app')
    expect([twice.code, twice.error]).toEqual([2, expect.stringContaining('two stores were given')])
    const other = await keyturn(...command, 'oracle://ada:hunter2@db', '--port', '0')
    expect(other.code).toBe(2)
    const flag = await keyturn(...command, '--database', 'sqlite:hunter2.db')
    expect([flag.code, flag.error]).toEqual([2, expect.stringContaining('--database')])
    for (const { out, error } of [twice, other, flag]) expect(out + error).not.toContain('hunter2')
  })

  test('doctor refuses a request and a store in one call', async () => {
    const { code, error } = await keyturn('doctor', 'https://app.example.com/me', store)
    expect([code, error]).toEqual([2, expect.stringContaining('doctor takes one of')])
  })

  test('an argument after -- is never read as a store: a user id may look like one', async () => {
    const file = join(folder, 'users.db')
    await openSqliteStore(file).close()
    const { code, error } = await keyturn('sessions', 'list', 'redis:42', `sqlite:${file}`)
    expect([code, error]).toEqual([2, expect.stringContaining('Arguments after -- are not read as stores')])
    expect(await keyturn('sessions', 'list', `sqlite:${file}`, '--', 'redis:42'))
      .toMatchObject({ code: 0, out: 'This user has no active session.' })
  })

  test('an invalid prefix, or one that is too long with the application\'s id, is refused', async () => {
    const refused = await keyturn('keys', 'list', store, '--prefix', 'a-b')
    expect([refused.code, refused.error]).toEqual([2, expect.stringContaining('--prefix must be 1 to 31 letters')])
    const long = await keyturn('serve', store, '--prefix', 'p'.repeat(30), '--app', 'shop')
    expect([long.code, long.error])
      .toEqual([2, expect.stringContaining(`--prefix and --app make the prefix "${'p'.repeat(30)}shop_"`)])
  })

  test('a server and the commands find the same tables by arguments, variables and configuration file', async () => {
    const inside = mkdtempSync(join(folder, 'v'))
    const config = join(inside, 'keyturn.json')
    const url = `sqlite:${join(inside, 'sessions.db')}`
    writeFileSync(config, JSON.stringify({ store: url, apps: ['shop'] }))
    const running = await serveProcess(inside, ['--port', '0', '--config', config], { KEYTURN_PREFIX: 'mine_' })
    const response = await fetch(`${running.url}/appid-shop/v1/sessions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: 'ada' }),
    })
    const { handle } = await response.json() as { handle: string }
    await running.end('SIGTERM')
    for (const words of [[url, '--prefix', 'mine_'], ['--config', config, '--prefix', 'mine_']]) {
      expect((await keyturn('sessions', 'list', 'ada', ...words, '--app', 'shop')).out).toContain(handle)
      expect((await keyturn('sessions', 'list', 'ada', ...words)).out).toBe('This user has no active session.')
    }
    const wrong = await keyturn('sessions', 'list', 'ada', '--config', config, '--app', 'shop')
    expect([wrong.code, wrong.error])
      .toEqual([1, expect.stringContaining('there is no table keyturn_shop_meta in the SQLite file')])
  })

  test('a server with --migrate manual creates no tables, in SQLite neither', async () => {
    const file = join(folder, 'manual.db')
    const started = serveProcess(folder, ['--port', '0', `sqlite:${file}`, '--migrate', 'manual'])
    await expect(started).rejects.toThrow('the tables of Keyturn are missing: run "npx keyturn migrate <url>"')
    expect(existsSync(file)).toBe(false)
    expect(await keyturn('migrate', `sqlite:${file}`)).toMatchObject({ code: 0 })
    const running = await serveProcess(folder, ['--port', '0', `sqlite:${file}`, '--migrate', 'manual'])
    expect(await running.end('SIGTERM')).toBe(0)
  })
})

describe('V-10: doctor examines a store', () => {
  const SECRET = 'the secret of the application that is long enough'
  const file = join(folder, 'patient.db')
  const named = `sqlite:${file}`
  const findings = async (...args: string[]): Promise<{ code: number; found: unknown }> => {
    const { code, out } = await keyturn('doctor', named, '--json', ...args)
    return { code, found: JSON.parse(out).findings }
  }

  test('that does not exist, is new, or has keys', async () => {
    expect(await findings()).toEqual({ code: 1, found: [
      expect.objectContaining({
        kind: 'wrong',
        about: 'store',
        words: expect.stringContaining(`no SQLite file ${file}`),
      }),
    ] })
    expect(existsSync(file)).toBe(false)
    expect((await keyturn('migrate', named)).code).toBe(0)
    expect(await findings()).toEqual({ code: 0, found: [
      expect.objectContaining({ kind: 'fine', about: 'store' }),
      expect.objectContaining({ kind: 'fine', about: 'clock' }),
      expect.objectContaining({ kind: 'note', about: 'keys' }),
    ] })
    const running = await serveProcess(folder, ['--port', '0', named], { KEYTURN_SECRET: SECRET })
    await running.end('SIGTERM')
    expect(await findings('--secret', SECRET)).toEqual({ code: 0, found: expect.arrayContaining([
      { kind: 'fine', about: 'keys', words: 'There are 4, all encrypted.' },
    ]) })
  })

  test('whose keys the secret does not decrypt, without printing the secret', async () => {
    for (
      const [args, words] of [[[], 'no secret is configured'], [['--secret', `${SECRET}er`],
        'no configured secret decrypts']] as const
    ) {
      const { code, out } = await keyturn('doctor', named, ...args)
      expect([code, out]).toEqual([1, expect.stringContaining(`WRONG  keys:`)])
      expect(out).toContain(words)
      expect(out).not.toContain(SECRET)
    }
  })

  test('whose database server does not answer', async () => {
    const { code, out } = await keyturn('doctor', 'postgres://ada:hunter2@127.0.0.1:1/app')
    expect([code, out])
      .toEqual([1, expect.stringContaining('WRONG  store: the call to the PostgreSQL database failed')])
    expect(out).not.toContain('hunter2')
  })
})
