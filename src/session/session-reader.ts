import { GeneralError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SessionRecord } from './record.ts'
import type { SessionStore } from './store.ts'

/** Reads sessions for verification. A store that is silent or fails holds up hardly any request: a circuit breaker. */
export interface SessionReader {
  /**
   * Reads a session; null if there is none. Calls for one session share a read, where it outlives their requests.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the store fails, does not answer within a second, or did so a moment
   * ago.
   */
  read(handle: SessionHandle): Promise<SessionRecord | null>
  /**
   * Reads what the store has from now on. A read that has begun may have the answer of before a revocation: a call
   * joins the next one, so that one more is enough for all calls.
   * @throws GeneralError as `read` does
   */
  readAnew(handle: SessionHandle): Promise<SessionRecord | null>
}

interface ReaderDependencies {
  readonly store: Pick<SessionStore, 'find'>
  /** Default: one where promises outlive requests. */
  readonly host?: Host
  readonly schedule: Scheduler
  /** This machine's clock. */
  readonly clock: Clock
}

/** How long a verification waits for the store. */
const PATIENCE: Milliseconds = 1_000
/** How long the store is not asked after it was silent or has failed. Then one read tries it. */
const PAUSE: Milliseconds = 3_000
/** How many reads in a row must fail before there is a pause: single errors are no outage. */
const FAILURES = 3

/** Creates the reader of one process. */
export function createSessionReader(
  { store, host = longLivedHost, schedule, clock }: ReaderDependencies,
): SessionReader {
  const running = new Map<SessionHandle, Promise<SessionRecord | null>>()
  /** The reads that begin when the one that is running has ended. */
  const waiting = new Map<SessionHandle, Promise<SessionRecord | null>>()
  let state: 'closed' | 'open' | 'half-open' = 'closed'
  let openedAt: EpochMilliseconds = 0
  let failures = 0

  function open(): void {
    if (state === 'open') return
    state = 'open'
    openedAt = clock()
    // Elsewhere the timer might end with the request.
    if (host.isLongLived) schedule(() => {
      // It may have answered since.
      if (state === 'open') state = 'half-open'
    }, PAUSE)
  }

  function currentState(): typeof state {
    if (state === 'open' && !host.isLongLived && Math.abs(clock() - openedAt) >= PAUSE) state = 'half-open'
    return state
  }

  async function ask(handle: SessionHandle): Promise<SessionRecord | null> {
    const silence = silent(schedule)
    try {
      const record = await Promise.race([store.find(handle), silence.over])
      failures = 0
      state = 'closed'
      return record
    } catch (error) {
      failures += 1
      if (silence.isOver() || failures >= FAILURES) open()
      throw error
    } finally {
      silence.cancel()
    }
  }

  function read(handle: SessionHandle): Promise<SessionRecord | null> {
    const known = running.get(handle)
    if (known !== undefined) return known
    if (currentState() === 'open') {
      return Promise.reject(new GeneralError('STORE_UNAVAILABLE', 'the store failed a moment ago'))
    }
    // One read tries whether the store answers again.
    if (state === 'half-open') open()
    if (!host.isLongLived) return ask(handle)
    const reading = ask(handle).finally(() => running.delete(handle))
    running.set(handle, reading)
    return reading
  }

  return {
    read,
    readAnew(handle) {
      const known = running.get(handle)
      if (known === undefined) return read(handle)
      const next = waiting.get(handle) ?? known.catch(() => null).then(() => {
        waiting.delete(handle)
        return read(handle)
      })
      waiting.set(handle, next)
      return next
    },
  }
}

/** A promise that rejects when the patience is over, unless it is cancelled. */
function silent(schedule: Scheduler): { readonly over: Promise<never>; isOver(): boolean; cancel(): void } {
  let isOver = false
  let cancel = (): void => undefined
  const over = new Promise<never>((_, reject) => {
    cancel = schedule(() => {
      isOver = true
      reject(new GeneralError('STORE_UNAVAILABLE', `the store did not answer within ${PATIENCE} ms`))
    }, PATIENCE)
  })
  return { over, isOver: () => isOver, cancel: () => cancel() }
}
