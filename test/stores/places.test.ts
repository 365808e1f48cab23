// A store, a prefix, a schema and an application locate sessions, in the same way for a server, an embedded
// application and every command. A command that only reads creates nothing.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { startServer } from '../../src/server/index.ts'
import type { KeyturnServer } from '../../src/server/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { keyturn } from '../support/command-line.ts'
import { createMariadbDatabase } from '../support/servers/mariadb.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const HANDLE = `c${'x'.repeat(22)}`
const SECRET = 'a secret that is long enough for keys'

/** A database, and ways to look into it without Keyturn. */
interface Place {
  readonly name: string
  readonly url: string
  /** The prefix and schema that an application has set. */
  readonly chosen: { readonly prefix: string; readonly schema?: string }
  /** Flags with a typing error. */
  readonly mistyped: readonly (readonly string[])[]
  /** What messages say is missing, with the chosen names. */
  readonly target: string
  /** The prefix of the server's application `my-shop` then. */
  readonly shop: string
  /** Opens the store as an application does, with the chosen schema if there is one. */
  open(prefix: string): SessionStore
  /** The names of everything that exists: files, schemas, tables or keys. */
  list(): Promise<readonly string[]>
  /** Makes the chosen tables look like those of another version; null if the store has no tables. */
  readonly setVersion: ((version: number) => Promise<void>) | null
}

const folder = mkdtempSync(join(tmpdir(), 'keyturn-places-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function sqlite(): Place {
  const file = join(folder, 'places.db')
  return {
    name: 'SQLite',
    url: `sqlite:${file}`,
    chosen: { prefix: 'mine_' },
    mistyped: [[], ['--prefix', 'mime_'], ['--prefix', 'mine_', '--app', 'shopp']],
    target: `table mine_meta in the SQLite file ${file}`,
    shop: 'mine_my_shop_',
    open: prefix => openSqliteStore(file, { prefix }),
    async list() {
      const files = readdirSync(folder).filter(name => !/-(wal|shm)$/.test(name))
      if (!files.includes('places.db')) return files
      const database = new DatabaseSync(file, { readOnly: true })
      const tables = database.prepare('SELECT name FROM sqlite_master').all().map(row => String(row['name']))
      database.close()
      return [...files, ...tables]
    },
    async setVersion(version) {
      const database = new DatabaseSync(file)
      database.exec(`UPDATE mine_meta SET value = '${version}' WHERE name = 'schema'`)
      database.close()
    },
  }
}

async function postgres(): Promise<Place | null> {
  const server = inject('postgresUrl')
  if (server === null) return null
  const url = (await createPostgresDatabase(server, 'places')).replace('postgres@', 'postgres:hunter2@')
  async function query(text: string): Promise<readonly string[]> {
    const client = new Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ name: string }>(text).finally(() => client.end())
    return rows.map(({ name }) => name)
  }
  return {
    name: 'PostgreSQL',
    url,
    chosen: { prefix: 'mine_', schema: 'theirs' },
    mistyped: [
      [], ['--prefix', 'mine_'], ['--schema', 'theirs'], ['--prefix', 'mine_', '--schema', 'there'],
      ['--prefix', 'mine_', '--schema', 'theirs', '--app', 'shopp'],
    ],
    target: 'table "theirs"."mine_meta" in the PostgreSQL database "places"',
    shop: 'mine_my_shop_',
    open: prefix => createPostgresStore(url, { prefix, schema: 'theirs' }),
    list: () => query(`
      SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' UNION ALL
      SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname !~ '^pg_|information_schema'`),
    setVersion: async version => {
      await query(`UPDATE theirs.mine_meta SET number = ${version} WHERE name = 'schema'`)
    },
  }
}

async function mariadb(): Promise<Place | null> {
  const server = inject('mariadbUrl')
  if (server === null) return null
  const url = (await createMariadbDatabase(server, 'places')).replace('mysql:', 'mariadb:')
  async function query(text: string): Promise<unknown> {
    const connection = await createConnection(url)
    const [rows] = await connection.query(text).finally(() => connection.end())
    return rows
  }
  return {
    name: 'MariaDB',
    url,
    chosen: { prefix: 'mine_' },
    mistyped: [[], ['--prefix', 'mime_'], ['--prefix', 'mine_', '--app', 'shopp']],
    target: 'table `mine_meta` in the MySQL database `places`',
    shop: 'mine_my_shop_',
    open: prefix => createMysqlStore(url, { prefix }),
    list: async () => (await query('SHOW TABLES') as object[]).map(row => String(Object.values(row)[0])),
    setVersion: async version => {
      await query(`UPDATE mine_meta SET number = ${version} WHERE name = 'schema'`)
    },
  }
}

function redis(): Place | null {
  const server = inject('redisUrl')
  if (server === null) return null
  const url = `${server}/9`
  return {
    name: 'Redis',
    url,
    chosen: { prefix: 'mine:' },
    mistyped: [[], ['--prefix', 'mime:'], ['--prefix', 'mine'], ['--prefix', 'mine:', '--app', 'shopp']],
    target: 'key mine:{shared}:keys in this Redis database',
    shop: 'mine_my-shop:',
    open: prefix => createRedisStore(url, { prefix }),
    async list() {
      const client = new Redis(url)
      return client.keys('*').finally(() => client.disconnect())
    },
    setVersion: null,
  }
}

/** Every command that needs a store. */
const commands: readonly (readonly string[])[] = [
  ['keys', 'list'], ['keys', 'list', '--json'], ['keys', 'rotate'], ['keys', 'retire', 'kid'],
  ['keys', 'encrypt', '--secret', SECRET],
  ['sessions', 'list', 'ada'], ['sessions', 'list', 'ada', '--json'], ['sessions', 'show', HANDLE],
  ['sessions', 'revoke', HANDLE], ['sessions', 'revoke', '--user', 'ada'], ['sessions', 'revoke', '--all', '--yes'],
  ['cleanup'], ['cleanup', '--json'], ['doctor'],
]

describe.each([sqlite(), await postgres(), await mariadb(), redis()].map((place, index) => (
  { name: place?.name ?? `server ${index}, which is not installed`, place }
)))('V-10: on $name', ({ place: found }) => {
  beforeEach(context => context.skip(found === null))
  const place = (): Place => {
    if (found === null) throw new Error('there is no server')
    return found
  }
  const chosenFlags = (): string[] => Object.entries(place().chosen).flatMap(([name, value]) => [`--${name}`, value])
  const sorted = async (): Promise<readonly string[]> => [...await place().list()].sort()

  async function expectNothing(flags: readonly string[], words: readonly string[]): Promise<void> {
    const before = await sorted()
    for (const command of commands) {
      const { code, out, error } = await keyturn(...command, place().url, ...flags)
      const said = out + error
      expect([command, code, said]).toEqual([command, 1, expect.stringContaining(words[0] ?? '')])
      for (const each of words) expect(said).toContain(each)
      expect(said).not.toContain('hunter2')
      expect(said).not.toContain(place().url)
      expect(await sorted()).toEqual(before)
    }
  }

  const made = (): string => place().setVersion === null ? 'A server or an application creates it' : '`keyturn migrate`'

  test('if there is no store, every command says so and creates nothing', async () => {
    await expectNothing(chosenFlags(), ['there is no ', 'Check the URL', '--prefix', '--app', made()])
    await expectNothing([], ['there is no ', made()])
  })

  describe('a server with applications', () => {
    let server: KeyturnServer
    const handles = new Map<string, string>()

    beforeAll(async () => {
      if (found === null) return
      server = await startServer({ port: 0, store: found.url, ...found.chosen, apps: ['my-shop'], logLevel: 'silent' })
      for (const app of ['', '/appid-my-shop']) {
        const response = await fetch(`${server.url}${app}/v1/sessions`, {
          method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: 'ada' }),
        })
        handles.set(app, (await response.json() as { handle: string }).handle)
      }
    })
    afterAll(() => server?.close())

    const handleOf = (app: string): string => handles.get(app) ?? ''

    test('shares its sessions with embedded applications that use the same names', async () => {
      const { open, chosen, shop } = place()
      for (const [app, prefix] of [['', chosen.prefix], ['/appid-my-shop', shop]] as const) {
        const store = open(prefix)
        const { sessions } = await store.listByUser('ada', { limit: 10, after: null })
        expect(sessions.map(({ handle }) => handle)).toEqual([handleOf(app)])
        await store.close()
      }
    })

    test('is found by every command, and so is each of its applications', async () => {
      const flags = [place().url, ...chosenFlags()]
      const shop = [...flags, '--app', 'my-shop']
      for (const [app, others] of [['', flags], ['/appid-my-shop', shop]] as const) {
        const { sessions } = JSON.parse((await keyturn('sessions', 'list', 'ada', ...others, '--json')).out)
        expect(sessions).toEqual([expect.objectContaining({ handle: handleOf(app) })])
        expect((await keyturn('sessions', 'show', handleOf(app), ...others)).code).toBe(0)
        expect(JSON.parse((await keyturn('keys', 'list', ...others, '--json')).out)).toHaveLength(4)
        expect(await keyturn('cleanup', ...others)).toMatchObject({ code: 0, out: 'Removed 0 expired sessions.' })
        expect(await keyturn('doctor', ...others))
          .toMatchObject({ code: 0, out: expect.stringContaining('There are 4') })
      }
      expect((await keyturn('sessions', 'show', handleOf('/appid-my-shop'), ...flags)).code).toBe(1)
      if (place().setVersion !== null) {
        const before = await sorted()
        for (const others of [flags, shop]) {
          expect(await keyturn('migrate', ...others))
            .toMatchObject({ code: 0, out: expect.stringContaining('up to date') })
        }
        expect(await sorted()).toEqual(before)
      }
      expect(await keyturn('sessions', 'revoke', handleOf('/appid-my-shop'), ...shop)).toMatchObject({ code: 0 })
      expect((await keyturn('sessions', 'show', handleOf(''), ...flags)).code).toBe(0)
    })

    test('a mistyped prefix, schema or application is reported, and creates nothing', async () => {
      for (const flags of place().mistyped) await expectNothing(flags, ['there is no ', made()])
    })
  })

  test('a schema is a usage error if the store has no schemas', async () => {
    if (place().chosen.schema !== undefined) return
    for (const command of [...commands, ['migrate'], ['serve']]) {
      const { code, error } = await keyturn(...command, place().url, '--schema', 'public')
      expect([command, code, error]).toEqual([command, 2, expect.stringContaining('--schema must be left out: ')])
    }
  })

  test('tables of another version are reported and not changed', async () => {
    const { setVersion, target } = place()
    if (setVersion === null) return
    await setVersion(0)
    await expectNothing(chosenFlags(),
      ['the tables are older than this version of Keyturn', target, '`keyturn migrate`'])
    await setVersion(99)
    await expectNothing(chosenFlags(), ['a newer version of Keyturn has migrated this store', target])
    await setVersion(1)
  })
})
