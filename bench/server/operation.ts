// usage: npm run bench:operation [-- --seconds 5] [--requests 20000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runRestarts } from '../../test/support/restart-run.ts'
import type { RestartReport } from '../../test/support/restart-run.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { freePort } from '../../test/support/servers/workspace.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'
import { operations } from './caller.ts'
import { startClient, startServer } from './process.ts'

const CLIENTS = 64
const STARTS = 5

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, requests: { type: 'string', default: '20000' } },
})
const milliseconds = Number(values.seconds) * 1000
const requests = Number(values.requests)

const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-operation-'))
const postgres = await startPostgres({ durable: true })
const stores = { SQLite: (name: string) => `sqlite:${join(folder, `${name}.db`)}`, PostgreSQL: () => postgres.url }

interface Row {
  readonly store: string
  readonly operation: string
  readonly callsPerSecond: number
  readonly p50: number
  readonly p99: number
}

const round = (value: number): number => Number(value.toFixed(1))
const rows: Row[] = []
const memory: { readonly store: string; readonly idle: number; readonly loaded: number }[] = []
const starts: { readonly store: string; readonly empty: number; readonly used: number }[] = []
const restarts: (RestartReport & { readonly store: string })[] = []

/** Milliseconds from the start of the process to its first answer. */
async function timeStart(url: string): Promise<number> {
  const began = performance.now()
  const server = await startServer(url)
  const response = await fetch(`${server.url}/health/ready`)
  const time = performance.now() - began
  await response.text()
  if (!response.ok) throw new Error('the server was not ready')
  await server.end()
  return time
}

for (const [store, urlOf] of Object.entries(stores)) {
  // An empty store: the keys are made. PostgreSQL is empty only once.
  const empty = await timeStart(urlOf('start'))
  const used: number[] = []
  for (let start = 0; start < STARTS; start++) used.push(await timeStart(urlOf('start')))
  starts.push({ store, empty: Math.round(empty), used: Math.round(median(used)) })

  const server = await startServer(urlOf('load'))
  const idle = server.cost().resident
  const client = await startClient('http', server.url)
  let loaded = idle
  // The first round is a warm-up and is not counted.
  for (const isCounted of [false, true]) {
    for (const operation of operations) {
      const report = await client.run({ operation, inFlight: CLIENTS, milliseconds: isCounted ? milliseconds : milliseconds / 5 })
      loaded = Math.max(loaded, server.cost().resident)
      if (!isCounted) continue
      const callsPerSecond = Math.round(report.calls / report.milliseconds * 1000)
      rows.push({ store, operation, callsPerSecond, p50: round(report.p50), p99: round(report.p99) })
    }
  }
  memory.push({ store, idle: Math.round(idle), loaded: Math.round(loaded) })
  client.end()
  await server.end()

  const port = await freePort()
  const run = await runRestarts({
    port, requests, clients: CLIENTS, start: () => startServer(urlOf('restarts'), [], ['--port', `${port}`, '--log-level', 'silent']),
  })
  restarts.push({ store, ...run })
  console.log(`${store}: ${run.requests} requests, ${run.failures.length} failed`)
}
await postgres.remove()
rmSync(folder, { recursive: true, force: true })

writeReport('operation', { machine: machine(), seconds: milliseconds / 1000, clients: CLIENTS, rows, memory, starts, restarts }, [
  '# The standalone server in operation',
  '',
  `\`keyturn serve\` in its own process, with ${CLIENTS} parallel clients in another one, over connections that stay open.`,
  'Server, store and clients share the machine. *verify* asks the store (`checkDatabase`), every refresh rotates',
  `(\`--reuse-interval 0\`). ${milliseconds / 1000} s for each operation. Repeat with \`npm run bench:operation\`.`,
  '',
  machine(),
  '',
  '| store | operation | per second | p50, ms | p99, ms |',
  '|---|---|--:|--:|--:|',
  ...rows.map(row => `| ${row.store} | ${row.operation} | ${row.callsPerSecond} | ${row.p50} | ${row.p99} |`),
  '',
  '| store | memory when idle, MiB | the most under load, MiB | from start to first answer, ms | the same with an empty store, ms |',
  '|---|--:|--:|--:|--:|',
  ...memory.map(({ store, idle, loaded }) => {
    const start = starts.find(each => each.store === store)
    return `| ${store} | ${idle} | ${loaded} | ${start?.used ?? ''} | ${start?.empty ?? ''} |`
  }),
  '',
  `${CLIENTS} clients log in, verify and refresh through a proxy that repeats requests without an answer, while the server is`,
  'restarted three times with `SIGTERM` and once with `SIGKILL`, all on one port:',
  '',
  '| store | requests | repeated by the proxy | failed |',
  '|---|--:|--:|--:|',
  ...restarts.map(({ store, requests: count, retries, failures }) => `| ${store} | ${count} | ${retries} | ${failures.length} |`),
])
