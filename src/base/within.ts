import type { Scheduler } from './scheduler.ts'
import type { Milliseconds } from './time.ts'

/** How long to wait. */
export interface WaitLimits {
  readonly limit: Milliseconds
  readonly schedule: Scheduler
  /** Makes the error that ends the wait at the limit. */
  readonly late: () => unknown
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Waits for work, until the limit or the signal. The work itself goes on. */
export function within<T>(work: Promise<T>, { limit, schedule, late, signal }: WaitLimits): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => end(() => reject(signal?.reason))
    const cancel = schedule(() => end(() => reject(late())), limit)
    const end = (settle: () => void): void => {
      cancel()
      signal?.removeEventListener('abort', abort)
      settle()
    }
    work.then(result => end(() => resolve(result)), (error: unknown) => end(() => reject(error)))
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort)
  })
}
