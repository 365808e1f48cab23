// `keyturn keys` with a SQLite store, and how applications start with that store afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import type { StoredKey } from '../../src/tokens/key-store.ts'
import { keyturn } from '../support/command-line.ts'
import { present } from '../support/present.ts'

const SECRET = 'the old secret of the application ...'
const NEW_SECRET = 'the new secret of the application ...'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-keys-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let number = 0
const newFile = (): string => join(folder, `${++number}.db`)

/** Starts an application, which reads the keys. Returns the error that it fails with, or null. */
async function start(file: string, secret: string | readonly string[] | null): Promise<Error | null> {
  const sessions = createSessions({
    origin: 'http://localhost', store: openSqliteStore(file), ...secret === null ? {} : { secret },
  })
  try {
    await sessions.getJwks()
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await sessions.close()
  }
}

async function keysOf(file: string): Promise<readonly StoredKey[]> {
  const store = openSqliteStore(file)
  const keys = await store.listKeys()
  await store.close()
  return keys
}

const isEncrypted = ({ material }: StoredKey): boolean => material.startsWith('s1.')

interface ListedKey {
  readonly kid: string
  readonly purpose: string
  readonly state: string
  readonly encrypted: boolean
  readonly secret: number | null
}

async function list(file: string, ...secrets: string[]): Promise<readonly ListedKey[]> {
  const flags = secrets.flatMap(secret => ['--secret', secret])
  const { out } = await keyturn('keys', 'list', `sqlite:${file}`, '--json', ...flags)
  return JSON.parse(out) as ListedKey[]
}

describe('keyturn keys rotate', () => {
  test.each([
    ['without the secret', [], 'no secret is configured'],
    ['with another secret', ['--secret', NEW_SECRET], 'no configured secret decrypts the key'],
  ])('S-04: %s fails before it adds a key to encrypted ones', async (_, flags, words) => {
    const file = newFile()
    expect(await start(file, SECRET)).toBeNull()
    const before = await keysOf(file)
    const { code, out, error } = await keyturn('keys', 'rotate', `sqlite:${file}`, ...flags)
    expect([code, out]).toEqual([1, ''])
    expect(error).toContain(words)
    expect(await keysOf(file)).toEqual(before)
    expect((await keyturn('keys', 'rotate', `sqlite:${file}`, '--secret', SECRET)).code).toBe(0)
    const after = await keysOf(file)
    expect(after).toHaveLength(4)
    expect(after.every(isEncrypted)).toBe(true)
    expect(await start(file, SECRET)).toBeNull()
  })

  test('V-03: shows a key that is not used yet again, and creates no other one', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    const first = await keyturn('keys', 'rotate', `sqlite:${file}`)
    expect([first.code, first.out])
      .toEqual([0, expect.stringMatching(/^Created \S+ \(refresh\).*\nCreated \S+ \(access\), used from /)])
    const second = await keyturn('keys', 'rotate', `sqlite:${file}`)
    expect([second.code, second.out]).toEqual([0, first.out.replaceAll(/Created (\S+)/g, 'Created earlier: $1')])
    expect(await keysOf(file)).toHaveLength(4)
  })

  test('S-04: with a secret, it adds no key to unencrypted ones', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    const before = await keysOf(file)
    const { code, error } = await keyturn('keys', 'rotate', `sqlite:${file}`, '--secret', SECRET)
    expect([code, error]).toEqual([1, expect.stringContaining('Run `keyturn keys encrypt <url>`')])
    expect(await keysOf(file)).toEqual(before)
    expect((await keyturn('keys', 'rotate', `sqlite:${file}`)).code).toBe(0)
  })
})

describe('keyturn keys encrypt', () => {
  test('S-04: is the command that the error names: it lists the keys that it encrypted, and sessions continue', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    const before = await keysOf(file)
    const refusal = await start(file, SECRET)
    expect(refusal?.message).toContain('Run `keyturn keys encrypt <url>`')
    vi.stubEnv('KEYTURN_SECRET', SECRET)
    const { code, out } = await keyturn('keys', 'encrypt', `sqlite:${file}`)
    vi.unstubAllEnvs()
    expect(code).toBe(0)
    for (const { kid, purpose } of before) expect(out).toContain(`Encrypted ${kid} (${purpose}).`)
    expect(out).toContain('2 keys are encrypted.')
    const after = await keysOf(file)
    expect(after.map(({ kid }) => kid)).toEqual(before.map(({ kid }) => kid))
    expect(after.every(isEncrypted)).toBe(true)
    expect(await start(file, SECRET)).toBeNull()
    expect((await start(file, null))?.message).toContain('no secret is configured. Set `secret`')
  })

  test('S-04: says so if all keys are encrypted already', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    const args = ['keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET]
    const { code, out } = await keyturn(...args, '--json')
    expect([code, JSON.parse(out).encrypted.length]).toEqual([0, 2])
    const before = await keysOf(file)
    for (const flags of [[], ['--finish']]) {
      expect(await keyturn(...args, ...flags)).toEqual({ code: 0, out: 'All 2 keys are encrypted already.', error: '' })
    }
    // A deployment may repeat it.
    const repeated = await keyturn(...args, '--json')
    expect([repeated.code, JSON.parse(repeated.out)]).toEqual([0, { encrypted: [] }])
    expect(await keysOf(file)).toEqual(before)
  })

  test('S-04: needs the secret, the right one, and keys', async () => {
    const file = newFile()
    expect(await keyturn('keys', 'encrypt', `sqlite:${file}`)).toMatchObject({
      code: 2, error: expect.stringContaining('needs the secret'),
    })
    await keyturn('migrate', `sqlite:${file}`)
    expect(await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET)).toMatchObject({
      code: 1, error: expect.stringContaining('there are no keys yet'),
    })
    expect(await start(file, SECRET)).toBeNull()
    expect(await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', NEW_SECRET)).toMatchObject({
      code: 1, error: expect.stringContaining('no configured secret decrypts the key'),
    })
  })

  test('S-04: without --finish, does not encrypt a key that was added to encrypted ones', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    const interrupted = present((await keysOf(file))[0])
    await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET)
    const store = openSqliteStore(file)
    const encrypted = present((await store.listKeys()).find(({ kid }) => kid === interrupted.kid))
    await store.replaceKeyMaterial(interrupted.kid, encrypted.material, interrupted.material)
    await store.close()
    const refused = await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET)
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.error).toContain(interrupted?.kid)
    expect(refused.error).toContain('an attacker may have added them')
    expect((await start(file, SECRET))?.message).toContain(interrupted?.kid)
    const finished = await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET, '--finish')
    expect([finished.code, finished.out]).toEqual([0, expect.stringContaining('1 key is encrypted.')])
    expect(await start(file, SECRET)).toBeNull()
  })
})

describe('keyturn keys list', () => {
  test('shows which keys are encrypted, and with which secret', async () => {
    const file = newFile()
    expect(await start(file, null)).toBeNull()
    expect(await list(file)).toMatchObject([{ encrypted: false, secret: null }, { encrypted: false, secret: null }])
    await keyturn('keys', 'encrypt', `sqlite:${file}`, '--secret', SECRET)
    expect(await list(file)).toMatchObject([{ encrypted: true, secret: null }, { encrypted: true, secret: null }])
    expect(await list(file, NEW_SECRET, SECRET)).toMatchObject([{ secret: 2 }, { secret: 2 }])
    const { out } = await keyturn('keys', 'list', `sqlite:${file}`, '--secret', NEW_SECRET)
    expect(out.match(/another secret/g)).toHaveLength(2)
  })
})

describe('keyturn keys retire', () => {
  test('S-04: keeps the last key: without the secret, a process would take an empty store for a new one', async () => {
    const file = newFile()
    expect(await start(file, SECRET)).toBeNull()
    const [first, last] = await keysOf(file)
    expect((await keyturn('keys', 'retire', first?.kid ?? '', `sqlite:${file}`)).code).toBe(0)
    const refused = await keyturn('keys', 'retire', last?.kid ?? '', `sqlite:${file}`)
    expect(refused).toMatchObject({ code: 1, error: expect.stringContaining('the only key of the store') })
    expect((await start(file, null))?.message).toContain('no secret is configured')
    expect(await start(file, SECRET)).toBeNull()
    expect(await keysOf(file)).toHaveLength(2)
  })
})

describe('a change of the secret', () => {
  test('takes three deployments, and `keys list` shows when each is complete', async () => {
    const file = newFile()
    expect(await start(file, SECRET)).toBeNull()
    const before = (await keysOf(file)).map(({ kid }) => kid)
    expect(await start(file, [SECRET, NEW_SECRET])).toBeNull()
    expect(await list(file, NEW_SECRET, SECRET)).toMatchObject([{ secret: 2 }, { secret: 2 }])
    expect(await start(file, [NEW_SECRET, SECRET])).toBeNull()
    expect(await list(file, NEW_SECRET)).toMatchObject([{ secret: 1 }, { secret: 1 }])
    expect(await start(file, NEW_SECRET)).toBeNull()
    expect((await keysOf(file)).map(({ kid }) => kid)).toEqual(before)
    expect((await start(file, SECRET))?.message).toContain('no configured secret decrypts the key')
  })
})
