import { Pool } from 'pg'
import { describe, inject } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const pooler = inject('pgbouncerUrl')
let schemas = 0

describe.skipIf(server === null)('PostgreSQL', () => {
  runStoreContract('PostgreSQL, by URL', async () => {
    const schema = `contract_${++schemas}`
    return {
      open: async () => createPostgresStore(server ?? '', { schema, migrate: 'auto' }),
      discard: async () => undefined,
    }
  })

  runStoreContract('PostgreSQL, a pool of the application, every transaction serializable by default', async () => {
    const url = await createPostgresDatabase(server ?? '', `contract_${++schemas}`)
    const pools: Pool[] = []
    return {
      async open() {
        const pool = new Pool({
          connectionString: url,
          max: 4,
          options: '-c default_transaction_isolation=serializable -c synchronous_commit=on',
        })
        pools.push(pool)
        return createPostgresStore(pool, { prefix: 'App_', migrate: 'auto' })
      },
      discard: async () => void await Promise.all(pools.map(pool => pool.end())),
    }
  })
})

describe.skipIf(server === null || pooler === null)('PgBouncer', () => {
  runStoreContract('PostgreSQL through PgBouncer in transaction mode', async () => {
    const schema = `pooled_${++schemas}`
    return {
      open: async () => createPostgresStore(pooler ?? '', { schema, migrate: 'auto' }),
      discard: async () => undefined,
    }
  })
})
