import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { createConnection as createCallbackConnection, createPool as createCallbackPool } from 'mysql2'
import { createPool } from 'mysql2/promise'
import { Client, Pool } from 'pg'
import { createClient, createClientPool, createSentinel } from 'redis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore, migrateMysql } from '../../src/stores/mysql.ts'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { createSqliteStore } from '../../src/stores/sqlite.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { hasDrivers, openPostgresJs } from '../support/drivers.ts'

// Nothing listens there, and no test waits for a connection.
const nowhere = { host: '127.0.0.1', port: 1 }
const pgPool = new Pool(nowhere)
const mysqlPool = createPool(nowhere)
const callbackPool = createCallbackPool(nowhere)
const ioredis = new Redis({ ...nowhere, lazyConnect: true })
const database = new DatabaseSync(':memory:')

/** Clients by what the error calls them, and the functions that accept them. */
const clients: readonly (readonly [name: string, client: unknown, accepted: readonly string[]])[] = [
  ['a Pool of pg', pgPool, ['createPostgresStore']],
  ['a Client of pg, which is one connection', new Client(nowhere), []],
  ['a Pool of mysql2/promise', mysqlPool, ['createMysqlStore']],
  ['a Pool of mysql2, which takes callbacks: pass what its promise() method returns', callbackPool, []],
  ['a Connection of mysql2', quietConnection(), []],
  ['a client of ioredis', ioredis, ['createRedisStore']],
  ['a pipeline of ioredis', ioredis.pipeline(), []],
  ['a client of redis', createClient(), ['createRedisStore']],
  ['a pool of redis', createClientPool(), []],
  ['a sentinel of redis', createSentinel({ name: 'main', sentinelRootNodes: [nowhere] }), []],
  ['a legacy client of redis, which takes callbacks', createClient().legacy(), []],
  ['a SQLite database', database, ['createSqliteStore']],
]

const functions: readonly (readonly [name: string, wanted: string, call: (client: never) => unknown])[] = [
  ['createPostgresStore', 'a Pool of pg', createPostgresStore],
  ['createMysqlStore', 'a Pool of mysql2/promise', createMysqlStore],
  ['createRedisStore', 'a client or cluster of ioredis or redis', createRedisStore],
  ['createSqliteStore', 'an open SQLite database', createSqliteStore],
]

function quietConnection(): unknown {
  return createCallbackConnection(nowhere).on('error', () => undefined)
}

function problemOf(call: unknown, client: unknown): string {
  try {
    if (typeof call === 'function') call(client)
    return 'accepted'
  } catch (error) {
    expect(error).toMatchObject({ code: 'MISUSE' })
    return error instanceof Error ? error.message : ''
  }
}

describe('E-08: a client of another kind is refused when the store is created, and the error says what it is', () => {
  for (const [name, client, accepted] of clients) {
    test(`E-08: ${name}`, () => {
      for (const [owner, wanted, call] of functions) {
        const problem = problemOf(call, client)
        if (accepted.includes(owner)) {
          expect([owner, problem]).toEqual([owner, 'accepted'])
        } else {
          expect(problem).toContain(`must be ${wanted}`)
          expect(problem.endsWith(`received ${name}`), problem).toBe(true)
        }
      }
    })
  }

  test.skipIf(!hasDrivers())('E-08: a client of postgres.js', () => {
    for (const [, wanted, call] of functions) {
      const problem = problemOf(call, openPostgresJs('postgres://127.0.0.1:1/none'))
      expect(problem).toContain(`must be ${wanted}`)
      expect(problem.endsWith('received a client of postgres.js'), problem).toBe(true)
    }
  })

  test('E-08: the functions that migrate refuse them as well', async () => {
    const given: unknown = callbackPool
    const migrations: unknown[] = [migratePostgres, migrateMysql]
    for (const migrate of migrations) {
      if (typeof migrate !== 'function') continue
      await expect(migrate(given)).rejects.toMatchObject({
        code: 'MISUSE', message: expect.stringContaining('received a Pool of mysql2, which takes callbacks'),
      })
    }
  })

  test('E-08: a pool of an unknown library is refused when it first gives out what is no connection', async () => {
    const pool: unknown = { connect: async () => undefined }
    const create: unknown = createPostgresStore
    if (typeof create !== 'function') return
    const store = create(pool, { preparedStatements: true })
    onTestFinished(() => store.close())
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({
      code: 'MISUSE', message: expect.stringContaining('pass a Pool of pg'),
    })
  })
})
