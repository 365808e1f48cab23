import { createPool } from 'mysql2/promise'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { describeDeeply, describeFaults, expectService } from '../support/sql-store-faults.ts'

for (const { name, available, url, start } of await mysqlEngines('faults')) describe.skipIf(!available)(name, () => {
  describeFaults(name, {
    url,
    startDurable: () => start({ durable: true }),
    open: (each, { requestTimeout, migrate = 'auto' } = {}) => createMysqlStore(each, {
      migrate,
      prefix: migrate === 'auto' ? 'made_' : 'none_',
      ...(requestTimeout === undefined ? {} : { requestTimeout }),
    }),
    async openExhausted(requestTimeout) {
      const pool = createPool({ uri: url, connectionLimit: 2 })
      onTestFinished(() => pool.end())
      const store = createMysqlStore(pool, { prefix: 'made_', migrate: 'auto', requestTimeout })
      await expectService(store)
      const taken = [await pool.getConnection(), await pool.getConnection()]
      return { store, release: async () => taken.forEach(connection => connection.release()) }
    },
    async openFull() {
      const pool = createPool({ uri: url })
      onTestFinished(() => pool.end())
      const store = createMysqlStore(pool, { prefix: 'filled_', migrate: 'auto' })
      await store.find(sampleHandle(1))
      await pool.query(`CREATE TRIGGER disk_full BEFORE INSERT ON filled_session FOR EACH ROW
        SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'`)
      return { store, makeRoom: async () => void await pool.query('DROP TRIGGER disk_full') }
    },
  })

  test('ST-07: refused credentials are not repeated in the error', async () => {
    const wrong = new URL(url)
    wrong.username = 'mallory'
    wrong.password = 'hunter2'
    const store = createMysqlStore(wrong.href)
    onTestFinished(() => store.close())
    const error = await store.find(sampleHandle(1)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(describeDeeply(error)).not.toMatch(/mallory|hunter2/)
  })
})
