import { GeneralError } from '../../base/errors.ts'
import type { Milliseconds } from '../../base/time.ts'

/**
 * Waits for the work, but not longer than `limit`: a database that hangs must not hang the request. The work itself
 * goes on, so that what a late write did is not known to the caller.
 * @throws GeneralError (`unavailable`) when the time is up.
 */
export function within<T>(work: Promise<T>, limit: Milliseconds, database: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new GeneralError('unavailable', `the ${database} database did not answer within ${limit} ms`))
    }, limit)
    timer.unref()
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Waits. Does not keep the process alive. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, duration).unref()
  })
}
