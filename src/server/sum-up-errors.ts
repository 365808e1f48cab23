import { jitter } from '../base/jitter.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'
import type { LogFields, Logger } from './log.ts'

/** A logger that sums up repeated errors. */
export interface SteadyLogger extends Logger {
  /** Logs the counts so far. */
  flush(): void
}

const INTERVAL: Milliseconds = 10_000

/** The most kinds of errors that are counted separately. Further ones are counted together. */
const MAX_KINDS = 20

interface Repetition {
  readonly message: string
  readonly fields: LogFields
  count: number
}

/**
 * Sums up repeated errors. In an outage, every request fails with the same error: it is logged at once when it first
 * occurs, and from then on with a count, one line per interval, until an interval passes without it (LOG-04, V-09).
 */
export function sumUpErrors(logger: Logger, schedule: Scheduler): SteadyLogger {
  let repeated = new Map<string, Repetition>()
  let cancel: (() => void) | null = null

  function flush(): void {
    cancel?.()
    cancel = null
    const seen = [...repeated].filter(([, { count }]) => count > 0)
    for (const [, { message, fields, count }] of seen) logger.error({ ...fields, count }, `${message}, again`)
    repeated = new Map(seen.map(([kind, repetition]) => [kind, { ...repetition, count: 0 }]))
    if (repeated.size > 0) cancel = schedule(flush, jitter(INTERVAL))
  }

  return {
    debug: logger.debug,
    info: logger.info,
    warn: logger.warn,
    error(fields, message) {
      const kind = [message, fields['during'], fields['error']].join('\n')
      const known = repeated.get(kind) ?? (repeated.size < MAX_KINDS ? undefined : [...repeated.values()].at(-1))
      if (known !== undefined) {
        known.count += 1
        return
      }
      repeated.set(kind, { message, fields, count: 0 })
      logger.error(fields, message)
      cancel ??= schedule(flush, jitter(INTERVAL))
    },
    flush,
  }
}
