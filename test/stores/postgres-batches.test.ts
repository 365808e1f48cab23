import { describe, expect, inject, test } from 'vitest'
import type { SessionRecord } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { PostgresPool } from '../../src/stores/postgres.ts'
import { sampleHandle, sampleNext, samplePresented, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { freshSchema, freshStore, opened, openPool, watched } from '../support/postgres-pools.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const url = server === null ? '' : await createPostgresDatabase(server, 'turns')

const numbered = (...numbers: number[]): SessionRecord[] =>
  numbers.map(number => sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))

/** Stores with separate pools, whose connections have this isolation level. */
function processes(schema: string, level: string): SessionStore[] {
  return [1, 2, 3, 4].map(() => {
    const pool = openPool(`${url}?options=${encodeURIComponent(
      `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`)}`, 4)
    return opened(createPostgresStore(pool, { schema }))
  })
}

describe.skipIf(server === null)('PostgreSQL: logins of one tick of the event loop', () => {
  test('the first runs alone, the others together, and each is stored as it is', async () => {
    const { schema } = await freshStore(url)
    const { pool, texts } = watched(openPool(url))
    const store = opened(createPostgresStore(pool, { schema }))
    await store.find(sampleHandle(1))
    texts.length = 0
    const records = [
      ...numbered(1),
      sampleRecord({ handle: sampleHandle(4), userId: '', client: { ip: null, userAgent: null } }),
      sampleRecord({ handle: sampleHandle(3), userId: 'NULL', client: { ip: 'NULL', userAgent: '' } }),
      sampleRecord({ handle: sampleHandle(2), userId: '{"a", \\u0041 \'ä\u{1f511}\n', jwtPayload: '{"a":"\\u0000"}' }),
      sampleRecord({
        handle: sampleHandle(5), expiresAt: Number.MAX_SAFE_INTEGER, absoluteExpiry: null, persistent: false,
      }),
    ]
    await Promise.all(records.map(record => store.insert(record)))
    // Each inserts, and looks for not-befores.
    expect(texts.length).toBe(4)
    expect(texts.filter(text => /BEGIN|COMMIT/.test(text))).toEqual([])
    for (const record of records) expect(await store.find(record.handle)).toEqual(record)
  })

  test('a handle that exists, in the table or twice in the tick, fails one login only', async () => {
    const { store } = await freshStore(url)
    for (const record of numbered(2, 3)) await store.insert(record)
    const records = numbered(1, 4, 3, 5, 1, 5, 6)
    const settled = await Promise.allSettled(records.map(record => store.insert({ ...record, userId: 'second' })))
    // Which of the two with one handle is first depends on the connections.
    const won = (...indices: readonly number[]): number => (
      indices.filter(index => settled[index]?.status === 'fulfilled').length
    )
    expect([won(0, 4), won(1), won(2), won(3, 5), won(6)]).toEqual([1, 1, 0, 1, 1])
    for (const outcome of settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'MISUSE' })
    }
    const owners = await Promise.all([1, 2, 3, 4, 5, 6].map(async number => (
      (await store.find(sampleHandle(number)))?.userId
    )))
    expect(owners).toEqual(['second', 'user-2', 'user-3', 'second', 'second', 'second'])
  })

  test('a session that the server refuses fails one login only', async () => {
    const { store, schema, pool } = await freshStore(url)
    await pool.query(`ALTER TABLE ${schema}.keyturn_session ADD CHECK (user_id <> 'user-3')`)
    const nul = sampleRecord({ handle: sampleHandle(5), userId: 'a\u0000b' })
    const half = sampleRecord({ handle: sampleHandle(6), userId: 'a\ud800b' })
    const settle = async (...records: SessionRecord[]): Promise<unknown[]> => (
      (await Promise.allSettled(records.map(record => store.insert(record))))
        .map(outcome => outcome.status === 'rejected' ? outcome.reason.code : 'inserted')
    )
    expect(await settle(...numbered(1, 2, 3, 4))).toEqual(['inserted', 'inserted', 'STORE_UNAVAILABLE', 'inserted'])
    expect(await settle(...numbered(7, 2), nul, half)).toEqual(['inserted', 'MISUSE', 'MISUSE', 'inserted'])
    expect(await store.find(half.handle)).toMatchObject({ userId: 'a\ufffdb' })
    expect(await store.find(sampleHandle(3))).toBeNull()
  })

  test('REV-11: fail together when the connection breaks, and are not repeated', async () => {
    const { schema } = await freshStore(url)
    const connections = openPool(url)
    const { pool, texts } = watched(connections)
    const breaking: PostgresPool = {
      async connect() {
        const client = await pool.connect()
        return {
          query: statement => statement.text.includes('json_populate_recordset')
            ? client.query(statement).then(() => { throw new Error('Connection terminated unexpectedly') })
            : client.query(statement),
          on: (event, listener) => client.on(event, listener),
          removeListener: (event, listener) => client.removeListener(event, listener),
          release: destroy => client.release(destroy),
        }
      },
    }
    const store = opened(createPostgresStore(breaking, { schema }))
    await store.find(sampleHandle(1))
    texts.length = 0
    const settled = await Promise.allSettled(numbered(1, 2, 3).map(record => store.insert(record)))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled[2]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
    // The first inserts and looks for not-befores; the others are inserted once.
    expect(texts.length).toBe(3)
  })

  test('the same handles in other orders, from other processes: one insert of each succeeds, at every isolation level', async () => {
    const { schema } = await freshStore(url)
    for (const level of ['read committed', 'repeatable read', 'serializable']) {
      const stores = processes(schema, level)
      await Promise.all(stores.map(store => store.time()))
      const numbers = Array.from({ length: 40 }, (_, index) => index + 100 * level.length)
      const outcomes = await Promise.all(stores.map((store, index) => Promise.allSettled(
        numbered(...(index % 2 === 0 ? numbers : numbers.toReversed())).map(record => store.insert(record)))))
      const settled = outcomes.flat()
      expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(numbers.length)
      for (const outcome of settled) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'MISUSE' })
      }
    }
  })

  test('are on the disk before the store is closed', async () => {
    const schema = freshSchema()
    const pool = openPool(url)
    for (const [first, of] of [[1, url], [4, pool]] as const) {
      const store = createPostgresStore(of, { schema, migrate: 'auto' })
      await store.find(sampleHandle(1))
      const records = numbered(first, first + 1, first + 2)
      const inserts = records.map(record => store.insert(record))
      await store.close()
      await Promise.all(inserts)
      const after = opened(createPostgresStore(pool, { schema }))
      for (const { handle } of records) expect(await after.find(handle)).not.toBeNull()
    }
  })
})

describe.skipIf(server === null)('PostgreSQL: rotations of one tick of the event loop', () => {
  const numbers = Array.from({ length: 16 }, (_, index) => index)
  const insertAll = async (store: SessionStore): Promise<void> => {
    for (const number of numbers) await store.insert(sampleRecord({ handle: sampleHandle(number), reuseInterval: 0 }))
  }

  test('take two statements, and one more for each session that those did not rotate', async () => {
    const { schema } = await freshStore(url)
    const { pool, texts } = watched(openPool(url))
    const store = opened(createPostgresStore(pool, { schema }))
    await insertAll(store)
    await store.rotate(sampleRotation({ handle: sampleHandle(3) }))
    texts.length = 0
    const clients = [{ ip: null, userAgent: null }, { ip: 'NULL', userAgent: '' }, {
      ip: '"',
      userAgent: 'ä\u{1f511}\n',
    }]
    const rotated = await Promise.all(numbers.map(number => store.rotate(sampleRotation({
      handle: sampleHandle(number),
      next: sampleNext({ client: clients[number % 3] ?? sampleNext().client, generation: number, branch: 15 - number }),
    }))))
    expect(texts).toHaveLength(3)
    const found = await Promise.all(numbers.map(number => store.find(sampleHandle(number))))
    expect(rotated).toEqual(found.map((record, number) => number === 3 ? null : record))
    expect(found[8]).toMatchObject({ client: clients[2], generation: 8, branch: 7 })
  })

  test('of one session: the first succeeds, and the second is checked against what it wrote', async () => {
    const { store } = await freshStore(url)
    await insertAll(store)
    const step = (number: number, generation: number, from: string, to: string): Promise<SessionRecord | null> =>
      store.rotate(sampleRotation({
        handle: sampleHandle(number),
        expected: samplePresented({ refreshHash: from, generation: generation - 1 }),
        next: sampleNext({ refreshHash: to, generation }),
      }))
    const first = sampleRecord().refreshHash
    const rotated = await Promise.all([
      step(1, 1, first, 'a'), step(2, 1, first, 'b'), step(2, 1, first, 'c'), step(2, 2, 'b', 'd'),
    ])
    expect(rotated.map(record => record?.refreshHash)).toEqual(['a', 'b', undefined, 'd'])
  })

  test('a rotation that the server refuses fails alone', async () => {
    const { store, schema, pool } = await freshStore(url)
    await insertAll(store)
    await pool.query(`ALTER TABLE ${schema}.keyturn_session ADD CHECK (generation <> 13)`)
    const settled = await Promise.allSettled(numbers.map(number => store.rotate(
      sampleRotation({ handle: sampleHandle(number), next: sampleNext({ generation: number }) }))))
    expect(settled.flatMap(({ status }, number) => status === 'rejected' ? [number] : [])).toEqual([13])
    expect(settled[13]).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
    for (const outcome of settled) expect(outcome).not.toMatchObject({ status: 'fulfilled', value: null })
  })

  test('a locked row delays only its own session, including its revocation', async () => {
    const { store, schema, pool } = await freshStore(url)
    await insertAll(store)
    const holder = await pool.connect()
    await holder.query(`BEGIN; SELECT 1 FROM ${schema}.keyturn_session WHERE handle = '${sampleHandle(3)}' FOR UPDATE`)
    const rotations = numbers.map(number => store.rotate(sampleRotation({ handle: sampleHandle(number) })))
    const others = rotations.filter((_, number) => number !== 3)
    expect(await Promise.all(others)).not.toContain(null)
    expect((await store.remove([sampleHandle(5)], 1)).handles).toEqual([sampleHandle(5)])
    const confirming = store.confirm(
      [2, 3, 4].map(number => ({ handle: sampleHandle(number), generation: 1, branch: 0 })),
    )
    await expect.poll(async () => (await store.find(sampleHandle(4)))?.confirmed).toBe(true)
    expect((await store.remove([sampleHandle(2)], 1)).handles).toEqual([sampleHandle(2)])
    await holder.query('ROLLBACK')
    holder.release()
    expect(await rotations[3]).toMatchObject({ refreshHash: 'hash-1' })
    await confirming
  })

  test('are done before the store is closed, including those that run alone', async () => {
    const { schema, store: after } = await freshStore(url)
    await insertAll(after)
    const store = createPostgresStore(url, { schema })
    await store.find(sampleHandle(1))
    const rotate = (number: number, overrides = {}): Promise<SessionRecord | null> =>
      store.rotate(sampleRotation({ handle: sampleHandle(number), ...overrides }))
    const grandchild = {
      expected: samplePresented({ refreshHash: 'hash-1', generation: 1 }),
      next: sampleNext({ refreshHash: 'hash-2', generation: 2 }),
    }
    const rotations = [rotate(1), rotate(2), rotate(3), rotate(2, grandchild)]
    await store.close()
    expect((await Promise.all(rotations)).map(record => record?.refreshHash))
      .toEqual(['hash-1', 'hash-1', 'hash-1', 'hash-2'])
  })

  test('each succeed once, from other processes in other orders, at every isolation level', async () => {
    for (const level of ['read committed', 'repeatable read', 'serializable']) {
      const { store, schema } = await freshStore(url)
      await insertAll(store)
      const answers = await Promise.all(processes(schema, level).flatMap((process, index) => (
        (index % 2 === 0 ? numbers : numbers.toReversed()).map(number => process.rotate(sampleRotation({
          handle: sampleHandle(number), next: sampleNext({ refreshHash: `next-${index}` }),
        })))
      )))
      const winners = answers.filter(answer => answer !== null)
      expect(winners.map(({ handle }) => handle).toSorted()).toEqual(numbers.map(sampleHandle).toSorted())
      for (const winner of winners) expect(await store.find(winner.handle)).toEqual(winner)
    }
  })
})
