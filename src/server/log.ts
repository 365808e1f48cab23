import { cutText } from '../base/cut-text.ts'
import type { Clock } from '../base/time.ts'
import type { LogLevel } from './settings.ts'

/** Takes what happens. A pino logger is one; so is `console`. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** What a message is about. Never a token, a cookie, a key or a secret (LOG-01). */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The longest text of a field; what is longer is cut. */
const MAX_TEXT = 256

/** The numbers that pino has for levels, which its tools read. */
const levels: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity }

/**
 * Makes a logger that writes lines as pino does: JSON with `level`, `time` in milliseconds since 1970, the fields, and
 * `msg`. Lines of `level` and of graver levels go to `write`.
 */
export function createLogger(level: LogLevel, clock: Clock, write: (line: string) => void): Logger {
  const at = (own: Exclude<LogLevel, 'silent'>) => (fields: LogFields, msg: string): void => {
    if (levels[own] < levels[level]) return
    write(`${escapeControls(JSON.stringify({ level: levels[own], time: clock(), ...fields, msg }))}\n`)
  }
  return limitFields({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') })
}

/** The same logger, whose fields are never long: much of what is told comes from callers (LOG-02). */
export function limitFields(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(cut(fields), message),
    info: (fields, message) => logger.info(cut(fields), message),
    warn: (fields, message) => logger.warn(cut(fields), message),
    error: (fields, message) => logger.error(cut(fields), message),
  }
}

function cut(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [
    name, typeof value === 'string' ? cutText(value, MAX_TEXT) : value,
  ]))
}

/** JSON escapes the ASCII control characters; terminals and readers of lines obey these as well (LOG-02). */
function escapeControls(line: string): string {
  return line.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, character => (
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  ))
}
