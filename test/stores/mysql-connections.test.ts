import { createConnection } from 'mysql2/promise'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import { sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'

for (const { name, available, start } of await mysqlEngines('connections')) describe.skipIf(!available)(name, () => {
  test('P-08: with fewer connections than the stores want, all calls succeed; a store keeps to its pool size', async () => {
    // The least that this server accepts; it keeps one more for a superuser.
    const small = await start({ settings: { 'max-connections': '10' } })
    onTestFinished(() => small.remove())
    await migrateMysql(small.url)
    const admin = await createConnection(small.url)
    onTestFinished(() => admin.end())
    await admin.query('CREATE USER app@\'127.0.0.1\'')
    await admin.query('GRANT SELECT, INSERT, UPDATE, DELETE ON keyturn.* TO app@\'127.0.0.1\'')
    const url = new URL(small.url)
    url.username = 'app'
    const stores = [1, 2, 3].map(() => createMysqlStore(url.href, { requestTimeout: 60 }))
    for (const store of stores) await store.find(sampleHandle(1))
    for (let round = 0; round < 3; round++) {
      const calls = stores.flatMap(store => Array.from({ length: 60 }, (_, number) => store.find(sampleHandle(number))))
      const settled = await Promise.allSettled(calls)
      expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
    }
    await Promise.all(stores.map(store => store.close()))

    const store = createMysqlStore(url.href, { requestTimeout: 60, poolSize: 2 })
    onTestFinished(() => store.close())
    await Promise.all(Array.from({ length: 60 }, (_, number) => store.find(sampleHandle(number))))
    await expect.poll(async () => {
      const [rows] = await admin.query(
        'SELECT COUNT(*) AS number FROM information_schema.processlist WHERE user = \'app\'',
      )
      return rows
    }, { interval: 150 }).toEqual([{ number: 2 }])
  })

  test('P-18: pages of every size need few prepared statements, of which a server has a limited number', async () => {
    const server = await start({ settings: { 'max-prepared-stmt-count': '60' } })
    onTestFinished(() => server.remove())
    const store = createMysqlStore(server.url, { migrate: 'auto', requestTimeout: 60, poolSize: 1 })
    onTestFinished(() => store.close())
    const records = Array.from({ length: 5 }, (_, number) => sampleRecord({ handle: sampleHandle(number) }))
    for (const record of records) await store.insert(record)
    const { userId } = sampleRecord({})
    for (let limit = 1; limit <= 100; limit++) {
      const page = { limit, after: null }
      const least = Math.min(limit, records.length)
      expect((await store.listByUser(userId, page)).sessions).toHaveLength(least)
      expect((await store.listNewest({ tenantId: null, ip: null, userAgent: null }, page)).sessions).toHaveLength(least)
      expect((await store.pageEvents({ kinds: ['audit'], userId: null, handle: null }, page)).events).toEqual([])
    }
  })
})
