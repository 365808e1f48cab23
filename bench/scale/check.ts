import { existsSync, readFileSync } from 'node:fs'
import type { SteadyFleet } from '../latency/steady.ts'
import { simulate } from './model.ts'
import { postgres } from './parameters.ts'

// The model beside the fleets that were measured with real processes (bench/latency).

/** A figure that was measured, and the model's. */
export interface Check {
  readonly fleet: string
  readonly what: string
  readonly measured: number
  readonly model: number
  /** Whether they differ by more than a third. */
  readonly differs: boolean
  /** Why; empty if they do not differ so much. */
  readonly why: string
}

interface LatencyRow {
  readonly store: string
  readonly how: string
  readonly processes: number
  readonly latencies: readonly number[]
  readonly calls: Readonly<Record<string, number>>
  readonly seconds: number
}

/** Why a figure differs, by its name: what the model leaves out. */
const reasons: Readonly<Record<string, string>> = {
  'p50, ms': 'with push, a notified process waits for its share of the two cores; by polling alone, it matters how far '
    + 'apart the polls of the processes happen to be, which in this run was less than on average',
  'p99, ms': 'writes take the same time in the model; in a store, a commit waits longer for the disk now and then, '
    + 'and a process for a core',
  'time': 'the first login and the start of the feed read the clock as well, and a reading is not repeated within 5 s',
  'listKeys': 'two or three readings of a process in two minutes: one more or less is a third',
  'acquireLease': 'two or three attempts of a process in two minutes: one more or less is a third',
  'removeExpired': 'two or three runs of a fleet in two minutes: one more or less is a third',
}

/** Compares. Empty if nothing was measured. */
export function checkModel(): readonly Check[] {
  const file = new URL('../../docs/benchmarks/latency.json', import.meta.url)
  if (!existsSync(file)) return []
  const { rows, steady = [] }: { readonly rows: readonly LatencyRow[]; readonly steady?: readonly SteadyFleet[] } = (
    JSON.parse(readFileSync(file, 'utf8'))
  )
  return [...rows.filter(({ how }) => !how.includes('cut')).flatMap(checkLatency), ...steady.flatMap(checkSteady)]
}

function checkLatency({ store, how, processes, latencies, calls, seconds }: LatencyRow): readonly Check[] {
  const sorted = latencies.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
  const model = simulate({
    ...postgres, processes, startedWithin: 50, seconds: 60, push: how === 'push', spacing: 'even', noticeDelay: 1.5,
    changesPerSecond: latencies.length / (seconds - (how === 'push' ? 0 : 1)),
  })
  const fleet = `${store}, ${how}, ${processes} ${processes === 1 ? 'process' : 'processes'}`
  return [
    compare(fleet, 'changesSince', (calls['changesSince'] ?? 0) / seconds / processes, model.callsPerSecond.changesSince / processes),
    compare(fleet, 'p50, ms', at(0.5), model.p50),
    compare(fleet, 'p99, ms', at(0.99), model.p99),
  ]
}

function checkSteady(steady: SteadyFleet): readonly Check[] {
  const { processes, seconds, calls, confirmed, unseen, refreshesPerProcess } = steady
  const refreshes = refreshesPerProcess * processes
  const model = simulate({
    ...postgres, processes, push: true, seconds: 1200,
    // Each process verifies every token of the fleet, many times.
    confirmationsPerProcess: refreshes,
  })
  const fleet = `steady, ${processes} ${processes === 1 ? 'process' : 'processes'}`
  const each = (total: number): number => total / seconds / processes
  const names = ['changesSince', 'listKeys', 'time', 'acquireLease', 'removeExpired', 'confirm'] as const
  return [
    ...names.map(name => compare(fleet, name, each(calls[name] ?? 0), model.callsPerSecond[name] / processes)),
    compare(fleet, 'rotate', each(calls['rotate'] ?? 0), refreshesPerProcess),
    compare(fleet, 'sessions in confirm', each(confirmed), model.confirmedPerSecond / processes),
    compare(fleet, 'unseen tokens', each(unseen), refreshes),
  ]
}

function compare(fleet: string, what: string, measured: number, model: number): Check {
  const differs = Math.abs(model - measured) > measured / 3
  return { fleet, what, measured, model, differs, why: differs ? reasons[what] ?? '**unexplained**' : '' }
}
