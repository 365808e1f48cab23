import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import { sampleHandle, sampleNext, samplePresented, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { opened, openPool, watched } from '../support/mysql-pools.ts'

const numbers = Array.from({ length: 16 }, (_, index) => index)
let prefixes = 0

async function insertAll(store: SessionStore): Promise<void> {
  for (const number of numbers) await store.insert(sampleRecord({ handle: sampleHandle(number), reuseInterval: 0 }))
}

for (const { name, available, url, isMariadb } of await mysqlEngines('turns')) describe.skipIf(!available)(`${name}: rotations of one tick of the event loop`, () => {
  test('take two statements on MariaDB, and two each on MySQL', async () => {
    const { pool, statements } = watched(openPool(url))
    const store = opened(createMysqlStore(pool, { prefix: `turn_${++prefixes}_`, migrate: 'auto' }))
    await insertAll(store)
    statements.length = 0
    const rotated = await Promise.all(numbers.map(number => (
      store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    )))
    expect(statements).toHaveLength(isMariadb ? 2 : 32)
    expect(rotated).toEqual(await Promise.all(numbers.map(number => store.find(sampleHandle(number)))))
  })

  test('each succeed once, from other processes in other orders, at every isolation level', async () => {
    for (const level of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']) {
      const prefix = `turn_${++prefixes}_`
      await migrateMysql(openPool(url), { prefix })
      const stores = [1, 2, 3, 4].map(() => {
        const pool = openPool(url)
        pool.pool.on('connection', connection => {
          connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`, () => undefined)
        })
        return opened(createMysqlStore(pool, { prefix }))
      })
      const [first = opened(createMysqlStore(url, { prefix }))] = stores
      await insertAll(first)
      const answers = await Promise.all(stores.flatMap((store, index) => (
        (index % 2 === 0 ? numbers : numbers.toReversed()).map(number => {
          const next = sampleNext({ refreshHash: `next-${index}` })
          return store.rotate(sampleRotation({ handle: sampleHandle(number), next }))
        })
      )))
      const winners = answers.filter((answer): answer is SessionRecord => answer !== null)
      expect(winners.map(({ handle }) => handle).toSorted()).toEqual(numbers.map(sampleHandle).toSorted())
      for (const winner of winners) expect(await first.find(winner.handle)).toEqual(winner)
    }
  })

    test('a locked row delays only its own session, including its revocation', async () => {
      const prefix = `turn_${++prefixes}_`
      const pool = openPool(url)
      const store = opened(createMysqlStore(pool, { prefix, migrate: 'auto' }))
      await insertAll(store)
      const holder = await pool.getConnection()
      await holder.query(
        `START TRANSACTION; SELECT 1 FROM ${prefix}session WHERE handle = '${sampleHandle(3)}' FOR UPDATE`,
      )
      const rotations = numbers.map(number => store.rotate(sampleRotation({ handle: sampleHandle(number) })))
      const others = rotations.filter((_, number) => number !== 3)
      expect(await Promise.all(others)).not.toContain(null)
      expect((await store.remove([sampleHandle(5)], 1)).handles).toEqual([sampleHandle(5)])
      await holder.query('ROLLBACK')
      holder.release()
      expect(await rotations[3]).toMatchObject({ refreshHash: 'hash-1' })
    })

  test('are done before the store is closed', async () => {
    const prefix = `turn_${++prefixes}_`
    const after = opened(createMysqlStore(url, { prefix, migrate: 'auto' }))
    await insertAll(after)
    for (const [of, generation] of [[url, 0], [openPool(url), 1]] as const) {
      const store = createMysqlStore(of, { prefix })
      await store.find(sampleHandle(0))
      const next = sampleNext({ refreshHash: `hash-${generation + 1}`, generation: generation + 1 })
      const expected = samplePresented({ refreshHash: `hash-${generation}`, generation })
      const rotations = numbers.map(number =>
        store.rotate(sampleRotation({ handle: sampleHandle(number), expected, next }))
      )
      await store.close()
      expect(await Promise.all(rotations)).not.toContain(null)
      expect(await after.find(sampleHandle(15))).toMatchObject({ refreshHash: next.refreshHash })
    }
  })
})
