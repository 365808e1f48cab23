import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import {
  createPostgresStore, migratePostgres, neonPool, pglitePool, poolPerCall, postgresJsPool,
} from '../../src/stores/postgres.ts'
import type { PostgresPool } from '../../src/stores/postgres.ts'
import { sampleHandle, sampleKey, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { hasDrivers, openPglite, openPostgresJs } from '../support/drivers.ts'
import type { PostgresJs } from '../support/drivers.ts'
import { createNeon, hasEdgePackages } from '../support/edge-packages.ts'
import { startNeonServer } from '../support/neon-server.ts'
import type { NeonServer } from '../support/neon-server.ts'
import { freshSchema } from '../support/postgres-pools.ts'
import { runStoreContract } from '../support/run-contract.ts'

const server = inject('postgresUrl') ?? ''
const isMissing = inject('postgresUrl') === null

/** Runs the contract on pools over a driver. The tables are made over a socket. */
function runContract(driver: string, openPool: () => Promise<PostgresPool>): void {
  runStoreContract(`PostgreSQL over ${driver}`, async () => {
    const schema = freshSchema()
    await migratePostgres(server, { schema })
    return {
      open: async () => createPostgresStore(await openPool(), { schema, requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })
}

describe.skipIf(isMissing || !hasDrivers())('postgres.js', () => {
  const clients: PostgresJs[] = []
  for (const [name, options] of [['', {}], [' without its types', { fetch_types: false, prepare: false }]] as const) {
    let client: PostgresJs | null = null
    runContract(`postgres.js${name}`, async () => {
      client ??= openPostgresJs(server, { ...options, max: 10, onnotice: () => undefined })
      clients.push(client)
      return postgresJsPool(client)
    })
  }
  afterAll(() => Promise.all(clients.map(client => client.end())))

  test.each([['postgres.camel', toCamel], ['postgres.toPascal', toPascal]])(
    'L-34: a client that renames columns, as with %s, is refused at the first use, before anything is written',
    async (_, rename) => {
      const schema = freshSchema()
      await migratePostgres(server, { schema })
      const client = openPostgresJs(server, { transform: { column: { from: rename } } })
      onTestFinished(() => client.end())
      const store = createPostgresStore(postgresJsPool(client), { schema })
      const refusal = { code: 'MISUSE', message: expect.stringMatching(/names of columns.* option transform/) }
      for (const _ of [1, 2]) await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
      const rows: unknown = await client.unsafe(`SELECT handle FROM ${schema}.keyturn_session`, [], { prepare: false })
      expect(rows).toHaveLength(0)
    },
  )
})

function toCamel(column: string): string {
  return column.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

function toPascal(column: string): string {
  return toCamel(`_${column}`)
}

describe.skipIf(!hasDrivers())('PGlite in this process', () => {
  let database: Awaited<ReturnType<typeof openPglite>>
  let pool: PostgresPool
  beforeAll(async () => {
    database = await openPglite()
    pool = pglitePool(database)
  })
  afterAll(() => database.close())

  runStoreContract('PGlite', async () => {
    const schema = freshSchema()
    return {
      open: async () => createPostgresStore(pool, { schema, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })

  /** Writes rows of the application until the work has ended: those that were acknowledged, and those that are kept. */
  async function writeBeside(work: Promise<unknown>): Promise<{ acknowledged: number[]; kept: unknown[] }> {
    const ending = work.then(() => false, () => false)
    const acknowledged: number[] = []
    const table = `app_${freshSchema()}`
    await database.query(`CREATE TABLE ${table} (n int)`, [])
    let goesOn = true
    while (goesOn) {
      const n = acknowledged.length
      await database.query(`INSERT INTO ${table} VALUES ($1)`, [n])
      acknowledged.push(n)
      goesOn = await Promise.race([ending, Promise.resolve(true)])
    }
    const { rows } = await database.query(`SELECT n FROM ${table} ORDER BY n`, [])
    return { acknowledged, kept: rows.map(row => Object(row).n) }
  }

  test('EDGE-08: what the application writes meanwhile is no part of a transaction of the store', async () => {
    const schema = freshSchema()
    const store = createPostgresStore(pool, { schema, migrate: 'auto', requestTimeout: 60 })
    onTestFinished(() => store.close())
    await store.listKeys()
    const failing = store.addKeyIfNewest({ ...sampleKey('key'), createdAt: 0.5 }, null)
    const { acknowledged, kept } = await writeBeside(failing)
    await expect(failing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(kept).toEqual(acknowledged)
    expect(await store.addKeyIfNewest(sampleKey('key'), null)).toBe(true)
  })

  test('EDGE-08: what the application writes meanwhile is no part of a migration', async () => {
    const schema = freshSchema()
    await migratePostgres(pool, { schema })
    await database.query(`UPDATE ${schema}.keyturn_meta SET number = 1000 WHERE name = 'schema'`, [])
    const refused = migratePostgres(pool, { schema })
    const { acknowledged, kept } = await writeBeside(refused)
    await expect(refused).rejects.toMatchObject({ code: 'MISUSE' })
    expect(kept).toEqual(acknowledged)
  })
})

describe.skipIf(isMissing || !hasEdgePackages())('Neon over HTTP', () => {
  let endpoint: NeonServer
  beforeAll(async () => {
    endpoint = await startNeonServer(server)
  })
  afterAll(() => endpoint.close())

  const openPool = async (): Promise<PostgresPool> => (
    neonPool(await createNeon('postgres://app:secret@neon.example.com/app', endpoint.endpoint))
  )

  runContract('the HTTP driver of Neon', openPool)

  test('EDGE-08: tables are not created over HTTP, where no transaction stays open', async () => {
    const store = createPostgresStore(await openPool(), { schema: freshSchema(), migrate: 'auto' })
    onTestFinished(() => store.close())
    await expect(store.check())
      .rejects.toMatchObject({ code: 'MISUSE', message: expect.stringContaining('keyturn migrate') })
  })
})

describe.skipIf(isMissing)('a client of pg per call', () => {
  runContract('a client of pg per call', async () => poolPerCall(() => new Client(server)))

  test('EDGE-08: every connection is closed, and the platform told of it; a store call needs one', async () => {
    const schema = freshSchema()
    await migratePostgres(server, { schema })
    const opened: Client[] = []
    const kept: Promise<unknown>[] = []
    const store = createPostgresStore(poolPerCall(() => {
      const client = new Client(server)
      opened.push(client)
      return client
    }, { keepAlive: work => void kept.push(work) }), { schema })
    onTestFinished(() => store.close())
    await store.listKeys()
    const before = opened.length
    await store.insert(sampleRecord())
    await store.find(sampleHandle(1))
    await store.addKeyIfNewest(sampleKey('key'), null)
    // A login is two statements, one after the other.
    expect(opened.length - before).toBe(4)
    expect(kept).toHaveLength(opened.length)
    await Promise.all(kept)
    await expect(opened[0]?.query('SELECT 1')).rejects.toThrow()
  })

  test('EDGE-07: Hyperdrive keeps the answer of no read that must be up to date, and nothing is prepared', async () => {
    const schema = freshSchema()
    await migratePostgres(server, { schema })
    const texts: string[] = []
    const store = createPostgresStore(poolPerCall(() => {
      const client = new Client(server)
      const query = client.query.bind(client)
      return Object.assign(client, {
        query(statement: { name?: string; text: string; values?: unknown[] }) {
          expect(statement.name).toBeUndefined()
          texts.push(statement.text)
          return query(statement)
        },
      })
    }), { schema })
    onTestFinished(() => store.close())
    await store.listKeys()
    texts.length = 0
    await store.check()
    await store.find(sampleHandle(1))
    await store.listKeys()
    await store.changesSince(null, 10)
    await store.listByUser('alice', { limit: 10, after: null })
    await store.removeExpired(sampleNow, 10)
    await (await store.follow(() => undefined))()
    const reads = texts.filter(text => /^\s*SELECT/i.test(text))
    expect(reads.length).toBeGreaterThanOrEqual(9)
    expect(reads.filter(text => !/clock_timestamp\(\)/.test(text))).toEqual([])
  })
})
