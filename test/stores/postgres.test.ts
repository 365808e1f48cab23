import { Pool } from 'pg'
import { describe, inject } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const server = inject('postgresUrl')
const pooler = inject('pgbouncerUrl')
let schemas = 0

/** Settings that an application may have made for its connections. */
const otherSettings = {
  default_transaction_isolation: 'serializable', default_transaction_deferrable: 'on', synchronous_commit: 'on',
  array_nulls: 'off', backslash_quote: 'off', bytea_output: 'escape', datestyle: 'German,DMY',
  extra_float_digits: '-15', plan_cache_mode: 'force_generic_plan', quote_all_identifiers: 'on',
  search_path: 'nowhere,public', standard_conforming_strings: 'off', timezone: 'Asia/Kathmandu',
  transform_null_equals: 'on', work_mem: '64kB',
}

describe.skipIf(server === null)('PostgreSQL', () => {
  runStoreContract('PostgreSQL, by URL', async () => {
    const schema = `contract_${++schemas}`
    return {
      open: async () => createPostgresStore(server ?? '', { schema, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })

  runStoreContract('PostgreSQL, a pool of the application with other settings, serializable by default', async () => {
    const url = await createPostgresDatabase(server ?? '', `contract_${++schemas}`)
    const pools: Pool[] = []
    return {
      async open() {
        const pool = new Pool({
          connectionString: url,
          max: 4,
          options: Object.entries(otherSettings).map(([name, value]) => `-c ${name}=${value}`).join(' '),
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
      open: async () => createPostgresStore(pooler ?? '', { schema, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })
})
