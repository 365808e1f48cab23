import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import { createMysqlStore } from '../../dist/stores/mysql.js'
import { createPostgresStore } from '../../dist/stores/postgres.js'
import { createRedisStore } from '../../dist/stores/redis.js'
import { openSqliteStore } from '../../dist/stores/sqlite.js'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import { BARE_ROWS } from './contender.ts'
import type { StoreContender } from './contender.ts'

const HASH = 'h'.repeat(43)

/** What each bare row holds, and what it gets next: a value that stays the same would cost no write. */
function rowValues(): (row: number) => readonly [current: string, next: string] {
  const values = new Map<number, string>()
  let count = 0
  return row => {
    const current = values.get(row) ?? HASH
    const next = String(count++).padStart(43, 'n')
    values.set(row, next)
    return [current, next]
  }
}

/** SQLite in a file: rotations as the store does them (`NORMAL`), or a bare statement that waits for the disk (`FULL`). */
async function sqlite(synchronous: 'NORMAL' | 'FULL'): Promise<StoreContender> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-'))
  const file = join(folder, 'sessions.db')
  const store = openSqliteStore(file)
  await store.listKeys()
  const bare = new DatabaseSync(join(folder, 'bare.db'))
  bare.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};
    CREATE TABLE bare (id INTEGER PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID`)
  const insert = bare.prepare('INSERT INTO bare VALUES (?, ?)')
  bare.exec('BEGIN')
  for (let row = 0; row < BARE_ROWS; row++) insert.run(row, HASH)
  bare.exec('COMMIT')
  const update = bare.prepare('UPDATE bare SET hash = ? WHERE id = ? AND hash = ? RETURNING id')
  const valuesOf = rowValues()
  return {
    name: `SQLite (bare statement ${synchronous})`,
    store,
    async bareUpdate(row) {
      const [current, next] = valuesOf(row)
      update.all(next, row, current)
    },
    bulk: null,
    size: async () => statSync(file).size,
    async close() {
      await store.close()
      bare.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function postgres(): Promise<StoreContender> {
  const server = await startPostgres({ durable: true })
  const store = createPostgresStore(server.url, { migrate: 'auto' })
  await store.listKeys()
  const pool = new pg.Pool({ connectionString: server.url, max: 16 })
  await pool.query('CREATE TABLE bare (id integer PRIMARY KEY, hash text NOT NULL) WITH (fillfactor = 50)')
  await pool.query('INSERT INTO bare SELECT id, $1 FROM generate_series(0, $2) id', [HASH, BARE_ROWS - 1])
  const valuesOf = rowValues()
  return {
    name: 'PostgreSQL',
    store,
    bareUpdate(row) {
      const [current, next] = valuesOf(row)
      const text = 'UPDATE bare SET hash = $1 WHERE id = $2 AND hash = $3 RETURNING id'
      return pool.query({ name: 'bare', text, values: [next, row, current] })
    },
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

async function mariadb(): Promise<StoreContender> {
  const server = await startMariadb({ durable: true })
  const store = createMysqlStore(server.url, { migrate: 'auto' })
  await store.listKeys()
  const pool = mysql.createPool({ uri: server.url, connectionLimit: 16 })
  await pool.query('CREATE TABLE bare (id INT PRIMARY KEY, hash CHAR(43) NOT NULL)')
  await pool.query(`INSERT INTO bare SELECT seq, '${HASH}' FROM seq_0_to_${BARE_ROWS - 1}`)
  const valuesOf = rowValues()
  return {
    name: 'MariaDB',
    store,
    bareUpdate(row) {
      const [current, next] = valuesOf(row)
      return pool.execute('UPDATE bare SET hash = ? WHERE id = ? AND hash = ?', [next, row, current])
    },
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

async function redis(): Promise<StoreContender> {
  const server = await startRedis()
  const store = createRedisStore(server.url)
  await store.listKeys()
  const client = new Redis(server.url)
  for (let row = 0; row < BARE_ROWS; row++) await client.set(`bare:${row}`, HASH)
  client.defineCommand('bare', {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0`,
  })
  const bare: unknown = Reflect.get(client, 'bare')
  if (typeof bare !== 'function') throw new TypeError('the command was not defined')
  const valuesOf = rowValues()
  return {
    name: 'Redis',
    store,
    bareUpdate: async row => { await Reflect.apply(bare, client, [`bare:${row}`, ...valuesOf(row)]) },
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
  mariadb,
  redis,
}
