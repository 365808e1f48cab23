import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Cluster, Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createClient } from 'redis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startMariadb } from '../support/servers/mariadb.ts'
import { startMysql } from '../support/servers/mysql.ts'
import { startPgbouncer } from '../support/servers/pgbouncer.ts'
import { createPostgresDatabase, startPostgres, startPostgresReplica } from '../support/servers/postgres.ts'
import { startRedisCluster } from '../support/servers/redis-cluster.ts'
import { startRedis, startRedisReplica } from '../support/servers/redis.ts'

/** Removes a server when the test is over, whatever its result. */
function temporary<Server extends { remove(): Promise<void> }>(server: Server): Server {
  onTestFinished(() => server.remove())
  return server
}

async function postgresRows(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

async function mariadbRows(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection(url)
  try {
    return (await connection.query({ sql, rowsAsArray: true }))[0]
  } finally {
    await connection.end()
  }
}

describe.skipIf(inject('postgresUrl') === null)('PostgreSQL', () => {
  const url = inject('postgresUrl') ?? ''

  test('answers, in a database of its own', async () => {
    const own = await createPostgresDatabase(url, 'smoke')
    expect(await postgresRows(own, 'select current_database()')).toEqual(['smoke'])
  })

  test.skipIf(inject('pgbouncerUrl') === null)('answers through PgBouncer', async () => {
    expect(await postgresRows(inject('pgbouncerUrl') ?? '', 'select 1')).toEqual([1])
  })

  test('keeps what it committed when killed, and what it streamed when its replica is promoted', async () => {
    const primary = temporary(await startPostgres({ durable: true, settings: { synchronous_standby_names: '' } }))
    await postgresRows(primary.url, 'create table kept as select 1 as id')
    const replica = temporary(await startPostgresReplica(primary))
    expect(await postgresRows(replica.url, 'select pg_is_in_recovery()')).toEqual([true])

    await primary.kill9()
    await expect(postgresRows(primary.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
    await primary.restart()
    expect(await postgresRows(primary.url, 'select id from kept')).toEqual([1])

    await primary.stop()
    await replica.promote()
    expect(await postgresRows(replica.url, 'insert into kept values (2) returning id')).toEqual([2])
    await replica.remove()
    expect(existsSync(replica.directory)).toBe(false)
  })

  test.skipIf(inject('pgbouncerUrl') === null)('has a pooler that can be killed and restarted', async () => {
    const pooler = temporary(await startPgbouncer({ port: Number(new URL(url).port) }))
    await pooler.kill9()
    await pooler.restart()
    expect(await postgresRows(pooler.url, 'select 1')).toEqual([1])
  })
})

describe.skipIf(inject('mariadbUrl') === null)('MariaDB', () => {
  test('answers', async () => {
    expect(await mariadbRows(inject('mariadbUrl') ?? '', 'select database()')).toEqual([['keyturn']])
  })

  test('keeps what it committed when killed', async () => {
    const server = temporary(await startMariadb({ durable: true }))
    await mariadbRows(server.url, 'create table kept select 1 as id')
    await server.kill9()
    await server.restart()
    expect(await mariadbRows(server.url, 'select id from kept')).toEqual([[1]])
  })
})

describe.skipIf(inject('mysqlUrl') === null)('MySQL', () => {
  test('answers, and is not MariaDB', async () => {
    expect(await mariadbRows(inject('mysqlUrl') ?? '', 'select database(), version() like "%MariaDB%"'))
      .toEqual([['keyturn', 0]])
  })

  test('keeps what it committed when killed', async () => {
    const server = temporary(await startMysql({ durable: true, initialSettings: { 'lower-case-table-names': '1' } }))
    await mariadbRows(server.url, 'create table kept select 1 as id')
    await server.kill9()
    await server.restart()
    expect(await mariadbRows(server.url, 'select id from KEPT')).toEqual([[1]])
  })
})

describe.skipIf(inject('valkeyUrl') === null)('Valkey', () => {
  test('answers, and is not Redis', async () => {
    const client = new Redis(inject('valkeyUrl') ?? '')
    onTestFinished(() => client.disconnect())
    expect(await client.info('server')).toContain('server_name:valkey')
  })
})

describe.skipIf(inject('redisUrl') === null)('Redis', () => {
  test('answers both drivers', async () => {
    const url = inject('redisUrl') ?? ''
    const ioredis = new Redis(url)
    onTestFinished(() => ioredis.disconnect())
    await ioredis.set('smoke', 'yes')
    const nodeRedis = await createClient({ url }).connect()
    onTestFinished(() => nodeRedis.destroy())
    expect(await nodeRedis.get('smoke')).toBe('yes')
  })

  test('keeps an append-only file when killed, and has replicas', async () => {
    const primary = temporary(await startRedis({ appendonly: 'yes', appendfsync: 'always' }))
    const client = new Redis(primary.url, { retryStrategy: () => 5 })
    onTestFinished(() => client.disconnect())
    client.on('error', () => {})
    await client.set('kept', '1')
    const replica = temporary(await startRedisReplica(primary))
    const reader = new Redis(replica.url)
    onTestFinished(() => reader.disconnect())
    expect(await reader.get('kept')).toBe('1')

    const closed = once(client, 'close')
    await primary.kill9()
    await closed
    await primary.restart()
    expect(await client.get('kept')).toBe('1')
  })

  test('forms a cluster', async () => {
    const client = new Cluster([...inject('redisClusterNodes') ?? []])
    onTestFinished(() => client.disconnect())
    const keys = Array.from({ length: 20 }, (_, index) => `smoke:${index}`)
    await Promise.all(keys.map((key) => client.set(key, key)))
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
    expect(client.nodes('master')).toHaveLength(3)
  })

  test('forms a cluster in which each primary has a replica', async () => {
    const cluster = temporary(await startRedisCluster({ replicas: true }))
    expect(cluster.nodes).toHaveLength(6)
    for (const replica of cluster.replicas) {
      const client = new Redis(replica.url)
      onTestFinished(() => client.disconnect())
      expect(await client.info('replication')).toContain('role:slave')
    }
  })
})
