/** "1 session", "3 sessions", "10,000 sessions". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${figure(number)} ${number === 1 ? one : many}`
}

const figures = new Intl.NumberFormat('en')

/** A number with separators. */
export function figure(number: number): string {
  return figures.format(number)
}

/** A number with three significant digits, for measured values. */
export function measured(number: number): string {
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : Math.abs(number) >= 0.1 ? 2 : 3
  return number === 0 ? '0' : number.toLocaleString('en', { maximumFractionDigits: digits })
}

/** A text with its middle replaced, if it is long. Counts characters, not code units. */
export function shorten(text: string, start = 8, end = 6): string {
  const characters = [...text]
  if (characters.length <= start + end + 3) return text
  return `${characters.slice(0, start).join('')}…${characters.slice(-end).join('')}`
}

/** A text as it can be seen: what has only spaces and marks that browsers do not draw is named by its code points. */
export function visible(text: string): string {
  if (!/^[\p{Z}\p{C}]*$/u.test(text)) return text
  if (text === '') return '(empty)'
  const points = [...text].map(character => (
    `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`))
  return `(${shorten(points.join(' '), 20, 8)})`
}

const units: readonly (readonly [unit: 'year' | 'month' | 'day' | 'hour' | 'minute', seconds: number])[] = [
  ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60],
]
const relatives = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

/** "4 minutes ago", "in 3 days", "just now". */
export function relative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000)
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relatives.format(Math.trunc(seconds / size), unit)
  }
  return seconds > 5 ? 'in less than a minute' : 'just now'
}

const dates = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit',
})
const instants = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit',
  second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'longOffset',
})
const clocks = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** "30 Nov 2026, 07:52", in the viewer's zone. */
export function date(at: number): string {
  return dates.format(at)
}

/** The exact instant with its zone: "Monday 30 November 2026 at 07:52:10.123 GMT+01:00". */
export function exact(at: number): string {
  return instants.format(at)
}

/** "07:52:10". */
export function clock(at: number): string {
  return clocks.format(at)
}

/** "07:52". */
export function minute(at: number): string {
  return minutes.format(at)
}

/** "15 minutes", "1 hour 30 minutes", "100 days": at most two units. */
export function span(milliseconds: number): string {
  if (milliseconds < 1000) return `${measured(milliseconds)} ms`
  let rest = Math.round(milliseconds / 1000)
  const parts: string[] = []
  for (const [unit, size] of [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]] as const) {
    const whole = Math.floor(rest / size)
    rest -= whole * size
    if (whole > 0) parts.push(count(whole, unit))
    // What follows a unit that is missing is too small to matter.
    if (parts.length === 2 || (parts.length === 1 && whole === 0)) break
  }
  return parts.join(' ')
}

/** How long something has lasted: "for 3 hours", "for less than a minute". */
export function lasting(from: number, now: number): string {
  const seconds = Math.round((now - from) / 1000)
  for (const [unit, size] of units) {
    if (seconds >= size) return `for ${count(Math.trunc(seconds / size), unit)}`
  }
  return 'for less than a minute'
}

/** "a", "a and b", "a, b and c". */
export function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
