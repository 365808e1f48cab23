import { Redis } from 'ioredis'
import pg from 'pg'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { sumCalls } from './calls.ts'
import { measureSpread } from './fleet.ts'
import type { Spread } from './fleet.ts'
import { measureSteadyFleets } from './steady.ts'
import type { SteadyFleet } from './steady.ts'

// The time from a revocation in one process until all four processes refuse the session. Each of them verifies a
// thousand requests a second meanwhile.

const REVOCATIONS = 150
const PUSH_BOUND = 100
const POLL_BOUND = 1200

interface Row {
  readonly store: string
  readonly how: string
  readonly processes: number
  readonly bound: number
  readonly spread: Spread
}

interface Backend {
  readonly name: string
  readonly url: string
  cut(): Promise<void>
  stop(): Promise<void>
}

async function postgres(): Promise<Backend> {
  const server = await startPostgres({ durable: true })
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  return {
    name: 'PostgreSQL',
    url: server.url,
    async cut() {
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %'")
    },
    async stop() {
      await client.end()
      await server.remove()
    },
  }
}

async function redis(): Promise<Backend> {
  const server = await startRedis({ appendonly: 'yes' })
  const client = new Redis(server.url)
  return {
    name: 'Redis',
    url: server.url,
    async cut() {
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    },
    async stop() {
      client.disconnect()
      await server.remove()
    },
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** Measures how fast revocations spread, on PostgreSQL and on Redis, and what fleets call that work steadily. */
export async function measureLatency(): Promise<void> {
  const rows: Row[] = []
  for (const start of [postgres, redis]) {
    const backend = await start()
    const { name: store, url } = backend
    const common = { url, revocations: REVOCATIONS }
    for (const processes of [1, 2, 4]) {
      const spread = await measureSpread({ ...common, processes, push: true })
      rows.push({ store, how: 'push', processes, bound: PUSH_BOUND, spread })
    }
    rows.push({
      store, how: 'polling alone', processes: 4, bound: POLL_BOUND,
      spread: await measureSpread({ ...common, processes: 4, push: false }),
    })
    rows.push({
      store, how: 'push, its connection cut before each revocation', processes: 4, bound: POLL_BOUND,
      spread: await measureSpread({ ...common, processes: 4, push: true, cut: () => backend.cut() }),
    })
    await backend.stop()
  }
  report(rows, await measureSteadyFleets())
}

function report(rows: readonly Row[], steady: readonly SteadyFleet[]): void {
  writeReport('latency', {
    machine: machine(),
    steady,
    rows: rows.map(({ spread, ...row }) => ({
      ...row, ...spread, latencies: spread.latencies.map(value => Number(value.toFixed(2))),
    })),
  }, [
    '# How fast a revocation reaches every process',
    '',
    `${REVOCATIONS} sessions revoked one after the other by one process; from the call of \`revokeSession\` until the last process `
      + 'refuses, in milliseconds. Each process verifies 1,000 requests a second meanwhile. PostgreSQL with durable commits, Redis '
      + 'with an append-only file, all on the same machine. Repeat with `npm run bench -- latency`.',
    '',
    machine(),
    '',
    '| store | how | processes | p50 | p99 | p99 must | | verified/s per process | sessions read for them | readings of the log/s per process |',
    '|---|---|--:|--:|--:|--:|---|--:|--:|--:|',
    ...rows.map(({ store, how, processes, bound, spread }) => {
      const { latencies, served, seconds, calls } = spread
      const p99 = percentile(latencies, 0.99)
      return `| ${store} | ${how} | ${processes} | ${percentile(latencies, 0.5).toFixed(1)} | ${p99.toFixed(1)} | < ${bound} `
        + `| ${p99 < bound ? 'reached' : '**missed**'} | ${(served / seconds / processes).toFixed(0)} | ${calls['find'] ?? 0} `
        + `| ${((calls['changesSince'] ?? 0) / seconds / processes).toFixed(1)} |`
    }),
    '',
    '## What processes call that work steadily',
    '',
    'Fleets on PostgreSQL for two minutes, after ten seconds to start. Each process verifies 200 requests a second, with the tokens of all processes '
      + 'in turn, and refreshes 5 sessions a second; the reuse interval is 1 s, so that a token confirms its refresh token after 2 s. Nothing is revoked. '
      + 'Calls per second and process.',
    '',
    `| processes | ${steadyMethods.join(' | ')} | sessions confirmed | unseen tokens | verifications |`,
    `|--:|${steadyMethods.map(() => '--:').join('|')}|--:|--:|--:|`,
    ...steady.map(({ processes, seconds, calls, confirmed, unseen, verified }) => {
      const each = (total: number): string => (total / seconds / processes).toFixed(3)
      return `| ${processes} | ${steadyMethods.map(method => each(calls[method] ?? 0)).join(' | ')} | ${each(confirmed)} | ${each(unseen)} | ${each(verified)} |`
    }),
    '',
    `Calls of other methods: ${otherCalls(steady)}.`,
  ])
}

/** The methods that have a column. */
const steadyMethods = ['rotate', 'changesSince', 'confirm', 'listKeys', 'time', 'acquireLease', 'removeExpired', 'find'] as const

function otherCalls(steady: readonly SteadyFleet[]): string {
  const methods: readonly string[] = steadyMethods
  const all = sumCalls(steady.map(({ calls }) => calls))
  const others = Object.entries(all).filter(([method]) => !methods.includes(method))
  return others.length === 0 ? 'none' : others.map(([method, count]) => `${method} ${count}`).join(', ')
}
