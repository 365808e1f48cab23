import { createPool } from 'mysql2/promise'
import type { Pool, PoolOptions } from 'mysql2/promise'
import { describe, inject } from 'vitest'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { asMysql } from '../support/as-mysql.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { createMariadbDatabase } from '../support/servers/mariadb.ts'

const server = inject('mariadbUrl')
const url = server === null ? '' : await createMariadbDatabase(server, 'contract')
let prefixes = 0

describe.skipIf(server === null)('MariaDB', () => {
  runStoreContract('MariaDB, by URL', async () => {
    const prefix = `contract_${++prefixes}_`
    return {
      open: async () => createMysqlStore(url, { prefix, migrate: 'auto' }),
      discard: async () => undefined,
    }
  })

  // The application's pool counts changed rows instead of found ones, returns 64-bit integers as text, and has a
  // stricter isolation level. The store treats the server as MySQL.
  const options: PoolOptions = {
    uri: url, connectionLimit: 4, flags: ['-FOUND_ROWS'], supportBigNumbers: true, bigNumberStrings: true,
  }
  runStoreContract('MariaDB, a pool of the application with other settings, used like a MySQL', async () => {
    const prefix = `contract_${++prefixes}_`
    const pools: Pool[] = []
    return {
      async open() {
        const pool = createPool(options)
        pool.pool.on('connection', connection => {
          connection.query('SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', () => undefined)
        })
        pools.push(pool)
        return createMysqlStore(asMysql(pool), { prefix, migrate: 'auto' })
      },
      discard: async () => void await Promise.all(pools.map(pool => pool.end())),
    }
  })
})
