import type { Milliseconds } from '../base/time.ts'
import type { VerificationWatch } from '../session/timed-verification.ts'

/** Of so many verifications that need no store, one is timed: reading the clock takes longer than a cached one. */
const SAMPLED = 16
/** The first bound is a microsecond, and each is a quarter longer than the one before: the last is ten seconds. */
const FIRST: Milliseconds = 0.001
const FACTOR = 1.25
const BUCKETS = 74

/** The bounds of the buckets of {@link VerificationTimes}, in milliseconds. */
export const verificationBounds: readonly Milliseconds[] = (
  Array.from({ length: BUCKETS }, (_, index) => FIRST * FACTOR ** index)
)

/**
 * How long verifications take, in finer steps than the histograms for Prometheus have: most take microseconds. It
 * exists only where somebody reads it.
 */
export class VerificationTimes implements VerificationWatch {
  readonly #counts: number[] = [...verificationBounds, 0].map(() => 0)
  #calls = 0

  /** Whether the next verification is one that is timed. */
  isDue(): boolean {
    return this.#calls++ % SAMPLED === 0
  }

  /** Adds the time that has passed since `performance.now()` returned `start`. */
  since(start: Milliseconds): void {
    const time = performance.now() - start
    const step = time <= FIRST ? 0 : Math.ceil(Math.log(time / FIRST) / Math.log(FACTOR))
    const bucket = Math.min(BUCKETS, step)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }

  /** How many were not longer than each bound; the last number counts all. */
  read(): readonly number[] {
    let total = 0
    return this.#counts.map(count => total += count)
  }
}
