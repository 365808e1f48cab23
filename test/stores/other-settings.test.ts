import { Redis } from 'ioredis'
import { createConnection, createPool } from 'mysql2/promise'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { RedisClient } from '../../src/stores/redis.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { startMariadb } from '../support/servers/mariadb.ts'
import { startMysql } from '../support/servers/mysql.ts'
import { startRedis } from '../support/servers/redis.ts'
import type { TestServer } from '../support/servers/server.ts'

// A PostgreSQL connection sets what matters itself: its contract with other settings is in postgres.test.ts.

/** Starts one server for all tests of a block. Returns a function for its URL. */
function startShared(start: () => Promise<TestServer>): () => string {
  let server: TestServer | null = null
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.remove())
  return () => server?.url ?? ''
}

let cases = 0

const settings = {
  'autocommit': 'OFF', 'auto-increment-increment': '7', 'auto-increment-offset': '3',
  'character-set-server': 'latin1', 'collation-server': 'latin1_swedish_ci', 'completion-type': 'CHAIN',
  'default-storage-engine': 'MyISAM',
  'default-time-zone': '+05:45', 'explicit-defaults-for-timestamp': 'OFF', 'group-concat-max-len': '4',
  'innodb-strict-mode': 'OFF', 'transaction-isolation': 'READ-COMMITTED',
}
const modes = 'ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE'

/** MariaDB and MySQL with settings that a store must not depend on. Some can only be set in one way on MySQL. */
const otherServers = [
  ['MariaDB', inject('mariadbUrl'), () => startMariadb({
    settings: { ...settings, 'lower-case-table-names': '1', 'sql-safe-updates': 'ON', 'sql-mode': modes },
  })],
  ['MySQL', inject('mysqlUrl'), async () => {
    const server = await startMysql({
      settings: { ...settings, 'sql-mode': modes }, initialSettings: { 'lower-case-table-names': '1' },
    })
    const admin = await createConnection(server.url)
    await admin.query('SET GLOBAL sql_safe_updates = ON, GLOBAL sql_select_limit = 1')
    await admin.end()
    return server
  }],
] as const

for (const [name, installed, start] of otherServers) describe.skipIf(installed === null)(`a ${name} server with other settings`, () => {
  const url = startShared(start)
  runStoreContract(`${name} with other settings`, async () => {
    const prefix = `Other_${++cases}_`
    return { open: async () => createMysqlStore(url(), { prefix, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined }
  })

  test('ST-06: connections of the application\'s pool that leave them as they are are refused, with all that does not fit', async () => {
    const pool = createPool(url())
    onTestFinished(() => pool.end())
    // With a lower limit, the server would not show the others.
    pool.pool.on('connection', connection => {
      connection.query('SET sql_select_limit = 18446744073709551615', () => undefined)
    })
    const store = createMysqlStore(pool, { prefix: `Refused_${++cases}_`, migrate: 'manual' })
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
      code: 'MISUSE',
      message: expect.stringMatching(/autocommit = 1 .*, completion_type = NO_CHAIN .*, sql_safe_updates = 0 /),
    })
  })
})

describe.skipIf(inject('redisUrl') === null)('a Redis server with other settings', () => {
  const url = startShared(() => startRedis({
    'databases': '7', 'hash-max-listpack-entries': '0', 'hz': '1', 'lazyfree-lazy-user-del': 'yes',
    'lua-time-limit': '10', 'maxmemory': '300mb', 'notify-keyspace-events': 'AKE', 'rename-command': 'FLUSHALL hidden',
    'stream-node-max-entries': '1', 'zset-max-listpack-entries': '0',
  }))

  function contractThrough(name: string, connect: () => Promise<readonly [RedisClient, end: () => void]>): void {
    runStoreContract(name, async () => {
      const prefix = `other-${++cases}:`
      const [client, end] = await connect()
      return { open: async () => createRedisStore(client, { prefix, requestTimeout: 60 }), discard: async () => end() }
    })
  }

  contractThrough('ioredis with a key prefix and pipelines of its own', async () => {
    const client = new Redis(`${url()}/5`, { keyPrefix: 'app:', stringNumbers: true, enableAutoPipelining: true })
    return [client, () => client.disconnect()]
  })

  contractThrough('L-34: ioredis without a queue and without subscriptions that come back', async () => {
    const client = new Redis(`${url()}/4`, { enableOfflineQueue: false, autoResubscribe: false, lazyConnect: true })
    await client.connect()
    return [client, () => client.disconnect()]
  })

  contractThrough('L-34: node-redis that returns texts as bytes and numbers as texts', async () => {
    const typeMapping = {
      [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer, [RESP_TYPES.NUMBER]: String,
    }
    const client = await createClient({ url: `${url()}/3`, commandOptions: { typeMapping } }).connect()
    return [client, () => client.destroy()]
  })

  test('L-34: a client that has subscriptions is refused with what to pass instead', async () => {
    const client = new Redis(url(), { protocol: 2 })
    onTestFinished(() => client.disconnect())
    await client.subscribe('news')
    const store = createRedisStore(client, { prefix: 'subscribed:' })
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
      code: 'MISUSE', message: expect.stringContaining('client.duplicate()'),
    })
    await store.close()
  })

  contractThrough('node-redis with the protocol RESP3', async () => {
    const client = await createClient({ url: `${url()}/6`, RESP: 3 }).connect()
    return [client, () => client.destroy()]
  })
})
