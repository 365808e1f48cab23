import { Client, Pool, types } from 'pg'
import type { PoolConfig } from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import { sampleHandle, sampleNext, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { freshSchema, opened, openPool } from '../support/postgres-pools.ts'

const url = inject('postgresUrl')

type TypeId = Parameters<typeof types.getTypeParser>[0]

/** Reads a type of column in another way than the driver does. */
function parsing(type: TypeId, parse: (text: string) => unknown): PoolConfig {
  return { types: { getTypeParser: id => id === type ? parse : types.getTypeParser(id) } }
}

const { INT2, INT8, TEXT } = types.builtins
const parsers = 'parsers (types, pg.types.setTypeParser) must leave numbers, texts and null as they are'
const encoding = 'client_encoding, and the encoding of the database, must be UTF8'

const binary = { max: 2, binary: true }

const unfit: readonly (readonly [name: string, options: PoolConfig, message: string])[] = [
  ['smallint as boolean', parsing(INT2, text => text === '1'), parsers],
  ['bigint as Date', parsing(INT8, text => new Date(Number(text))), parsers],
  ['bigint as imprecise numbers', parsing(INT8, text => Number(text) / 2), parsers],
  ['text as bytes', parsing(TEXT, text => Buffer.from(text)), parsers],
  ['text as an object', parsing(TEXT, text => ({ text })), parsers],
  ['binary results', binary, parsers],
]

const fit: readonly (readonly [name: string, options: PoolConfig])[] = [
  ['bigint as bigint', parsing(INT8, BigInt)], ['bigint as number', parsing(INT8, Number)],
  ['other types in any way', parsing(types.builtins.JSON, () => null)],
  // The driver always asks for UTF8.
  ['another client_encoding', { client_encoding: 'LATIN1' }],
  ['connections that are replaced', { maxUses: 1 }], ['short-lived connections', { idleTimeoutMillis: 1 }],
  ['other defaults', {
    options: '-c default_transaction_isolation=serializable -c DateStyle=German -c search_path=none',
  }],
]

describe.skipIf(url === null)('PostgreSQL', () => {
  test.each(unfit)('L-34: a pool with %s is refused at the first use, before anything is written',
    async (_, options, message) => {
      const schema = freshSchema()
      await migratePostgres(url ?? '', { schema })
      const pool = new Pool({ connectionString: url ?? '', ...options })
      onTestFinished(() => pool.end())
      const store = opened(createPostgresStore(pool, { schema }))
      const refusal = { code: 'MISUSE', message: expect.stringContaining(message) }
      for (const _ of [1, 2]) await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
      expect((await openPool(url ?? '').query(`SELECT handle FROM ${schema}.keyturn_session`)).rows).toEqual([])
    })

  test('L-34: connections that set another character set are refused at the first use', async () => {
    const pool = openPool(url ?? '')
    pool.on('connect', client => void client.query("SET client_encoding TO 'LATIN1'").catch(() => undefined))
    const store = opened(createPostgresStore(pool, { schema: freshSchema(), migrate: 'auto' }))
    await expect(store.insert(sampleRecord())).rejects.toMatchObject({
      code: 'MISUSE', message: expect.stringContaining(encoding),
    })
  })

  test('L-34: a database in another encoding is refused at the first use', async () => {
    const admin = new Client({ connectionString: url ?? '' })
    await admin.connect()
    onTestFinished(() => admin.end())
    await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    const latin = new URL(url ?? '')
    latin.pathname = '/latin'
    const store = createPostgresStore(latin.href, { schema: freshSchema(), migrate: 'auto' })
    await expect(store.insert(sampleRecord())).rejects.toMatchObject({
      code: 'MISUSE', message: expect.stringContaining(encoding),
    })
    await store.close()
    await admin.query('DROP DATABASE latin WITH (FORCE)')
  })

  test.each(fit)('L-34: with %s, sessions are read as they were written', async (_, options) => {
    const pool = new Pool({ connectionString: url ?? '', ...options })
    onTestFinished(() => pool.end())
    const store = opened(createPostgresStore(pool, { schema: freshSchema(), migrate: 'auto' }))
    const client = {
      ip: 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%enxffffffffffff',
      userAgent: '\u{1F511}'.repeat(256),
    }
    const record = sampleRecord({ client })
    await store.insert(record)
    expect(await store.find(record.handle)).toEqual(record)
    const rotated = await store.rotate(sampleRotation({ next: sampleNext({ client }) }))
    expect(await store.find(record.handle)).toEqual(rotated)
    const { sessions } = await store.listByUser(record.userId, { limit: 10, after: null })
    expect(sessions.map(({ handle }) => handle)).toEqual([record.handle])
    expect((await store.remove([record.handle, sampleHandle(2)], Date.now())).handles).toEqual([record.handle])
    expect((await store.changesSince(null, 10)).changes).toHaveLength(1)
  })
})
