// node bench/console/inserts.ts FOLDER STORE: what `insert` of a store costs beside the revision whose build is in FOLDER.
// Both are in this process and take turns in slices of a millisecond or so. The quickest slices are compared: other
// programs on the machine only ever make a slice slower. Nothing waits for a disk.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { SessionRecord } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'

const ROUNDS = 300
const SLICE = 16
const [before = '', kind = ''] = process.argv.slice(2)
const after = fileURLToPath(new URL('../..', import.meta.url))

async function call<Result>(folder: string, path: string, name: string, ...values: readonly unknown[]): Promise<Result> {
  const module: object = await import(pathToFileURL(join(folder, 'dist', path)).href)
  return Reflect.apply(Reflect.get(module, name), null, values)
}

const servers: Readonly<Record<string, () => Promise<{ readonly url: string; remove(): Promise<void> }>>> = {
  postgres: () => startPostgres({}), mariadb: () => startMariadb({}), redis: () => startRedis(),
}
const server = await servers[kind]?.()
const url = server?.url ?? ''

async function open(folder: string, side: string): Promise<SessionStore> {
  const naming = { prefix: `${side}_` }
  switch (kind) {
    case 'sqlite': return call(folder, 'stores/sqlite.js', 'openSqliteStore', `/dev/shm/keyturn-${process.pid}-${side}.db`)
    case 'postgres': return call(folder, 'stores/postgres.js', 'createPostgresStore', url, { ...naming, migrate: 'auto' })
    case 'mariadb': return call(folder, 'stores/mysql.js', 'createMysqlStore', url, { ...naming, migrate: 'auto' })
    case 'redis': return call(folder, 'stores/redis.js', 'createRedisStore', url, naming)
    default: return call(folder, 'stores/memory.js', 'createMemoryStore')
  }
}

let users = 0
async function recordOf(): Promise<SessionRecord> {
  const now = Date.now()
  return call(after, 'testing/contracts.js', 'sampleRecord', {
    handle: `c${randomBytes(16).toString('base64url').slice(0, 21)}A`, userId: `user-${users++ >> 2}`, createdAt: now,
    authenticatedAt: now, rotatedAt: now, servedAt: now, idleTimeout: 8_640_000_000, expiresAt: now + 8_640_000_000,
  })
}

const stores = [await open(before, 'before'), await open(after, 'after')] as const
for (const lanes of [1, SLICE]) {
  const times: readonly [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of round % 2 === 0 ? [0, 1] as const : [1, 0] as const) {
      const records = await Promise.all(Array.from({ length: SLICE }, recordOf))
      const start = performance.now()
      if (lanes === 1) for (const record of records) await stores[side].insert(record)
      else await Promise.all(records.map(record => stores[side].insert(record)))
      times[side].push((performance.now() - start) * 1000 / SLICE)
    }
  }
  const at = (side: 0 | 1, share: number): string => (
    times[side].toSorted((left, right) => left - right)[Math.floor(ROUNDS * share)] ?? Number.NaN
  ).toFixed(1)
  console.log(`| ${kind} | ${lanes} | ${[0.05, 0.25, 0.5].map(share => `${at(0, share)} | ${at(1, share)}`).join(' | ')} |`)
}
for (const store of stores) await store.close()
await server?.remove()
process.exit(0)
