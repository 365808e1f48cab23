import { grouped, rule } from './options.ts'
import type { Rule } from './options.ts'
import type { Milliseconds } from './time.ts'

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * A span of time: a number of seconds, or a string with a unit, such as `'500ms'`, `'90s'`, `'15m'`, `'1h'`, `'100d'`.
 */
export type Duration = number | `${number}${keyof typeof units}`

/** The number and the unit of a string. A number without a unit is in seconds. */
const form = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/

/** Converts a duration to whole milliseconds: stores keep points in time as integers. */
export function toMilliseconds(duration: Duration): Milliseconds {
  return typeof duration === 'number' ? Math.round(duration * 1000) : parseDuration(duration)
}

/** Parses a duration. A number without a unit is in seconds. `NaN` for any other string. */
export function parseDuration(text: string): Milliseconds {
  const [, digits = 'none', unit = 's'] = form.exec(text) ?? []
  return isUnit(unit) ? Math.round(Number(digits) * units[unit]) : Number.NaN
}

/** The rule of an option that is a duration from `least` to `most` seconds. */
/* @__NO_SIDE_EFFECTS__ */
export function duration(least: number, most: number): Rule<Duration, undefined> {
  const expected = `a duration from ${inWords(least)} to ${inWords(most)}: `
    + 'a number of seconds, or a string such as "15m"'
  return rule(expected, (value): value is Duration => {
    if (typeof value !== 'number' && !(typeof value === 'string' && /[a-z]$/.test(value))) return false
    const milliseconds = typeof value === 'number' ? value * 1000 : parseDuration(value)
    return milliseconds >= least * 1000 && milliseconds <= most * 1000
  })
}

const longUnits = [['day', 86_400], ['hour', 3600], ['minute', 60]] as const

/**
 * Formats a number of seconds for messages and the documentation, in the largest unit of which there is at least one.
 */
export function inWords(seconds: number): string {
  if (seconds < 1) return seconds === 0 ? '0' : `${seconds * 1000} ms`
  const [name, length] = longUnits.find(([, least]) => seconds >= least) ?? ['second', 1]
  const count = seconds / length
  return `${grouped(count)} ${name}${count === 1 ? '' : 's'}`
}

function isUnit(text: string): text is keyof typeof units {
  return Object.hasOwn(units, text)
}
