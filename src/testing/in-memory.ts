import { exactLifetimes } from '../session/policy.ts'
import type { SessionStore } from '../session/store.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { createFakeClock } from './fake-clock.ts'
import type { FakeClock } from './fake-clock.ts'

/** Options for `createSessions` in a test. */
export interface InMemoryOptions {
  readonly store: SessionStore
  /** Stands still until the test moves it. */
  readonly clock: FakeClock
  /** Runs nothing: a test has no background. */
  readonly schedule: () => () => void
  /** What is read of the change log stays good, because nothing reads it again. */
  readonly maxStaleness: number
  /** Access tokens live exactly as long as configured. */
  readonly [exactLifetimes]: true
}

/**
 * Makes the options of sessions that live in memory, know only the time that the test says, and leave no timers:
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
