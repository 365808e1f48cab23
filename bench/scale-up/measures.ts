import type { Promised } from './statistics.ts'

/** A measurement of what must not grow. */
interface Measure {
  readonly what: string
  /** What must be, in short, for a measurement that fails. */
  readonly must: string
  readonly measure: () => Promise<readonly Promised[]>
}

/** The measures by the name that runs them alone. */
export const measures: Readonly<Record<string, Measure>> = {}
