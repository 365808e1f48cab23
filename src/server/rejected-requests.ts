import { jitter } from '../base/jitter.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'
import type { Logger } from './log.ts'

/** Logs refused requests: one line per status and interval, however many there were (LOG-04). */
export interface RejectedRequestLog {
  note(status: number, from: string): void
  /** Logs the counts so far. */
  flush(): void
}

const INTERVAL: Milliseconds = 10_000

/** Creates the log of refused requests of one server. */
export function createRejectedRequestLog(logger: Logger, schedule: Scheduler): RejectedRequestLog {
  let counts = new Map<number, { count: number; readonly from: string }>()
  let cancel: (() => void) | null = null
  function flush(): void {
    cancel?.()
    cancel = null
    for (const [status, { count, from }] of counts) logger.warn({ status, count, from }, 'requests refused')
    counts = new Map()
  }
  return {
    note(status, from) {
      const known = counts.get(status)
      if (known === undefined) counts.set(status, { count: 1, from })
      else known.count += 1
      cancel ??= schedule(flush, jitter(INTERVAL))
    },
    flush,
  }
}
