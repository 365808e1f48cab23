// usage: npm run bench:stores [-- --stores sqlite,postgres] [--sessions 10000,100000,1000000] [--seconds 1]
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { platform } from '../../dist/platform/node.js'
import { createCore } from '../../dist/session/create-core.js'
import { createPolicy } from '../../dist/session/policy.js'
import type { SessionCore } from '../../dist/session/core.js'
import type { SessionRecord } from '../../dist/session/record.js'
import type { SessionStore } from '../../dist/session/store.js'
import { sampleRecord } from '../../dist/testing/samples.js'
import { createHandle } from '../../dist/base/handle.js'
import { BARE_ROWS } from './contender.ts'
import type { StoreContender } from './contender.ts'
import { contenders } from './contenders.ts'

const { values } = parseArgs({
  options: {
    stores: { type: 'string', default: Object.keys(contenders).join(',') },
    sessions: { type: 'string', default: '10000,100000,1000000' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
  },
})
const sizes = values.sessions.split(',').map(Number)
const slice = Number(values.seconds) * 1000
const rounds = Number(values.rounds)
const client = { ip: '192.0.2.1', userAgent: 'bench' }
const folder = new URL('../../docs/benchmarks/', import.meta.url)

/** Calls per second with so many in flight, for a slice of time. */
async function rate(concurrency: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  let calls = 0
  const worker = async (): Promise<void> => {
    while (performance.now() - start < slice) await call(calls++)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return calls / (performance.now() - start) * 1000
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** Measures several things in alternating rounds; the medians. */
async function alternate(things: Readonly<Record<string, () => Promise<number>>>): Promise<Record<string, number>> {
  const results = new Map(Object.keys(things).map(name => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(things)) results.get(name)?.push(await measure())
  }
  return Object.fromEntries([...results].map(([name, numbers]) => [name, median(numbers)]))
}

/** Sessions of `users` users, some of which are listed. */
async function load(store: SessionStore, from: number, to: number): Promise<number> {
  let next = from
  const start = performance.now()
  const worker = async (): Promise<void> => {
    while (next < to) await store.insert(recordOf(next++))
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  return (to - from) / (performance.now() - start) * 1000
}

function recordOf(index: number): SessionRecord {
  const now = Date.now()
  return sampleRecord({
    handle: createHandle('cookie', platform.crypto.randomBytes),
    userId: `user-${index % 100_000}`,
    createdAt: now, authenticatedAt: now, rotatedAt: now, servedAt: now,
    idleTimeout: 100 * 86_400_000, absoluteExpiry: null, expiresAt: now + 100 * 86_400_000,
  })
}

function coreOn(store: SessionStore): SessionCore<object, object> {
  return createCore({
    store: { ...store, close: async () => undefined },
    crypto: platform.crypto, clock: platform.clock, entropy: platform.crypto.randomBytes, schedule: platform.schedule,
    policy: createPolicy({ pollInterval: 3600 }), issuer: 'https://bench.example/auth', audience: null,
    algorithm: 'EdDSA', secrets: [], payloadSchema: undefined, infoSchema: undefined, events: {},
  })
}

/** How fast the store rotates, refreshes and logs in, beside its own ceiling. */
async function measureWrites({ store, bareUpdate }: StoreContender): Promise<Record<string, Record<string, number>>> {
  const core = coreOn(store)
  const lanes = await Promise.all(Array.from({ length: 64 }, () => core.create({ userId: 'bench', mode: 'header', client })))
  const tokens = lanes.map(lane => lane.refreshToken)
  const records = await Promise.all(lanes.map(lane => store.find(lane.claims.sid)))
  const hashes = records.map(record => record?.refreshHash ?? '')
  const rotateLane = async (lane: number): Promise<void> => {
    const record = records[lane]
    if (record == null) throw new Error('a session is gone')
    const now = Date.now()
    const hash = platform.crypto.randomBytes(32).toString().slice(0, 0) + Math.random().toString(36).padEnd(43, 'x').slice(0, 43)
    const next = { refreshHash: hash, generation: 0, branch: 0, confirmed: false, rotatedAt: now, servedAt: now, client }
    const alive = { now, rotatedAfter: 0, createdAfter: -1 }
    if (await store.rotate({ handle: record.handle, expectedHash: hashes[lane] ?? '', alive, next }) === null) throw new Error('a rotation was lost')
    hashes[lane] = hash
  }
  const refreshLane = async (lane: number): Promise<void> => {
    const outcome = await core.refresh(tokens[lane] ?? '', 'header', client)
    if (outcome.kind !== 'refreshed') throw new Error(`a refresh was answered with ${outcome.kind}`)
    tokens[lane] = outcome.issued.refreshToken
  }
  const rest = async (lane: number): Promise<void> => {
    const fresh = await core.create({ userId: 'bench', mode: 'header', client })
    records[lane] = await store.find(fresh.claims.sid)
    hashes[lane] = records[lane]?.refreshHash ?? ''
  }
  const results: Record<string, Record<string, number>> = {}
  for (const concurrency of [1, 16, 64]) {
    await Promise.all(Array.from({ length: 32 }, (_, lane) => rest(lane)))
    const perLane = (run: (lane: number) => Promise<unknown>, from: number, count: number) => async (): Promise<number> => {
      // Each lane is one session: its calls follow each other, as a client's do.
      const start = performance.now()
      let calls = 0
      await Promise.all(Array.from({ length: count }, async (_, lane) => {
        while (performance.now() - start < slice) {
          await run(from + lane)
          calls++
        }
      }))
      return calls / (performance.now() - start) * 1000
    }
    const lanesAtOnce = Math.min(concurrency, 32)
    results[`@${concurrency}`] = await alternate({
      bare: () => rate(concurrency, index => bareUpdate(index % BARE_ROWS)),
      rotate: perLane(rotateLane, 0, lanesAtOnce),
      refresh: perLane(refreshLane, 32, lanesAtOnce),
      login: () => rate(concurrency, () => core.create({ userId: `login-${Math.random()}`, mode: 'header', client })),
    })
  }
  await core.close()
  return results
}

/** Whether listing and cleanup grow with the number of other sessions. */
async function measureReads({ store }: StoreContender): Promise<Record<string, number>> {
  const listing = await rate(16, index => store.listByUser(`user-${(index * 7919) % 10_000}`, { limit: 100, after: null }))
  const past = Date.now() - 86_400_000
  const expired = 5000
  let made = 0
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (made++ < expired) {
      await store.insert({ ...recordOf(made), createdAt: past, rotatedAt: past, servedAt: past, idleTimeout: 1000, expiresAt: past + 1000 })
    }
  }))
  const start = performance.now()
  let removed = 0
  for (;;) {
    const count = await store.removeExpired(Date.now(), 500)
    removed += count
    if (count < 500) break
  }
  return { 'listings/s': listing, 'cleanup/s': removed / (performance.now() - start) * 1000 }
}

interface StoreResult {
  readonly store: string
  readonly bytesPerSession: number
  readonly loaded: Record<string, Record<string, number>>
  readonly writes: Record<string, Record<string, number>>
}

async function measure(name: string): Promise<StoreResult> {
  const open = contenders[name]
  if (open === undefined) throw new Error(`there is no store ${name}: ${Object.keys(contenders).join(', ')}`)
  const contender = await open()
  console.log(`\n${contender.name}`)
  try {
    const writes = await measureWrites(contender)
    for (const [at, row] of Object.entries(writes)) console.log(at.padStart(5), formatRow(row))
    const before = await contender.size()
    const loaded: Record<string, Record<string, number>> = {}
    let count = 0
    for (const size of sizes) {
      let loading = 0
      const run = async (): Promise<void> => { loading = await load(contender.store, count, size) }
      await (contender.bulk === null ? run() : contender.bulk(run))
      count = size
      const row = { 'load/s': loading, ...await measureReads(contender) }
      loaded[String(size)] = row
      console.log(`${size} sessions`.padStart(17), formatRow(row))
    }
    const bytesPerSession = (await contender.size() - before) / count
    console.log(`${Math.round(bytesPerSession)} bytes per session`.padStart(25))
    return { store: contender.name, bytesPerSession, loaded, writes }
  } finally {
    await contender.close()
  }
}

function formatRow(row: Record<string, number>): string {
  return Object.entries(row).map(([name, value]) => `${name} ${Math.round(value)}`).join('  ')
}

function toMarkdown(results: readonly StoreResult[]): string {
  const ratio = (row: Record<string, number> | undefined, name: string): string =>
    row === undefined ? '' : ((row[name] ?? Number.NaN) / (row['bare'] ?? Number.NaN)).toFixed(2)
  const writes = results.flatMap(({ store, writes }) => Object.entries(writes).map(([at, row]) =>
    `| ${store} | ${at} | ${Math.round(row['bare'] ?? 0)} | ${Math.round(row['rotate'] ?? 0)} | ${ratio(row, 'rotate')} | ${Math.round(row['refresh'] ?? 0)} | ${ratio(row, 'refresh')} | ${Math.round(row['login'] ?? 0)} |`))
  const reads = results.flatMap(({ store, loaded, bytesPerSession }) => Object.entries(loaded).map(([size, row]) =>
    `| ${store} | ${Number(size).toLocaleString('en')} | ${Math.round(row['load/s'] ?? 0)} | ${Math.round(row['listings/s'] ?? 0)} | ${Math.round(row['cleanup/s'] ?? 0)} | ${Math.round(bytesPerSession)} |`))
  return `# Stores

Made by \`npm run bench:stores\`, on two shared cores: trust the ratios, not the rates. Medians of ${rounds} alternating rounds
of ${values.seconds} s. *bare* is one conditional update of one row by its key through the same driver; *rotate* is the store's own
compare-and-swap; *refresh* is the whole exchange of a refresh token (hashes, compare-and-swap, EdDSA signature); *login* starts a
session. At most 32 sessions rotate at once. Server and client share the cores. PostgreSQL and MariaDB wait for the disk at each
commit of a login; Redis keeps nothing on disk here.

| store | in flight | bare/s | rotate/s | ÷ bare | refresh/s | ÷ bare | login/s |
|---|--:|--:|--:|--:|--:|--:|--:|
${writes.join('\n')}

With so many sessions in the store, of 100,000 users: a listed user has one session in the first two rows and ten in the
last (16 in flight; cleanup of 5,000 expired sessions in batches of 500). The first rows fit the processor's caches, the
last does not:

| store | sessions | load/s | listings/s | cleanup/s | bytes per session |
|---|--:|--:|--:|--:|--:|
${reads.join('\n')}
`
}

const results: StoreResult[] = []
for (const name of values.stores.split(',')) results.push(await measure(name))
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('stores.json', folder), `${JSON.stringify(results, null, 2)}\n`)
writeFileSync(new URL('stores.md', folder), toMarkdown(results))
process.exit(0)
