import { exactLifetimes } from '../session/policy.ts'
import type { SessionStore } from '../session/store.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { createFakeClock } from './fake-clock.ts'
import type { FakeClock } from './fake-clock.ts'

/** Options for `createSessions` in a test. */
export interface InMemoryOptions {
  /** A memory store of its own. */
  readonly store: SessionStore
  /** A clock that stands still until the test moves it. */
  readonly clock: FakeClock
  /** Runs nothing: a test has no background tasks. */
  readonly schedule: () => () => void
  /** The change log that was read stays current, because nothing reads it again. */
  readonly maxStaleness: number
  /** Access tokens live exactly as long as configured. */
  readonly [exactLifetimes]: true
}

/**
 * Makes options for sessions that are kept in memory, use only the time that the test sets, and leave no timers:
 * `createSessions({ origin: 'http://localhost', ...inMemory() })`.
 */
export function inMemory(): InMemoryOptions {
  return {
    store: createMemoryStore(),
    clock: createFakeClock(),
    schedule: () => () => undefined,
    maxStaleness: 3600,
    [exactLifetimes]: true,
  }
}
