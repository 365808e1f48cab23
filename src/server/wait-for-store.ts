import { jitter } from '../base/jitter.ts'
import type { Milliseconds } from '../base/time.ts'
import type { Logger } from './log.ts'
import { describeError } from './observe.ts'
import { isStoreFailure } from './store-failure.ts'

/** How a server waits for a store that does not answer yet. */
export interface StoreWait {
  /** How long to wait. */
  readonly limit: Milliseconds
  readonly logger: Logger
  /** Ends the wait. */
  readonly signal: AbortSignal | null
  /** Milliseconds since any moment. */
  readonly now: () => Milliseconds
  /** Waits. Resolves early if the signal is aborted. */
  readonly pause: (time: Milliseconds) => Promise<unknown>
}

/** The pauses between two attempts: the first one, and the longest. */
const FIRST_PAUSE: Milliseconds = 200
const LONGEST_PAUSE: Milliseconds = 2000

/**
 * Repeats `attempt` while it fails because the store does not answer, for example because the database is still
 * starting. Any other failure, such as a wrong secret, ends the wait at once.
 * @throws the last failure, after the limit.
 */
export async function waitForStore<Result>(attempt: () => Promise<Result>, wait: StoreWait): Promise<Result> {
  const { limit, logger, signal, now, pause } = wait
  const startedAt = now()
  for (let pauses = 0; ; pauses++) {
    try {
      return await attempt()
    } catch (error) {
      const left = limit - (now() - startedAt)
      if (!isStoreFailure(error) || left <= 0 || signal?.aborted === true) throw error
      if (pauses === 0) {
        const seconds = Math.ceil(left / 1000)
        logger.warn({ error: describeError(error), seconds }, 'the store does not answer yet: waiting for it')
      }
      await pause(Math.min(left, jitter(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** pauses))))
    }
  }
}
