import { existsSync, readFileSync } from 'node:fs'
import { TwoGenerationMap } from '../../src/base/two-generation-map.ts'
import { writeReport } from '../support/report.ts'
import { seeded, simulate } from './model.ts'
import type { FleetModel, FleetResult } from './model.ts'

// A simulation of a thousand processes and 100 million sessions, and its comparison with measurements.

const SESSIONS = 100_000_000
const PROCESSES = 1000
/** Bytes that a process keeps for a revoked session, as measured in docs/benchmarks/revocations.md. */
const BYTES_REVOKED = 42
/** Bytes that a process keeps for a verified token. */
const BYTES_CACHED = 1500
/** Bytes of an entry of the log on the network, with one handle. */
const BYTES_ENTRY = 90
/** How long a process keeps a revocation: the lifetime of an access token (an hour) and ten minutes. */
const RETENTION_SECONDS = 4200
const CACHE_SIZE = 10_000

/** PostgreSQL as measured here. Reading the log costs a little more than reading a row. */
const postgres = {
  push: true, pollInterval: 1000, pushPause: 50, pushDelay: 0.6, writeDelay: 0.9, readDelay: 0.8, readWork: 0.04, cores: 8,
  startedWithin: 1000, seconds: 10,
} as const satisfies Partial<FleetModel>

interface Measured {
  readonly store: string
  readonly how: string
  readonly processes: number
  readonly latencies: readonly number[]
  readonly feedReads: number
  readonly seconds: number
}

/** Simulates the fleet, checks the model, and writes the report. */
export async function simulateScale(): Promise<void> {
  const rates = [1, 38, 280, 1000].map(changesPerSecond => ({
    changesPerSecond,
    pushed: simulate({ ...postgres, processes: PROCESSES, changesPerSecond, spacing: 'random' }),
    unpaused: simulate({ ...postgres, processes: PROCESSES, changesPerSecond, spacing: 'random', pushPause: 0 }),
    polled: simulate({ ...postgres, processes: PROCESSES, changesPerSecond, spacing: 'random', push: false }),
  }))
  const checks = check()
  const hits = [hitRate('random'), hitRate('sticky')] as const
  writeReport('scale', { rates, checks, hits }, [
    '# A thousand processes and 100 million sessions, simulated',
    '',
    'Deterministic. What follows from it is in [scale.md](../scale.md). Repeat with `npm run bench -- scale`.',
    '',
    `${PROCESSES} processes on one PostgreSQL with ${postgres.cores} cores; push and a poll each second. A reading of the log keeps a core busy `
      + `for ${postgres.readWork * 1000} µs. "All know" is the time until the last process knows, in milliseconds.`,
    '',
    '| changes/s | how | all know: p50 | p99 | readings/s per process | readings/s of the store | its busy cores | feed to a process, kB/s | its list, MB | rows of the log |',
    '|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rates.flatMap(({ changesPerSecond, pushed, unpaused, polled }) => [
      row(changesPerSecond, 'push', pushed), row(changesPerSecond, 'push, were there no pause of 50 ms', unpaused),
      row(changesPerSecond, 'polling alone', polled),
    ]),
    '',
    `${(SESSIONS / 1e6).toFixed(0)} million sessions that each end once in 30 days by a revocation make 38 changes a second. The log and the lists hold `
      + `what was revoked within ${RETENTION_SECONDS} s.`,
    '',
    '## The cache of verified tokens',
    '',
    `10 million of the sessions are active, each with a request every 10 s: 1,000 requests a second and process. ${CACHE_SIZE.toLocaleString('en')} tokens are `
      + `remembered (up to twice as many, ${(2 * CACHE_SIZE * BYTES_CACHED / 1e6).toFixed(0)} MB).`,
    '',
    '| routing | share of verifications that hit |',
    '|---|--:|',
    `| any request to any process | ${(hits[0] * 100).toFixed(1)} % |`,
    `| a session's requests to one process | ${(hits[1] * 100).toFixed(1)} % |`,
    '',
    '## The model beside measurements',
    '',
    '[latency.md](latency.md): one revocation every 37 ms and a little; readings per second and process, and milliseconds until all know.',
    '',
    '| store | how | processes | readings: measured | model | p50: measured | model | p99: measured | model |',
    '|---|---|--:|--:|--:|--:|--:|--:|--:|',
    ...checks.map(({ store, how, processes, measured, model }) => (
      `| ${store} | ${how} | ${processes} | ${measured.reads.toFixed(1)} | ${model.readsPerSecondAndProcess.toFixed(1)} `
        + `| ${measured.p50.toFixed(1)} | ${model.p50.toFixed(1)} | ${measured.p99.toFixed(1)} | ${model.p99.toFixed(1)} |`
    )),
  ])
}

function row(changesPerSecond: number, how: string, result: FleetResult): string {
  const { p50, p99, readsPerSecondAndProcess, readsPerSecond, busyCores } = result
  const listed = changesPerSecond * RETENTION_SECONDS
  return `| ${changesPerSecond} | ${how} | ${p50.toFixed(0)} | ${p99.toFixed(0)} | ${readsPerSecondAndProcess.toFixed(1)} | ${readsPerSecond.toFixed(0)} `
    + `| ${busyCores.toFixed(2)} | ${(changesPerSecond * BYTES_ENTRY / 1000).toFixed(1)} | ${(listed * BYTES_REVOKED / 1e6).toFixed(1)} | ${listed} |`
}

interface Check {
  readonly store: string
  readonly how: string
  readonly processes: number
  readonly measured: { readonly reads: number; readonly p50: number; readonly p99: number }
  readonly model: FleetResult
}

/** Runs the model for the fleets that were measured with real processes. */
function check(): readonly Check[] {
  const file = new URL('../../docs/benchmarks/latency.json', import.meta.url)
  if (!existsSync(file)) return []
  const { rows }: { readonly rows: readonly Measured[] } = JSON.parse(readFileSync(file, 'utf8'))
  return rows.filter(({ how }) => !how.includes('cut')).map(({ store, how, processes, latencies, feedReads, seconds }) => {
    const sorted = latencies.toSorted((left, right) => left - right)
    const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
    return {
      store, how, processes,
      measured: { reads: feedReads / seconds / processes, p50: at(0.5), p99: at(0.99) },
      model: simulate({
        ...postgres, processes, startedWithin: 50, seconds: 60, push: how === 'push', changesPerSecond: latencies.length / (seconds - (how === 'push' ? 0 : 1)), spacing: 'even',
      }),
    }
  })
}

/** The share of a process's verifications that find their token in the real cache. */
function hitRate(routing: 'random' | 'sticky'): number {
  const random = seeded(7)
  const active = 10_000_000
  const cache = new TwoGenerationMap<true>(CACHE_SIZE)
  const own = routing === 'random' ? active : active / PROCESSES
  const requests = 400_000
  let hits = 0
  for (let request = 0; request < requests; request++) {
    const token = String(Math.floor(random() * own))
    if (cache.get(token) !== undefined) hits++
    else cache.set(token, true)
  }
  return hits / requests
}
