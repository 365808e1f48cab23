// usage: npm run bench:server [-- --rounds 5] [--seconds 0.8]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'
import { operations } from './caller.ts'
import type { Operation } from './caller.ts'
import { startClient, startServer } from './process.ts'
import type { Client, Server } from './process.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '0.8' } },
})
const rounds = Number(values.rounds)
const milliseconds = Number(values.seconds) * 1000

const clientKinds = ['http', 'sdk'] as const
const concurrencies = [1, 16] as const

interface Contender {
  readonly store: string
  readonly server: Server
  readonly clients: Readonly<Record<string, Client>>
  /** Mebibytes before the first request. */
  readonly idle: number
}

/** One operation by one kind of client, with so many in flight. Medians. */
interface Row {
  readonly store: string
  readonly client: string
  readonly inFlight: number
  readonly operation: Operation
  readonly callsPerSecond: number
  /** Milliseconds of the server's CPU time per call. */
  readonly cpu: number
}

const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-server-'))
const postgres = await startPostgres({ durable: true })
const redis = await startRedis()
const stores = { SQLite: `sqlite:${join(folder, 'sessions.db')}`, PostgreSQL: postgres.url, Redis: redis.url }
const contenders: Contender[] = []
for (const [store, url] of Object.entries(stores)) {
  const server = await startServer(url)
  const idle = server.cost().resident
  const clients = { http: await startClient('http', server.url), sdk: await startClient('sdk', server.url) }
  contenders.push({ store, server, clients, idle })
}

const samples = new Map<string, Row[]>()

async function measure(contender: Contender, client: string, inFlight: number, operation: Operation): Promise<void> {
  const { store, server, clients } = contender
  const before = server.cost().cpu
  const report = await clients[client]?.run({ operation, inFlight, milliseconds })
  if (report === undefined) throw new Error(`there is no client ${client}`)
  const row: Row = {
    store, client, inFlight, operation,
    callsPerSecond: report.calls / report.milliseconds * 1000,
    cpu: (server.cost().cpu - before) / report.calls,
  }
  const key = [store, client, inFlight, operation].join()
  samples.set(key, [...samples.get(key) ?? [], row])
}

// The first round is a warm-up and is not counted.
for (let round = 0; round <= rounds; round++) {
  if (round === 1) samples.clear()
  for (const operation of operations) {
    for (const inFlight of concurrencies) {
      for (const client of clientKinds) {
        for (const contender of contenders) await measure(contender, client, inFlight, operation)
      }
    }
  }
  console.log(round === 0 ? 'warmed up' : `round ${round} of ${rounds}`)
}

const rows = [...samples.values()].flatMap(group => group.slice(0, 1).map(first => ({
  ...first,
  callsPerSecond: Math.round(median(group.map(row => row.callsPerSecond))),
  cpu: Number(median(group.map(row => row.cpu)).toFixed(3)),
})))
const memory = contenders.map(({ store, server, idle }) => ({
  store, idle: Math.round(idle), afterLoad: Math.round(server.cost().resident),
}))
for (const { server, clients } of contenders) {
  for (const client of Object.values(clients)) client.end()
  await server.end()
}
await postgres.remove()
await redis.remove()
rmSync(folder, { recursive: true, force: true })

function cells(store: string, client: string, inFlight: number): string {
  const group = rows.filter(row => row.store === store && row.client === client && row.inFlight === inFlight)
  return group.map(row => `${row.callsPerSecond} | ${row.cpu.toFixed(2)}`).join(' | ')
}
const header = operations.flatMap(operation => [`${operation}/s`, 'CPU, ms'])

writeReport('server', { machine: machine(), rounds, seconds: milliseconds / 1000, rows, memory }, [
  '# The standalone server',
  '',
  '`keyturn serve` in its own process, called over connections that stay open, by the bare protocol (*http*) and by',
  'the published Node SDK (*sdk*). Server, store and client share the machine: trust the CPU of the server per',
  `operation, known to about a tenth. Medians of ${rounds} alternating rounds of ${milliseconds / 1000} s. *verify* asks`,
  'the store (`checkDatabase`); without that the SDK verifies by itself. The SDK\'s *create* is two calls. Repeat',
  'with `npm run bench:server`.',
  '',
  machine(),
  '',
  `| store | client | in flight | ${header.join(' | ')} |`,
  `|---|---|--:|${header.map(() => '--:').join('|')}|`,
  ...contenders.flatMap(({ store }) => clientKinds.flatMap(client => concurrencies.map(inFlight => (
    `| ${store} | ${client} | ${inFlight} | ${cells(store, client, inFlight)} |`
  )))),
  '',
  'Resident memory of the server, MiB:',
  '',
  '| store | idle | after the load |',
  '|---|--:|--:|',
  ...memory.map(({ store, idle, afterLoad }) => `| ${store} | ${idle} | ${afterLoad} |`),
])
