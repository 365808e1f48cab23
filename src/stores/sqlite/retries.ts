import { jitter } from '../../base/jitter.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import type { Milliseconds } from '../../base/time.ts'
import { nextEventLoopTurn, pause } from '../background.ts'
import { requestTimeoutOf } from '../options.ts'
import { toStoreError } from './store-error.ts'

/**
 * Runs work on a database that another connection may have locked. SQLite itself would wait on the thread of the
 * caller: no request would be served until the lock is free.
 */
export interface Retries {
  /**
   * Runs the work at once, unless other work waits for a lock. Work that finds a lock must leave nothing behind: it is
   * run again from its beginning until it succeeds, in the order of the calls. The event loop runs between attempts.
   * What the database throws becomes a `GeneralError`, never an answer (REV-11).
   * @throws GeneralError (`STORE_UNAVAILABLE`) after 5 seconds (ST-06), or if the work fails for another reason.
   */
  run<T>(work: () => T): Promise<T>
  /** Resolves once no work waits for a lock. */
  settled(): Promise<void>
}

/** How long work waits for a lock. */
const LOCK_TIMEOUT: Milliseconds = requestTimeoutOf()

/** How long to wait before the second attempt. The commit of another process usually takes a few milliseconds. */
const FIRST_PAUSE: Milliseconds = 1

/** The longest time between two attempts. Each takes about 20 µs. */
const LONGEST_PAUSE: Milliseconds = 25

/** Creates an empty queue. One timer serves all work that waits. `failed` begins the messages of errors. */
export function createRetries(failed = 'the call to the SQLite database failed'): Retries {
  const waiting: Waiting[] = []
  let lock: unknown
  let retrying: Promise<void> | null = null

  async function retry(): Promise<void> {
    let delay = FIRST_PAUSE
    await pause(jitter(delay))
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first.attempt()) {
        waiting.shift()
        delay = FIRST_PAUSE
        // A commit may wait for the disk: what has waited must not run in one tick.
        await nextEventLoopTurn()
      } else {
        rejectLate()
        delay = Math.min(2 * delay, LONGEST_PAUSE)
        if (waiting.length > 0) await pause(jitter(delay))
      }
    }
    retrying = null
  }

  /** All work has the same time limit, so the oldest is the first to be late. */
  function rejectLate(): void {
    const now = performance.now()
    for (let first = waiting[0]; first !== undefined && first.due <= now; first = waiting[0]) {
      waiting.shift()
      first.giveUp()
    }
  }

  function createWaiting<T>(work: () => T, resolve: (result: T) => void, reject: (error: Error) => void): Waiting {
    return {
      due: performance.now() + LOCK_TIMEOUT,
      attempt() {
        try {
          resolve(work())
        } catch (cause) {
          if (isLocked(cause)) {
            lock = cause
            return false
          }
          reject(toStoreError(cause, failed))
        }
        return true
      },
      giveUp() {
        const message = `${failed}: another connection has kept the database locked for ${LOCK_TIMEOUT} ms`
        reject(toStoreError(lock, message))
      },
    }
  }

  return {
    async run(work) {
      if (waiting.length === 0) {
        try {
          return work()
        } catch (cause) {
          if (!isLocked(cause)) throw toStoreError(cause, failed)
        }
      }
      return new Promise((resolve, reject) => {
        waiting.push(createWaiting(work, resolve, reject))
        // It retries the work of many requests, so it belongs to none.
        retrying ??= outsideRequests(retry)
      })
    },
    settled: async () => retrying ?? undefined,
  }
}

interface Waiting {
  /** On the monotonic clock. */
  readonly due: Milliseconds
  /** Runs the work and settles its call. Returns false if there is a lock. */
  attempt(): boolean
  giveUp(): void
}

/**
 * Whether the error is `SQLITE_BUSY` (another connection has a lock, or has written what this transaction has read) or
 * `SQLITE_LOCKED` (another one shares the cache of this one). All drivers have SQLite's message or its code; Deno has
 * the number of the code in some errors only.
 */
export function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return /^SQLITE_(?:BUSY|LOCKED)/.test(code) || /^database (?:table |schema )?is locked/.test(error.message)
}
