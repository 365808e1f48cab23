import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Engine } from '../session/engine.ts'
import { totalOf } from '../session/health.ts'
import type { MetricName } from '../session/metric-table.ts'
import { BUCKETS } from '../session/tally.ts'
import type { Tally } from '../session/tally.ts'
import type { Counters, HourSeries } from './api-types.ts'
import { countSessionsInUse } from './sessions-in-use.ts'
import { SeriesRing, STEP, stepAt } from './series.ts'
import type { Sample } from './series.ts'
import { VerificationTimes } from './verification-times.ts'

/** Reads the numbers of a process every 15 seconds, and keeps those of the last hour. */
export interface Sampler {
  /** Starts, unless it has started or is closed. */
  start(): void
  series(now: EpochMilliseconds): HourSeries
  counters(): Counters
  close(): void
}

/** The times of the verifications that a tally counts, for all consoles of one process together. */
const watches = new WeakMap<Tally, VerificationTimes>()

/** Creates a sampler. It starts nothing yet. */
export function createSampler(engine: Engine, schedule: Scheduler): Sampler {
  const { tally } = engine
  const ring = new SeriesRing()
  const times = watches.get(tally) ?? new VerificationTimes()
  watches.set(tally, times)
  let cancel: (() => void) | null = null
  let isClosed = false

  /** Sets the timer for the next whole step, so that the points of several processes lie above each other. */
  function wait(): void {
    const now = engine.clock()
    cancel = outsideRequests(() => schedule(() => {
      ring.add(readSample(engine, times))
      wait()
    }, (stepAt(now) + 1) * STEP - now))
  }

  return {
    start() {
      if (cancel !== null || isClosed) return
      tally.verifications = times
      ring.add(readSample(engine, times))
      wait()
    },
    series: now => ring.read(now),
    counters: () => readCounters(engine),
    close() {
      isClosed = true
      cancel?.()
      if (tally.verifications === times) tally.verifications = null
    },
  }
}

/** The totals since the process started. */
export function readCounters({ tally, caches }: Pick<Engine, 'tally' | 'caches'>): Counters {
  const totals = new Map<MetricName, number>()
  for (const { name, value } of tally.series()) totals.set(name, (totals.get(name) ?? 0) + value)
  const total = (name: MetricName): number => totals.get(name) ?? 0
  const { hits, misses } = totalOf(caches)
  return {
    logins: total('keyturn.sessions.created'),
    refreshes: total('keyturn.sessions.refreshed'),
    revocations: total('keyturn.sessions.revoked'),
    thefts: total('keyturn.token.thefts'),
    refusals: total('keyturn.refreshes.rejected'),
    verified: hits + misses,
    cacheHits: hits,
    rejected: total('keyturn.verifications.rejected'),
    storeFailures: total('keyturn.store.failures'),
  }
}

function readSample(engine: Engine, times: VerificationTimes): Sample {
  const { clock, feed, tally } = engine
  const at = clock()
  const { state, readAt } = feed.status()
  const calls = [...BUCKETS, 0].map(() => 0)
  for (const { name, values } of tally.durations()) {
    if (name !== 'keyturn.store.call.duration') continue
    for (const [index, count] of values.counts.entries()) calls[index] = (calls[index] ?? 0) + count
  }
  return {
    at,
    totals: readCounters(engine),
    verifications: times.read(),
    storeCalls: calls,
    feedLag: state !== 'following' || readAt === null ? 0 : Math.max(0, at - readAt),
    sessionsInUse: countSessionsInUse(engine)?.count ?? null,
  }
}
