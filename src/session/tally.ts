import type { MetricName } from './metric-table.ts'

/** The labels of a series. Names and values are constants of the program, never texts from a client. */
export type Labels = Readonly<Record<string, string>>

/** A number of one metric. */
export interface Series {
  readonly name: MetricName
  readonly labels: Labels
  readonly value: number
}

/** A counter. Who counts often keeps it, and adds to its value. */
export interface Counter extends Series {
  value: number
}

/** The durations of one metric, in seconds. */
export interface Durations {
  readonly name: MetricName
  readonly labels: Labels
  readonly values: Histogram
}

/** The distribution of durations. */
export interface Histogram {
  /** How many were not longer than each bound; the last number counts all. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** A histogram while it is counted: a refresh adds to one bucket, and who reads the numbers adds them up. */
interface Bucketed {
  readonly name: MetricName
  readonly labels: Labels
  /** How many were longer than the bound before and not longer than this one; the last has no bound. */
  readonly buckets: number[]
  sum: number
}

/** The bounds of the buckets, in seconds. */
export const BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Counts what happens in a process. The numbers are read from here; nothing is sent. */
export class Tally {
  readonly #counters = new Map<string, Counter>()
  readonly #durations = new Map<string, Bucketed>()
  /** Called with each duration; null if nobody wants them one by one. */
  onDuration: ((name: MetricName, seconds: number, labels: Labels) => void) | null = null

  /** The counter of this name and these labels. */
  counter(name: MetricName, labels: Labels = {}): Counter {
    const key = keyOf(name, labels)
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = { name, labels, value: 0 }
      this.#counters.set(key, counter)
    }
    return counter
  }

  /** Adds to a counter. */
  count(name: MetricName, labels: Labels = {}, by = 1): void {
    this.counter(name, labels).value += by
  }

  /** Adds a duration to a histogram. */
  observe(name: MetricName, seconds: number, labels: Labels = {}): void {
    const key = keyOf(name, labels)
    let series = this.#durations.get(key)
    if (series === undefined) {
      series = { name, labels, buckets: [...BUCKETS, Number.POSITIVE_INFINITY].map(() => 0), sum: 0 }
      this.#durations.set(key, series)
    }
    let bucket = 0
    while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
    series.sum += seconds
    this.onDuration?.(name, seconds, labels)
  }

  /** The counters. */
  series(): readonly Series[] {
    return [...this.#counters.values()]
  }

  /** The histograms. */
  durations(): readonly Durations[] {
    return [...this.#durations.values()].map(({ name, labels, buckets, sum }) => {
      let total = 0
      return { name, labels, values: { counts: buckets.map(count => total += count), sum } }
    })
  }
}

function keyOf(name: MetricName, labels: Labels): string {
  let key: string = name
  for (const label in labels) key += ` ${labels[label]}`
  return key
}
