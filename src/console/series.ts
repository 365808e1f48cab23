import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { BUCKETS } from '../session/tally.ts'
import type { HourSeries, SeriesName } from './api-types.ts'
import { added, quantile } from './quantile.ts'
import { verificationBounds } from './verification-times.ts'

/** The distance of two points. */
export const STEP: Milliseconds = 15_000
/** The points of an hour. */
export const POINTS = 240

/** What is read of a process at one time: totals since it started, and the state of the moment. */
export interface Sample {
  readonly at: EpochMilliseconds
  readonly totals: Readonly<Record<CountedName, number>>
  /** The distribution of verification times, by `verificationBounds`. */
  readonly verifications: readonly number[]
  /** The distribution of the times of store calls, by `BUCKETS`. */
  readonly storeCalls: readonly number[]
  readonly feedLag: number | null
  readonly sessionsInUse: number | null
}

/** The series that are counts. */
export type CountedName = 'logins' | 'refreshes' | 'revocations' | 'thefts' | 'refusals' | 'verified' | 'cacheHits'

/** One step of all series. */
export type Point = Readonly<Record<SeriesName, number | null>>

/** The names of all series. */
export const seriesNames: readonly SeriesName[] = [
  'logins', 'refreshes', 'revocations', 'thefts', 'refusals', 'verified', 'cacheHits', 'verifyP50', 'verifyP99', 'storeP50',
  'storeP99', 'feedLag', 'sessionsInUse',
]

/** The step between two samples; null if too much time has passed between them, as on a machine that slept. Pure. */
export function pointOf(before: Sample, after: Sample): Point | null {
  const elapsed = after.at - before.at
  if (elapsed <= 0 || elapsed >= 2 * STEP) return null
  const count = (name: CountedName): number => after.totals[name] - before.totals[name]
  const verifications = added(before.verifications, after.verifications)
  const calls = added(before.storeCalls, after.storeCalls)
  const storeTime = (part: number): number | null => {
    const seconds = quantile(BUCKETS, calls, part)
    return seconds === null ? null : seconds * 1000
  }
  return {
    logins: count('logins'),
    refreshes: count('refreshes'),
    revocations: count('revocations'),
    thefts: count('thefts'),
    refusals: count('refusals'),
    verified: count('verified'),
    cacheHits: count('cacheHits'),
    verifyP50: quantile(verificationBounds, verifications, 0.5),
    verifyP99: quantile(verificationBounds, verifications, 0.99),
    storeP50: storeTime(0.5),
    storeP99: storeTime(0.99),
    feedLag: after.feedLag,
    sessionsInUse: after.sessionsInUse,
  }
}

/** The points of the last hour, each at the place of its time. What was not measured is a gap. */
export class SeriesRing {
  /** By the number of the step, modulo {@link POINTS}. */
  readonly #points: ({ readonly step: number; readonly point: Point } | undefined)[] = []
  #last: Sample | null = null

  /** Adds a sample: it ends the step since the one before. */
  add(sample: Sample): void {
    const point = this.#last === null ? null : pointOf(this.#last, sample)
    this.#last = sample
    if (point === null) return
    const step = stepAt(sample.at) - 1
    this.#points[step % POINTS] = { step, point }
  }

  /** The series of the hour that ends at `now`. */
  read(now: EpochMilliseconds): HourSeries {
    const first = Math.floor(now / STEP) - POINTS
    const points = Array.from({ length: POINTS }, (_, index): Point | null => {
      const found = this.#points[(first + index) % POINTS]
      return found?.step === first + index ? found.point : null
    })
    const values = (name: SeriesName): readonly (number | null)[] => points.map(point => point?.[name] ?? null)
    return {
      from: first * STEP,
      step: STEP,
      logins: values('logins'),
      refreshes: values('refreshes'),
      revocations: values('revocations'),
      thefts: values('thefts'),
      refusals: values('refusals'),
      verified: values('verified'),
      cacheHits: values('cacheHits'),
      verifyP50: values('verifyP50'),
      verifyP99: values('verifyP99'),
      storeP50: values('storeP50'),
      storeP99: values('storeP99'),
      feedLag: values('feedLag'),
      sessionsInUse: values('sessionsInUse'),
    }
  }
}

/** The number of the step that begins at a time, or nearest to it: timers are early and late. Pure. */
export function stepAt(time: EpochMilliseconds): number {
  return Math.floor((time + STEP / 2) / STEP)
}
