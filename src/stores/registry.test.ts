import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { findStoreKind, kindOfStore, openStoreByUrl, storeKinds } from './registry.ts'
import { openSqliteStore } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-registry-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

describe.each(storeKinds.map(kind => ({ kind, name: kind.name })))('$name', ({ kind }) => {
  test('no other kind accepts its URLs, and its example is such a URL', () => {
    const others = storeKinds.filter(other => other !== kind).flatMap(({ schemes }) => schemes)
    for (const scheme of kind.schemes) {
      expect(others).not.toContain(scheme)
      expect(findStoreKind(`${scheme}:x`)).toBe(kind)
    }
    expect(kindOfStore(kind.example)).toBe(kind)
  })

  test('a second application gets another prefix, which is valid', () => {
    const prefixes = ['shop', 'my-shop'].map(appId => kind.prefixFor(appId, kind.prefix.defaultValue))
    expect(new Set([kind.prefix.defaultValue, ...prefixes]).size).toBe(3)
    for (const prefix of prefixes) expect(kind.prefix.isValid(prefix)).toBe(true)
  })

  test('opening and inspecting refuse a prefix that is not a plain name', async () => {
    const naming = { prefix: 'a"; DROP TABLE' }
    const words = `prefix must be ${kind.prefix.expected}`
    await expect(kind.open(kind.example, naming)).rejects.toThrow(words)
    await expect(kind.inspect(kind.example, naming)).rejects.toThrow(words)
  })

  test('the printed SQL, if the kind has tables, uses the prefix', async () => {
    const printed = await kind.migrations?.print({ prefix: 'mine_' })
    if (kind.migrations !== null) expect(printed).toMatch(/mine_session/)
    expect(printed ?? '').not.toContain('keyturn_session')
  })
})

test('prefixes of further applications stay as they were published', () => {
  expect(storeKinds.map(({ name, prefix, prefixFor }) => [
    name, prefix.defaultValue, prefixFor('my-shop', prefix.defaultValue),
  ]))
    .toEqual([
      ['sqlite', 'keyturn_', 'keyturn_my_shop_'],
      ['postgres', 'keyturn_', 'keyturn_my_shop_'],
      ['mysql', 'keyturn_', 'keyturn_my_shop_'],
      ['redis', 'keyturn:', 'keyturn_my-shop:'],
  ])
})

test.each(['oracle://ada:hunter2@db', 'Postgres://ada:hunter2@db', 'hunter2.db', ':hunter2', ''])(
  'ST-07: %j names no store, and is not repeated', async url => {
    const message = await openStoreByUrl(url).catch((error: unknown) => String(error))
    expect(message).toContain('the store must be a URL that begins with sqlite:, postgres:, ')
    expect(message).not.toContain('hunter2')
  })

test('a kind without schemas refuses the option schema', async () => {
  await expect(openStoreByUrl('redis://127.0.0.1:1', { schema: 'a' })).rejects.toThrow('Redis has no schemas')
  await expect(openStoreByUrl(`sqlite:${newFile()}`, { schema: 'a' })).rejects.toThrow('SQLite has no schemas')
})

test('P-08: a kind without a pool of connections refuses the option poolSize', async () => {
  await expect(openStoreByUrl('redis://127.0.0.1:1', { poolSize: 2 })).rejects.toThrow('Redis has no pool')
  await expect(openStoreByUrl(`sqlite:${newFile()}`, { poolSize: 2 })).rejects.toThrow('SQLite has no pool')
})

describe('V-10: SQLite with migrate: manual', () => {
  test('a missing file is not created', async () => {
    const file = newFile()
    await expect(openStoreByUrl(`sqlite:${file}`, { migrate: 'manual' }))
      .rejects.toThrow('the tables of Keyturn are missing')
    expect(await kindOfStore('sqlite:').inspect(`sqlite:${file}`, {}))
      .toEqual({ condition: 'missing', target: `SQLite file ${file}` })
    expect(existsSync(file)).toBe(false)
  })

  test('a file of another application, and one with another prefix, are not changed', async () => {
    const file = newFile()
    const database = new DatabaseSync(file)
    database.exec('CREATE TABLE theirs (x)')
    database.close()
    const [kind, url, before] = [kindOfStore('sqlite:'), `sqlite:${file}`, readFileSync(file)]
    await expect(openStoreByUrl(url, { migrate: 'manual' })).rejects.toThrow('the tables of Keyturn are missing')
    expect(await kind.inspect(url, { prefix: 'mine_' }))
      .toEqual({ condition: 'missing', target: `table mine_meta in the SQLite file ${file}` })
    expect(readFileSync(file)).toEqual(before)
  })

  test('tables of another version are refused and not changed', async () => {
    const file = newFile()
    await openSqliteStore(file).close()
    const kind = kindOfStore('sqlite:')
    expect(await kind.inspect(`sqlite:${file}`, {})).toMatchObject({ condition: 'ready' })
    await (await openStoreByUrl(`sqlite:${file}`, { migrate: 'manual' })).close()
    for (const [version, condition, words] of [
      [0, 'outdated', 'the tables of Keyturn are outdated'], [99, 'newer', 'a newer version of Keyturn'],
    ] as const) {
      const database = new DatabaseSync(file)
      database.exec(`UPDATE keyturn_meta SET value = '${version}' WHERE name = 'schema'`)
      database.close()
      expect(await kind.inspect(`sqlite:${file}`, {})).toMatchObject({ condition })
      await expect(openStoreByUrl(`sqlite:${file}`, { migrate: 'manual' })).rejects.toThrow(words)
    }
  })
})

test('for the kinds that are not opened, only their descriptions are loaded', () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
    const { openStoreByUrl } = await import(${JSON.stringify(new URL('registry.ts', import.meta.url).href)})
    const store = await openStoreByUrl('sqlite::memory:')
    await store.close()
    console.log(JSON.stringify(loaded))`
  const answer = execFileSync(process.execPath,
    ['--conditions=keyturn-source', '--input-type=module', '--eval', program])
  const loaded = (JSON.parse(answer.toString()) as string[]).map(url => url.split('/src/')[1] ?? url)
  expect(loaded).toContain('stores/sqlite/file.ts')
  const others = loaded.filter(path => /postgres|pg|mysql|redis/.test(path))
  expect(others.map(path => path.split('/').at(-1)).filter(name => name !== 'kind.ts' && name !== 'options.ts'))
    .toEqual([])
})
