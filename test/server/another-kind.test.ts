// A kind of store that exists only in this test, and replaces one line of the registry.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { readSettings, settingDescriptions } from '../../src/server/settings.ts'
import { startServer } from '../../src/server/index.ts'
import { warningsOf } from '../../src/server/create-server.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openStoreByUrl } from '../../src/stores/registry.ts'
import { keyturn } from '../support/command-line.ts'

const stores = vi.hoisted(() => new Map<string, SessionStore>())

vi.mock('../../src/stores/redis/kind.ts', async () => {
  const { keyPrefixRule } = await import('../../src/stores/redis/options.ts')
  const { text } = await import('../../src/base/options.ts')
  const nameOf = (
    url: string,
    { prefix = 'keyturn:', schema = 'main' }: { prefix?: string; schema?: string },
  ): string => (
    `${url.slice('archive:'.length)}/${schema}/${prefix}`
  )
  return {
    redisKind: {
      name: 'archive',
      title: 'Archive',
      schemes: ['archive'],
      example: 'archive:upper',
      system: 'archive_db',
      isFile: false,
      hasPool: false,
      prefix: keyPrefixRule,
      schema: text('a word of a-z', /^[a-z]+$/),
      prefixFor: (appId: string, prefix: string) => `${prefix}${appId}:`,
      async open(url: string, { migrate, ...naming }: { migrate?: string; prefix?: string; schema?: string }) {
        const name = nameOf(url, naming)
        if (migrate === 'auto' && !stores.has(name)) stores.set(name, createMemoryStore())
        return stores.get(name)
      },
      async inspect(url: string, naming: object) {
        const name = nameOf(url, naming)
        return { condition: stores.has(name) ? 'ready' : 'missing', target: `archive ${name}` }
      },
      migrations: {
        async apply(url: string, naming: object) {
          stores.set(nameOf(url, naming), createMemoryStore())
          return { from: 0, to: 7 }
        },
        print: async (naming: object) => `BUILD ${nameOf('archive:', naming)}`,
      },
    },
  }
})

beforeEach(() => stores.clear())

describe('V-10: one line in the registry makes a kind of store available', () => {
  test('to the settings, their help and their messages', () => {
    const store = settingDescriptions.find(({ name }) => name === 'store')
    expect(store)
      .toMatchObject({ help: expect.stringContaining('archive:upper'), expected: expect.stringContaining('archive:') })
    const read = (flags: Record<string, string>): unknown => readSettings({ flags, environment: {}, file: {} })
    expect(read({ store: 'archive:upper', schema: 'oak' })).toMatchObject({ store: 'archive:upper', schema: 'oak' })
    expect(() => read({ store: 'archive:upper', schema: '9' })).toThrow('--schema must be a word of a-z; received "9"')
    expect(() => read({ store: 'redis://127.0.0.1' }))
      .toThrow(/^the store must be a URL that begins with .* or archive:/)
    expect(warningsOf({ store: 'archive:upper', secrets: [], host: '127.0.0.1', issuer: null, publicOrigin: null }))
      .toHaveLength(1)
  })

  test('to every command', async () => {
    for (const command of ['serve', 'migrate', 'cleanup', 'keys', 'sessions', 'doctor']) {
      const { out } = await keyturn(command, '--help')
      expect(out).toContain('archive:upper')
      expect(out).toContain('the schema of the tables (PostgreSQL or Archive)')
    }
    const flags = ['archive:upper', '--prefix', 'my:', '--schema', 'oak', '--app', 'shop']
    for (const words of [['keys', 'list'], ['sessions', 'list', 'ada'], ['cleanup'], ['doctor']]) {
      const { code, out, error } = await keyturn(...words, ...flags)
      expect([code, out + error])
        .toEqual([1, expect.stringMatching(/there is no archive upper\/oak\/my:shop:\. .*`keyturn migrate`/)])
    }
    expect(await keyturn('migrate', ...flags, '--print')).toMatchObject({ code: 0, out: 'BUILD /oak/my:shop:' })
    expect(stores.size).toBe(0)
    expect(await keyturn('migrate', ...flags))
      .toMatchObject({ code: 0, out: expect.stringContaining('version 0 to 7') })
    expect((await keyturn('keys', 'list', ...flags)).code).toBe(0)
    expect((await keyturn('cleanup', ...flags)).code).toBe(0)
    expect([...stores.keys()]).toEqual(['upper/oak/my:shop:'])
  })

  test('to a server, and to its traces', async () => {
    const attributes: object[] = []
    const span = {
      isRecording: () => true, setAttribute: () => undefined, setStatus: () => undefined, end: () => undefined,
    }
    const context = { getValue: () => undefined, setValue: () => context, deleteValue: () => context }
    const server = await startServer({ port: 0, store: 'archive:upper', apps: ['shop'], logLevel: 'silent' }, {
      openTelemetry: {
        context: { active: () => context, with: (_, work) => work() },
        propagation: { extract: () => context },
        trace: {
          getTracer: () => ({
            startSpan(_, options) {
              attributes.push(options.attributes)
              return span
            },
          }),
          getSpan: () => span,
          setSpan: () => context,
        },
      },
    })
    await fetch(`${server.url}/appid-shop/v1/sessions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: 'ada' }),
    })
    await server.close()
    expect([...stores.keys()]).toEqual(['upper/main/keyturn:', 'upper/main/keyturn:shop:'])
    expect(attributes).toContainEqual(expect.objectContaining({ 'db.system.name': 'archive_db' }))
  })

  test('to the library', async () => {
    const store = await openStoreByUrl('archive:upper', { migrate: 'auto', schema: 'oak' })
    expect(stores.get('upper/oak/keyturn:')).toBe(store)
  })
})

test('V-10: every command uses the store of the environment or of the configuration file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-archive-'))
  const config = join(folder, 'keyturn.json')
  writeFileSync(config, JSON.stringify({ store: 'archive:lower', prefix: 'my:', schema: 'elm', apps: ['shop'] }))
  try {
    expect((await keyturn('migrate', '--config', config)).code).toBe(0)
    vi.stubEnv('KEYTURN_STORE', 'archive:upper')
    vi.stubEnv('KEYTURN_SCHEMA', 'oak')
    expect((await keyturn('migrate', '--config', config)).code).toBe(0)
    vi.stubEnv('KEYTURN_PREFIX', 'your:')
    expect((await keyturn('migrate')).code).toBe(0)
    expect((await keyturn('migrate', 'archive:floor', '--prefix', 'their:', '--schema', 'ash')).code).toBe(0)
    expect([...stores.keys()]).toEqual(['lower/elm/my:', 'upper/oak/my:', 'upper/oak/your:', 'floor/ash/their:'])
    for (const words of [['keys', 'list'], ['sessions', 'list', 'ada'], ['cleanup'], ['doctor']]) {
      expect([words, (await keyturn(...words)).code]).toEqual([words, 0])
    }
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})
