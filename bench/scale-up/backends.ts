import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { createPool } from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { postgresNames } from '../../src/stores/postgres/names.ts'
import { sessionColumns, sessionValues } from '../../src/stores/sql/session-row.ts'
import { tableNames } from '../../src/stores/sql/table-names.ts'
import { openStore } from './open-store.ts'
import type { StoreKind } from './open-store.ts'
import { loadRedis } from './load-redis.ts'
import { showProgress } from './progress.ts'
import { recordOf, sessionExpressions } from './rows.ts'
import type { Batch } from './rows.ts'

/** A store of one kind, with its server, that can be filled without the port. */
export interface Backend {
  readonly kind: StoreKind
  readonly name: string
  /** The URL or folder for `openStore`. */
  readonly place: string
  /** Opens a store over the data of this name, and creates its tables. */
  open(data: string): Promise<SessionStore>
  /** Writes the sessions of a batch straight into the tables or keys of an opened store. */
  load(data: string, batch: Batch): Promise<void>
  /** What everything in it takes: on the disk, or in memory where it keeps its data there. */
  bytes(): Promise<number>
  /** Ends what the database does in the background after a bulk load. */
  settle(): Promise<void>
  stop(): Promise<void>
}

/** How many rows one statement loads. */
const CHUNK = 50_000

/** Starts the server of a store. */
export function startBackend(kind: StoreKind): Promise<Backend> {
  return starters[kind]()
}

const starters: Readonly<Record<StoreKind, () => Promise<Backend>>> = {
  memory: startMemory,
  sqlite: startSqlite,
  postgres: () => startPostgresBackend(),
  mariadb: startMariadbBackend,
  redis: startRedisBackend,
}

async function inChunks(name: string, { from, count }: Batch, load: Load): Promise<void> {
  const progress = showProgress(`${name}: loading ${count.toLocaleString('en')} sessions`, count)
  for (let done = 0; done < count;) {
    const next = Math.min(done + CHUNK, count)
    await load(from + done, from + next - 1)
    done = next
    progress(done)
  }
}

type Load = (first: number, last: number) => Promise<void>

async function startMemory(): Promise<Backend> {
  const stores = new Map<string, SessionStore>()
  return {
    kind: 'memory', name: 'memory', place: '',
    async open(data) {
      const store = openStore('memory', '', data)
      stores.set(data, store)
      return store
    },
    // It has no tables that could be reached in another way.
    load: (data, batch) => inChunks('memory', batch, async (first, last) => {
      for (let number = first; number <= last; number++) await stores.get(data)?.insert(recordOf(batch, number))
    }),
    async bytes() {
      globalThis.gc?.()
      return process.memoryUsage().heapUsed
    },
    async settle() {},
    async stop() {
      stores.clear()
    },
  }
}

async function startSqlite(): Promise<Backend> {
  const place = mkdtempSync(join(tmpdir(), 'keyturn-scale-'))
  const remove = (): void => rmSync(place, { recursive: true, force: true })
  process.once('exit', remove)
  return {
    kind: 'sqlite', name: 'SQLite', place,
    open: async data => openStore('sqlite', place, data),
    async load(data, batch) {
      const database = new DatabaseSync(join(place, `${data}.db`))
      database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144')
      const columns = [...sessionColumns, 'sweep_at']
      const insert = database.prepare(
        `INSERT INTO ${tableNames().session} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
      await inChunks('SQLite', batch, async (first, last) => {
        database.exec('BEGIN IMMEDIATE')
        for (let number = first; number <= last; number++) {
          const record = recordOf(batch, number)
          insert.run(...sessionValues(record), record.expiresAt)
        }
        database.exec('COMMIT')
      })
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
    },
    bytes: async () => readdirSync(place).reduce((sum, file) => sum + statSync(join(place, file)).size, 0),
    async settle() {
      // Otherwise the first checkpoint of what is measured writes the loaded pages to the disk.
      for (const name of readdirSync(place)) {
        const file = openSync(join(place, name), 'r+')
        fsyncSync(file)
        closeSync(file)
      }
    },
    async stop() {
      process.off('exit', remove)
      remove()
    },
  }
}

/** A PostgreSQL whose commits wait for the disk. */
export async function startPostgresBackend(settings: Readonly<Record<string, string>> = {}): Promise<PostgresBackend> {
  const server = await startPostgres({
    durable: true, settings: { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '30min', ...settings },
  })
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const { url } = server
  return {
    kind: 'postgres', name: 'PostgreSQL', place: url, client,
    async open(data) {
      const store = openStore('postgres', url, data)
      await store.listKeys()
      return store
    },
    async load(data, batch) {
      const { session } = postgresNames({ prefix: `${data}_` })
      const { columns, values } = sessionExpressions(batch, {
        n: 'n::text',
        concat: (...texts) => texts.join(' || '),
        divide: (dividend, divisor) => `(${dividend}::bigint / ${divisor})::text`,
      })
      await client.query('SET synchronous_commit = off')
      await inChunks('PostgreSQL', batch, async (first, last) => {
        await client.query(`INSERT INTO ${session} (${columns}) SELECT ${values.replaceAll('(n::text %', '(n %')}
          FROM generate_series(${first}::bigint, ${last}::bigint) AS n`)
      })
    },
    async bytes() {
      const { rows } = await client.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size')
      return Number(rows[0]?.size)
    },
    async settle() {
      await client.query('VACUUM ANALYZE')
      await client.query('CHECKPOINT')
    },
    async stop() {
      await client.end()
      await server.remove()
    },
  }
}

/** The connection is for what a measure reads about the server. */
export interface PostgresBackend extends Backend {
  readonly client: pg.Client
}

async function startMariadbBackend(): Promise<Backend> {
  const server = await startMariadb({
    durable: true,
    settings: { 'innodb-buffer-pool-size': '1G', 'innodb-log-file-size': '1G' },
  })
  const { url } = server
  const pool = createPool({ uri: url, connectionLimit: 1 })
  return {
    kind: 'mariadb', name: 'MariaDB', place: url,
    async open(data) {
      const store = openStore('mariadb', url, data)
      await store.listKeys()
      return store
    },
    async load(data, batch) {
      const { session } = tableNames(`${data}_`)
      const { columns, values } = sessionExpressions(batch, {
        n: 'seq',
        concat: (...texts) => `CONCAT(${texts.join(', ')})`,
        divide: (dividend, divisor) => `${dividend} DIV ${divisor}`,
      })
      await pool.query('SET unique_checks = 0, foreign_key_checks = 0')
      await inChunks('MariaDB', batch, async (first, last) => {
        await pool.query(`INSERT INTO ${session} (${columns}) SELECT ${values} FROM seq_${first}_to_${last} ORDER BY 2`)
      })
      await pool.query(`ANALYZE TABLE ${session}`)
    },
    async bytes() {
      const [rows] = await pool.query<({ readonly size: string } & RowDataPacket)[]>(
        'SELECT SUM(data_length + index_length) AS size FROM information_schema.tables WHERE table_schema = DATABASE()')
      return Number(rows[0]?.size ?? 0)
    },
    async settle() {},
    async stop() {
      await pool.end()
      await server.remove()
    },
  }
}

async function startRedisBackend(): Promise<Backend> {
  const server = await startRedis()
  const client = new Redis(server.url)
  return {
    kind: 'redis', name: 'Redis', place: server.url,
    open: async data => openStore('redis', server.url, data),
    load: (data, batch) => loadRedis(server.port, `${data}:`, batch),
    bytes: async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]),
    async settle() {},
    async stop() {
      client.disconnect()
      await server.remove()
    },
  }
}
