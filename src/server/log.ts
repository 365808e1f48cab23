import type { Clock } from '../base/time.ts'
import type { LogLevel } from './settings.ts'

/** Writes what happens, one JSON object a line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** What a message is about. Never a token, a cookie, a key or a secret (LOG-01). */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The longest text of a field; what is longer is cut. */
const MAX_TEXT = 256

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Makes a logger. Lines of graver levels than `level`, and of `level` itself, go to `write`. */
export function createLogger(level: LogLevel, clock: Clock, write: (line: string) => void): Logger {
  const at = (own: Exclude<LogLevel, 'silent'>) => (message: string, fields: LogFields = {}): void => {
    if (ranks[own] < ranks[level]) return
    const clean = Object.fromEntries(Object.entries(fields).map(([name, value]) => [
      name, typeof value === 'string' ? value.slice(0, MAX_TEXT) : value,
    ]))
    const line = JSON.stringify({ time: new Date(clock()).toISOString(), level: own, message, ...clean })
    write(`${escapeControls(line)}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** JSON escapes the ASCII control characters; terminals and readers of lines obey these as well (LOG-02). */
function escapeControls(line: string): string {
  return line.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, character => (
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  ))
}
