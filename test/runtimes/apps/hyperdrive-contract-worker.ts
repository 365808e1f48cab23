import { env, waitUntil } from 'cloudflare:workers'
import { Client } from 'pg'
import postgres from 'postgres'
import { createPostgresStore, poolPerCall, postgresJsPool } from '../../../src/stores/postgres.ts'
import type { PostgresPool } from '../../../src/stores/postgres.ts'
import { serveContract } from './serve-contract.ts'
import type { ContractWorker, PrepareCase } from './serve-contract.ts'

// Runs the store contract on PostgreSQL behind Hyperdrive. The test has created the tables of each case, in a schema.

/** How many connections a request has at a time on Cloudflare. Further ones wait there; in workerd, they would not. */
const connectionLimit = 6

function limited(pool: PostgresPool): PostgresPool {
  const waiting: (() => void)[] = []
  let free = connectionLimit
  return {
    notifies: false,
    async connect() {
      if (free > 0) free -= 1
      else await new Promise<void>(resolve => waiting.push(resolve))
      const client = await pool.connect()
      return {
        ...client,
        release() {
          client.release()
          const next = waiting.shift()
          if (next === undefined) free += 1
          else next()
        },
      }
    },
  }
}

const nodePostgres = poolPerCall(() => new Client({ connectionString: env.HYPERDRIVE.connectionString }), {
  keepAlive: work => waitUntil?.(work),
})

const postgresJs: PostgresPool = {
  notifies: false,
  async connect() {
    const sql = postgres(env.HYPERDRIVE.connectionString, { max: 1, fetch_types: false })
    const client = await postgresJsPool(sql).connect()
    return { ...client, release: () => waitUntil?.(sql.end({ timeout: 1 })) }
  },
}

const on = (kind: string, pool: PostgresPool): PrepareCase => async index => {
  const ownPool = limited(pool)
  return () => createPostgresStore(ownPool, {
    schema: `${kind}_${index}`, preparedStatements: false, requestTimeout: 60,
  })
}

const worker: ContractWorker = serveContract({
  node_postgres: on('node_postgres', nodePostgres),
  postgres_js: on('postgres_js', postgresJs),
})

export default worker
