import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import type { BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { createSqliteStore } from '../../src/stores/sqlite.ts'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startMysql } from '../../test/support/servers/mysql.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import type { TestServer } from '../../test/support/servers/server.ts'
import { bareRows, FIRST_HASH, rowValues } from './contender.ts'
import type { StoreContender } from './contender.ts'

/** A login of Better Auth: it inserts a row and signs nothing. */
async function betterAuthLogin(database: BetterAuthOptions['database']): Promise<StoreContender['peers']> {
  const auth = betterAuth({
    baseURL: 'https://app.example.com', secret: randomBytes(32).toString('base64'), database,
    emailAndPassword: { enabled: true }, telemetry: { enabled: false },
  })
  await (await getMigrations(auth.options)).runMigrations()
  const { user } = await auth.api.signUpEmail({
    body: { email: 'user@example.com', password: 'correct horse battery', name: 'User' },
  })
  const { internalAdapter } = await auth.$context
  return { 'better-auth': () => internalAdapter.createSession(user.id) }
}

/** SQLite in a file. Rotations are the store's own; the bare statement waits for the disk (`FULL`) or does not. */
async function sqlite(synchronous: 'NORMAL' | 'FULL'): Promise<StoreContender> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-'))
  const file = join(folder, 'sessions.db')
  const durable = new DatabaseSync(file)
  const fast = new DatabaseSync(file)
  const store = createSqliteStore(durable, { fast })
  const bare = new DatabaseSync(join(folder, 'bare.db'))
  bare.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};
    CREATE TABLE bare (handle TEXT PRIMARY KEY, user_id TEXT NOT NULL, hash TEXT NOT NULL, previous TEXT NOT NULL)
      WITHOUT ROWID;
    CREATE INDEX bare_by_user ON bare (user_id)`)
  const insert = bare.prepare('INSERT INTO bare VALUES (?, ?, ?, ?)')
  bare.exec('BEGIN')
  for (const row of bareRows) insert.run(...row, FIRST_HASH, FIRST_HASH)
  bare.exec('COMMIT')
  const update = bare.prepare(
    'UPDATE bare SET previous = hash, hash = ? WHERE handle = ? AND hash = ? RETURNING handle')
  const valuesOf = rowValues()
  const peer = new DatabaseSync(join(folder, 'peer.db'))
  peer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  return {
    name: `SQLite ${synchronous}`,
    store,
    async bareUpdate(row) {
      const [handle, current, next] = valuesOf(row)
      update.all(next, handle, current)
    },
    peers: await betterAuthLogin(peer),
    bulk: async run => {
      durable.exec('PRAGMA synchronous = OFF')
      await run()
      durable.exec('PRAGMA synchronous = FULL')
    },
    size: async () => statSync(file).size,
    async close() {
      await store.close()
      for (const database of [durable, fast, bare, peer]) database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function postgres(): Promise<StoreContender> {
  const server = await startPostgres({ durable: true })
  const pool = new pg.Pool({ connectionString: server.url, max: 16 })
  const store = createPostgresStore(pool, { migrate: 'auto' })
  await store.listKeys()
  await pool.query(`CREATE TABLE bare (
      handle text PRIMARY KEY, user_id text NOT NULL, hash text NOT NULL, previous text NOT NULL
    ) WITH (fillfactor = 50)`)
  await pool.query('CREATE INDEX ON bare (user_id)')
  const [handles, users] = [bareRows.map(([handle]) => handle), bareRows.map(([, user]) => user)]
  await pool.query('INSERT INTO bare SELECT *, $3, $3 FROM unnest($1::text[], $2::text[])', [handles, users, FIRST_HASH])
  const valuesOf = rowValues()
  return {
    name: 'PostgreSQL',
    store,
    bareUpdate(row) {
      const [handle, current, next] = valuesOf(row)
      const text = 'UPDATE bare SET previous = hash, hash = $1 WHERE handle = $2 AND hash = $3 RETURNING handle'
      return pool.query({ name: 'bare', text, values: [next, handle, current] })
    },
    peers: await betterAuthLogin(pool),
    bulk: async run => {
      await pool.query('ALTER SYSTEM SET fsync = off')
      await pool.query('SELECT pg_reload_conf()')
      await run()
      await pool.query('ALTER SYSTEM RESET fsync')
      await pool.query('SELECT pg_reload_conf()')
      await pool.query('VACUUM ANALYZE')
    },
    async size() {
      const { rows } = await pool.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(c.oid)) bytes FROM pg_class c WHERE relname = 'keyturn_session'`)
      return Number(rows[0]?.bytes)
    },
    async close() {
      await store.close()
      await pool.end()
      await server.remove()
    },
  }
}

async function mysqlOn(name: string, server: TestServer): Promise<StoreContender> {
  const pool = mysql.createPool({ uri: server.url, connectionLimit: 16 })
  const store = createMysqlStore(pool, { migrate: 'auto' })
  await store.listKeys()
  await pool.query(`CREATE TABLE bare (
    handle CHAR(23) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, user_id VARCHAR(255) NOT NULL,
    hash CHAR(43) NOT NULL, previous CHAR(43) NOT NULL, KEY (user_id))`)
  await pool.query('INSERT INTO bare VALUES ?', [bareRows.map(row => [...row, FIRST_HASH, FIRST_HASH])])
  const valuesOf = rowValues()
  return {
    name,
    store,
    bareUpdate(row) {
      const [handle, current, next] = valuesOf(row)
      const text = 'UPDATE bare SET previous = hash, hash = ? WHERE handle = ? AND hash = ?'
      return pool.execute(text, [next, handle, current])
    },
    peers: {},
    bulk: async run => {
      await pool.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0')
      await run()
      await pool.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
      await pool.query('ANALYZE TABLE keyturn_session')
    },
    async size() {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT data_length + index_length bytes FROM information_schema.tables WHERE table_name = 'keyturn_session'`)
      return Number(rows[0]?.['bytes'])
    },
    async close() {
      await store.close()
      await pool.end()
      await server.remove()
    },
  }
}

async function redisOn(name: string, server: TestServer): Promise<StoreContender> {
  const client = new Redis(server.url)
  const store = createRedisStore(client)
  await store.listKeys()
  const forever = Date.now() + 100 * 86_400_000
  for (const [handle] of bareRows) await client.hset(`bare:${handle}`, { hash: FIRST_HASH, previous: FIRST_HASH })
  client.defineCommand('bare', {
    numberOfKeys: 1,
    lua: `if redis.call('HGET', KEYS[1], 'hash') ~= ARGV[1] then return 0 end
      redis.call('HSET', KEYS[1], 'previous', ARGV[1], 'hash', ARGV[2])
      redis.call('PEXPIREAT', KEYS[1], ARGV[3])
      return 1`,
  })
  const bare: unknown = Reflect.get(client, 'bare')
  if (typeof bare !== 'function') throw new TypeError('the command was not defined')
  const valuesOf = rowValues()
  return {
    name,
    store,
    async bareUpdate(row) {
      const [handle, current, next] = valuesOf(row)
      await Reflect.apply(bare, client, [`bare:${handle}`, current, next, forever])
    },
    peers: {},
    bulk: null,
    async size() {
      const used = /used_memory:(\d+)/.exec(await client.info('memory'))?.[1]
      return Number(used)
    },
    async close() {
      await store.close()
      client.disconnect()
      await server.remove()
    },
  }
}

/** The stores by the names that the command line knows. */
export const contenders: Readonly<Record<string, () => Promise<StoreContender>>> = {
  sqlite: () => sqlite('NORMAL'),
  'sqlite-full': () => sqlite('FULL'),
  postgres,
  mariadb: async () => mysqlOn('MariaDB', await startMariadb({ durable: true })),
  mysql: async () => mysqlOn('MySQL', await startMysql({ durable: true })),
  redis: async () => redisOn('Redis', await startRedis()),
  valkey: async () => redisOn('Valkey', await startRedis({}, 'valkey')),
}
