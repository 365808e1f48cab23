import { grouped, rule } from './options.ts'
import type { Rule } from './options.ts'
import type { Milliseconds } from './time.ts'

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span of time: a number of seconds, or a number with its unit, as in `'500ms'`, `'90s'`, `'15m'`, `'1h'`, `'100d'`. */
export type Duration = number | `${number}${keyof typeof units}`

/** The number and the unit of a text; a number alone is of seconds. */
const form = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/

/** Reads a duration, to the millisecond: points in time are added up from it, and stores keep those as integers. */
export function toMilliseconds(duration: Duration): Milliseconds {
  return typeof duration === 'number' ? Math.round(duration * 1000) : parseDuration(duration)
}

/** Reads the text of a duration, which may leave out the unit of seconds; `NaN` for any other text. */
export function parseDuration(text: string): Milliseconds {
  const [, digits = 'none', unit = 's'] = form.exec(text) ?? []
  return isUnit(unit) ? Math.round(Number(digits) * units[unit]) : Number.NaN
}

/** A duration from `least` to `most` seconds. */
/* @__NO_SIDE_EFFECTS__ */
export function duration(least: number, most: number): Rule<Duration, undefined> {
  const accepts = `a number of seconds from ${grouped(least)} to ${grouped(most)}, or a text such as "90s", "15m" or "1h"`
  return rule(accepts, (value): value is Duration => {
    if (typeof value === 'string' && !/[a-z]$/.test(value)) return false
    const milliseconds = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseDuration(value) : NaN
    return milliseconds >= least * 1000 && milliseconds <= most * 1000
  })
}

function isUnit(text: string): text is keyof typeof units {
  return Object.hasOwn(units, text)
}
