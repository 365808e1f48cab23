import type { Milliseconds } from '../base/time.ts'
import type { MetricName } from './metric-table.ts'
import type { VerificationWatch } from './timed-verification.ts'

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

/** The bounds of the buckets, in seconds. */
export const BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Counts what happens in a process. The numbers are read from here; nothing is sent. */
export class Tally {
  readonly #counters: SeriesByName<Counter> = new Map()
  readonly #durations: SeriesByName<DurationSeries> = new Map()
  /** Called with each duration; null if nobody wants them one by one. */
  onDuration: ((name: MetricName, seconds: number, labels: Labels) => void) | null = null
  /** Who wants to know how long verifications take; null: nobody. */
  verifications: VerificationWatch | null = null

  /** The counter of this name and these labels. */
  counter(name: MetricName, labels: Labels = {}): Counter {
    return findOrAdd(this.#counters, name, labels, () => ({ name, labels, value: 0 }))
  }

  /** The durations of this name and these labels. */
  duration(name: MetricName, labels: Labels = {}): DurationSeries {
    return findOrAdd(this.#durations, name, labels, () => new DurationSeries(this, name, labels))
  }

  /** The counters. */
  series(): readonly Series[] {
    return allOf(this.#counters)
  }

  /** The histograms. */
  durations(): readonly Durations[] {
    return allOf(this.#durations).map(series => series.read())
  }
}

/** Measures the durations of one series. Who measures often keeps it. */
export class DurationSeries {
  readonly #tally: Tally
  readonly #name: MetricName
  readonly #labels: Labels
  /** How many were longer than the bound before and not longer than this one; the last has no bound. */
  readonly #buckets: number[] = [...BUCKETS, Number.POSITIVE_INFINITY].map(() => 0)
  #sum = 0

  constructor(tally: Tally, name: MetricName, labels: Labels) {
    this.#tally = tally
    this.#name = name
    this.#labels = labels
  }

  /** Adds the time that has passed since `performance.now()` returned `start`. */
  since(start: Milliseconds): void {
    this.add((performance.now() - start) / 1000)
  }

  /** Adds a duration, in seconds. */
  add(seconds: number): void {
    let bucket = 0
    while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#sum += seconds
    this.#tally.onDuration?.(this.#name, seconds, this.#labels)
  }

  /** The durations until now. */
  read(): Durations {
    let total = 0
    const counts = this.#buckets.map(count => total += count)
    return { name: this.#name, labels: this.#labels, values: { counts, sum: this.#sum } }
  }
}

/** The series of each metric, by the values of their labels. */
type SeriesByName<Each> = Map<MetricName, Map<string, Each>>

function findOrAdd<Each>(all: SeriesByName<Each>, name: MetricName, labels: Labels, create: () => Each): Each {
  let series = all.get(name)
  if (series === undefined) {
    series = new Map()
    all.set(name, series)
  }
  let key = ''
  // Most metrics have one label: its value is a constant of the program, which is looked up faster than a new text.
  for (const label in labels) key = key === '' ? labels[label] ?? '' : `${key} ${labels[label]}`
  let found = series.get(key)
  if (found === undefined) {
    found = create()
    series.set(key, found)
  }
  return found
}

function allOf<Each>(all: SeriesByName<Each>): readonly Each[] {
  return [...all.values()].flatMap(series => [...series.values()])
}
