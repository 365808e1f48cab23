import { createPool } from 'mysql2/promise'
import type { Pool, PoolOptions } from 'mysql2/promise'
import { describe } from 'vitest'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { runStoreContract } from '../support/run-contract.ts'

let prefixes = 0

for (const { name, available, url } of await mysqlEngines('other_settings')) describe.skipIf(!available)(name, () => {
  // The application's pool counts changed rows instead of found ones, returns 64-bit integers as text, keeps hardly any
  // prepared statement, and has a stricter isolation level. The other options must make no difference.
  const options: PoolOptions = {
    uri: url, connectionLimit: 4, flags: ['-FOUND_ROWS'], supportBigNumbers: true, bigNumberStrings: true,
    dateStrings: true, decimalNumbers: true, jsonStrings: true, stringifyObjects: true, timezone: '+05:45',
    namedPlaceholders: true, multipleStatements: true, disableEval: true, maxPreparedStatements: 2,
    waitForConnections: false, charset: 'UTF8MB4_GENERAL_CI', typeCast: (_, next) => next(),
  }
  runStoreContract(`${name}, a pool of the application with other settings`, async () => {
    const prefix = `contract_${++prefixes}_`
    const pools: Pool[] = []
    return {
      async open() {
        const pool = createPool(options)
        pool.pool.on('connection', connection => {
          connection.query('SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', () => undefined)
        })
        pools.push(pool)
        return createMysqlStore(pool, { prefix, migrate: 'auto', requestTimeout: 60 })
      },
      discard: async () => void await Promise.all(pools.map(pool => pool.end())),
    }
  })
})
