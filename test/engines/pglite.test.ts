import { Pool } from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { hasDrivers, startPglite } from '../support/drivers.ts'
import type { PgliteServer } from '../support/drivers.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { freePort } from '../support/servers/workspace.ts'

describe.skipIf(!hasDrivers())('PGlite', () => {
  let server: PgliteServer
  let pool: Pool
  let schemas = 0

  beforeAll(async () => {
    server = await startPglite(await freePort())
    pool = new Pool({ connectionString: server.url, max: 1 })
  })
  afterAll(async () => {
    await pool.end()
    await server.close()
  })

  // All stores of a case share the one connection that PGlite can have.
  runStoreContract('PGlite behind its socket server, a pool of one connection', async () => {
    const schema = `contract_${++schemas}`
    return {
      open: async () => createPostgresStore(pool, { schema, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })
})
