/** A figure, what it must be, and whether it is. */
export interface Promised {
  readonly what: string
  readonly must: string
  readonly measured: string
  /** Null if nothing was promised. */
  readonly reached: boolean | null
}

/** A figure that must be below a limit. */
export function below(what: string, limit: number, value: number, unit: string): Promised {
  return { what, must: `< ${withUnit(limit, unit)}`, measured: withUnit(value, unit), reached: value < limit }
}

/** A figure that must be at least this. */
export function atLeast(what: string, limit: number, value: number, unit: string): Promised {
  return { what, must: `>= ${withUnit(limit, unit)}`, measured: withUnit(value, unit), reached: value >= limit }
}

/** A figure that must be exactly this. */
export function exactly(what: string, wanted: number, value: number, unit: string): Promised {
  return { what, must: withUnit(wanted, unit), measured: withUnit(value, unit), reached: value === wanted }
}

/** A figure that is only shown. */
export function shown(what: string, value: number, unit: string): Promised {
  return { what, must: '', measured: withUnit(value, unit), reached: null }
}

const withUnit = (value: number, unit: string): string => `${amount(value)} ${unit}`.trim()

/** A measurement that ended with an error. */
export function failed(what: string, must: string, error: unknown): Promised {
  const text = error instanceof Error ? error.message : String(error)
  return { what, must, measured: `failed: ${text.split('\n')[0]}`, reached: false }
}

/** A number for readers: whole from 100 on, otherwise with as many decimals as matter. */
export function amount(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en')
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3)
}

/** The value below which this share of the values is. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The stops of the event loop since a watch began. */
export interface LoopWatch {
  /** The longest one, in milliseconds. Ends the watch. */
  longest(): number
  /** How many were longer than the limit. */
  over(): number
}

/** Measures how long the event loop is stopped, with a timer of a millisecond. */
export function watchLoop(limit = Number.POSITIVE_INFINITY): LoopWatch {
  let last = performance.now()
  let longest = 0
  let over = 0
  const timer = setInterval(() => {
    const time = performance.now()
    // A timer of a millisecond may be late by another one.
    longest = Math.max(longest, time - last - 2)
    if (time - last - 2 > limit) over++
    last = time
  }, 1)
  return {
    over: () => over,
    longest() {
      clearInterval(timer)
      return Math.max(longest, performance.now() - last - 2)
    },
  }
}

/** How long a call takes, in milliseconds. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call()
  return performance.now() - start
}
