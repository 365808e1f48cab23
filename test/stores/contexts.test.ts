import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { observeContexts } from '../support/request-context.ts'
import { openPool as openMysqlPool } from '../support/mysql-pools.ts'
import { openPool as openPostgresPool } from '../support/postgres-pools.ts'
import { connectClient } from '../support/redis-store.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

type Open = (url: string) => SessionStore | Promise<SessionStore>

const stores: readonly (readonly [name: string, url: string | null, open: Open])[] = [
  ['PostgreSQL by URL', inject('postgresUrl'),
    url => createPostgresStore(url, { schema: 'contexts', migrate: 'auto' })],
  ['a pool of pg', inject('postgresUrl'), url => (
    createPostgresStore(openPostgresPool(url), { schema: 'contexts', migrate: 'auto' })
  )],
  ['PgBouncer', inject('pgbouncerUrl'), url => createPostgresStore(url, { schema: 'contexts', migrate: 'auto' })],
  ['MariaDB by URL', inject('mariadbUrl'), url => createMysqlStore(url, { prefix: 'contexts_', migrate: 'auto' })],
  ['MySQL by URL', inject('mysqlUrl'), url => createMysqlStore(url, { prefix: 'contexts_', migrate: 'auto' })],
  ['a pool of mysql2', inject('mariadbUrl'), url => (
    createMysqlStore(openMysqlPool(url), { prefix: 'contexts_', migrate: 'auto' })
  )],
  ['Redis by URL', inject('redisUrl'), url => createRedisStore(url, { prefix: 'contexts:' })],
  ['a client of ioredis', inject('redisUrl'), async url => (
    createRedisStore(await connectClient('ioredis', url), { prefix: 'contexts:' })
  )],
  ['a client of node-redis', inject('redisUrl'), async url => (
    createRedisStore(await connectClient('node-redis', url), { prefix: 'contexts:' })
  )],
]

for (const [name, url, open] of stores) {
  test.skipIf(url === null)(
    `L-31: with ${name}, what outlives the first requests runs outside of them, and does not keep them`,
    async () => {
      const store = await open(url ?? '')
      onTestFinished(() => store.close())
      const observed = await observeContexts(store, collect)
      expect(observed).toMatchObject({ polls: [], wakes: [], logins: ['first login'], isCollected: true })
      expect(observed.pollCount).toBeGreaterThan(20)
  })
}
