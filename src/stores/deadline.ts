import { atMost } from '../base/at-most.ts'
import { GeneralError } from '../base/errors.ts'
import { mayShareWork } from '../base/shared-work.ts'
import type { Milliseconds } from '../base/time.ts'
import { startTimer } from '../base/timer.ts'
import type { Timer } from '../base/timer.ts'

/**
 * Makes a function that waits for work, but at most `limit` milliseconds: a database that hangs must not hang the
 * request. After that the caller gets a GeneralError (`STORE_UNAVAILABLE`). The work itself continues, and the caller
 * does not know whether it succeeded. `database` begins the message of that error. `failure` makes the error to throw
 * for work that fails within the limit; by default it is the work's own error.
 *
 * All calls have the same limit, so the oldest is the first to be late. One timer, which checks the oldest call, serves
 * all of them. A timer per call would cost a single call more than everything else around its statement.
 *
 * While there are calls, the timer keeps the process alive. So connections need not, and an application that does not
 * close its store can end all the same. Where a timer ends with the request that started it (`isShared` is false), each
 * call has its own.
 */
export function createDeadline(
  limit: Milliseconds,
  database: string,
  failure: (cause: unknown) => unknown = cause => cause,
  isShared: boolean = mayShareWork,
): <T>(work: Promise<T>) => Promise<T> {
  const late = (): GeneralError =>
    new GeneralError('STORE_UNAVAILABLE', `${database} did not answer within ${limit} ms`, {
      reason: 'store-unreachable',
  })
  if (!isShared) return work => alone(work, limit, late, failure)
  const waiting = new Set<Waiting>()
  let timer: Timer | null = null

  function watch(delay: Milliseconds): void {
    timer = startTimer(giveUp, delay)
  }

  function end(call: Waiting): void {
    waiting.delete(call)
    if (waiting.size === 0) timer?.keepAlive(false)
  }

  function giveUp(): void {
    timer = null
    const now = performance.now()
    for (const call of waiting) {
      if (call.due > now) return watch(Math.ceil(call.due - now))
      waiting.delete(call)
      call.reject(late())
    }
  }

  return work => new Promise((resolve, reject) => {
    const call = { due: performance.now() + limit, reject }
    waiting.add(call)
    if (timer === null) watch(limit)
    else if (waiting.size === 1) timer.keepAlive(true)
    work.then(result => {
      end(call)
      resolve(result)
    }, (error: unknown) => {
      end(call)
      reject(failure(error))
    })
  })
}

/** Waits for one call, with a timer of its own. */
async function alone<T>(
  work: Promise<T>,
  limit: Milliseconds,
  late: () => GeneralError,
  failure: (cause: unknown) => unknown,
): Promise<T> {
  try {
    if (await atMost(limit, work)) return await work
  } catch (cause) {
    throw failure(cause)
  }
  throw late()
}

interface Waiting {
  /** On the monotonic clock. */
  readonly due: Milliseconds
  reject(error: unknown): void
}
