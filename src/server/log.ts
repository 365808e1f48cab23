import { cutText } from '../base/cut-text.ts'
import type { Clock } from '../base/time.ts'
import type { LogLevel } from './settings.ts'

/** Writes log messages. A pino logger fits, and so does `console`. */
export interface Logger {
  /** Logs what helps to find a mistake. */
  debug(fields: LogFields, message: string): void
  /** Logs what happens in ordinary operation. */
  info(fields: LogFields, message: string): void
  /** Logs what an operator should look at. */
  warn(fields: LogFields, message: string): void
  /** Logs what has failed. */
  error(fields: LogFields, message: string): void
}

/** The fields of a log message. They never contain a token, a cookie, a key or a secret (LOG-01). */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The longest text of a field, in characters. Longer texts are cut. */
const MAX_TEXT = 256

/** The numbers of pino's levels, which its tools read. */
const levels: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity }

/**
 * Creates a logger that writes lines in pino's format: JSON with `level`, `time` in milliseconds since 1970, the
 * fields, and `msg`. It writes messages of `level` and of more severe levels.
 */
export function createLogger(level: LogLevel, clock: Clock, write: (line: string) => void): Logger {
  const at = (own: Exclude<LogLevel, 'silent'>) => (fields: LogFields, msg: string): void => {
    if (levels[own] < levels[level]) return
    write(`${escapeControls(JSON.stringify({ level: levels[own], time: clock(), ...fields, msg }))}\n`)
  }
  return limitFields({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') })
}

/** The same logger with limited field lengths: clients choose much of what is logged (LOG-02). */
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

/** JSON escapes only ASCII control characters. Terminals and line readers interpret these as well (LOG-02). */
function escapeControls(line: string): string {
  return line.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, character => (
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  ))
}
