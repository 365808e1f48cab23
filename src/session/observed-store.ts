import { isSessionError } from '../base/errors.ts'
import type { FailureReason } from '../base/errors.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import { storeFailure } from './guarded-store.ts'
import type { SessionStore } from './store.ts'
import type { Tally, DurationSeries } from './tally.ts'
import { wrapStore } from './wrap-store.ts'

/** How the last failure of a store was, whether or not it has answered since. */
export interface StoreFailure {
  /** Why the call failed. */
  readonly reason: FailureReason
  /** When, in milliseconds since 1970. */
  readonly at: EpochMilliseconds
}

/** A store whose calls are counted and timed. */
export interface ObservedStore {
  readonly store: SessionStore
  /** The last failure; null if there was none. */
  lastFailure(): StoreFailure | null
}

/**
 * Guards a store, counts and times its calls, and notes its failures. A wrong argument is no failure of the store. One
 * wrapper does all of this, because each costs every call a promise.
 */
export function observeStore(inner: SessionStore, tally: Tally, clock: Clock): ObservedStore {
  let failure: StoreFailure | null = null
  const store = wrapStore((operation, call) => {
    let durations: DurationSeries | undefined
    return async (...input) => {
      const startedAt = performance.now()
      try {
        const result = await call(inner, ...input)
        durations ??= tally.duration('keyturn.store.call.duration', { operation })
        durations.since(startedAt)
        return result
      } catch (cause) {
        const error = storeFailure(operation, cause)
        const reason = failureOf(error)
        if (reason !== null) {
          failure = { reason, at: clock() }
          tally.counter('keyturn.store.failures', { operation, reason }).value++
        }
        throw error
      }
    }
  })
  return { store, lastFailure: () => failure }
}

/** Why a call failed; null if that is no fault of the store. Pure. */
export function failureOf(error: unknown): FailureReason | null {
  if (!isSessionError(error) || !('reason' in error)) return null
  return error.reason === 'misconfigured' && error.code === 'MISUSE' ? null : error.reason
}
