import { inject } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { openPool as openMysqlPool, opened } from './mysql-pools.ts'
import { openPool as openPostgresPool } from './postgres-pools.ts'
import { connectCluster, connectIoredis, openStore } from './redis-store.ts'

/** A kind of store on a server of the test run. */
export interface RealStore {
  readonly name: string
  /** Whether its server is installed. */
  readonly available: boolean
  /** Opens a store with separate connections, over the data of that name, until the test is over. */
  open(data: string): Promise<SessionStore>
  /** Opens connections until the test is over, for any number of stores. */
  connect(): Promise<(data: string) => SessionStore>
}

function realStore(name: string, available: boolean, connect: RealStore['connect']): RealStore {
  return { name, available, connect, open: async data => (await connect())(data) }
}

/** PostgreSQL, at an isolation level or at its default. */
export function postgresAt(level: string | null = null): RealStore {
  const url = inject('postgresUrl')
  const options = level === null ? '' : `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`
  return realStore(level === null ? 'PostgreSQL' : `PostgreSQL, ${level}`, url !== null, async () => {
    const pool = openPostgresPool(`${url}?options=${encodeURIComponent(options)}`)
    return data => opened(createPostgresStore(pool, { schema: data, migrate: 'auto' }))
  })
}

/** MariaDB, at an isolation level or at its default. */
export function mariadbAt(level: string | null = null): RealStore {
  return mysqlStoreOn('MariaDB', inject('mariadbUrl'), level)
}

/** MySQL, at an isolation level or at its default. */
export function mysqlAt(level: string | null = null): RealStore {
  return mysqlStoreOn('MySQL', inject('mysqlUrl'), level)
}

function mysqlStoreOn(server: string, url: string | null, level: string | null): RealStore {
  return realStore(level === null ? server : `${server}, ${level}`, url !== null, async () => {
    const pool = openMysqlPool(url ?? '')
    if (level !== null) {
      pool.pool.on('connection', connection => {
        connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`, () => undefined)
      })
    }
    return data => opened(createMysqlStore(pool, { prefix: `${data}_`, migrate: 'auto' }))
  })
}

const redis = inject('redisUrl')
const nodes = inject('redisClusterNodes')

/** One store of each kind. */
export const realStores: readonly RealStore[] = [
  postgresAt(),
  mariadbAt(),
  mysqlAt(),
  realStore('Redis', redis !== null, async () => {
    const client = connectIoredis(redis ?? '')
    return data => openStore(client, { prefix: `${data}:` })
  }),
  realStore('Redis Cluster', nodes !== null, async () => {
    const client = await connectCluster('ioredis', nodes ?? [])
    return data => openStore(client, { prefix: `${data}:` })
  }),
]
