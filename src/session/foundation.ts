import type { Entropy } from '../base/entropy.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock } from '../base/time.ts'
import type { Crypto } from '../tokens/crypto.ts'
import { createEmitter } from './events.ts'
import type { Emit, SessionEvents } from './events.ts'
import { createRevocationFeed } from './feed.ts'
import type { RevocationFeed } from './feed.ts'
import { guardStore } from './guarded-store.ts'
import { createHousekeeping } from './housekeeping.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { SessionPolicy } from './policy.ts'
import { createGivenClock, createStoreClock } from './store-clock.ts'
import type { SessionTime } from './store-clock.ts'
import type { SessionStore } from './store.ts'

/** What every flow of sessions needs, whatever the format of the access tokens. */
export interface Foundation extends Pick<SessionTime, 'clock' | 'now'> {
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly entropy: Entropy
  readonly policy: SessionPolicy
  readonly feed: RevocationFeed
  readonly housekeeping: Housekeeping
  readonly emit: Emit
  /** Makes what to do with a failure of work in the background: to tell of it. */
  readonly failed: (during: string) => (error: unknown) => void
  /** Asks the store what time it is, unless it has just told. Never rejects. */
  readonly learnTime: () => Promise<void>
}

/** What a {@link Foundation} is made of. */
export interface FoundationDependencies {
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly clock: Clock
  /** Whether the store's time corrects the clock. A machine's own may be wrong; one that was passed in is meant. */
  readonly followStoreTime: boolean
  readonly entropy: Entropy
  readonly schedule: Scheduler
  readonly policy: SessionPolicy
  readonly events: SessionEvents
}

/** Puts it together. `onKeysChanged` is called when the log tells of changed keys. Opens and reads nothing yet. */
export function createFoundation(
  dependencies: FoundationDependencies,
  onKeysChanged: () => Promise<unknown>,
): Foundation {
  const { crypto, entropy, schedule, policy } = dependencies
  const store = guardStore(dependencies.store)
  const emit = createEmitter(dependencies.events)
  const failed = (during: string) => (error: unknown): void => emit('onBackgroundError', { during, error })
  const time = dependencies.followStoreTime
    ? createStoreClock({ store, clock: dependencies.clock, onError: failed('store clock') })
    : createGivenClock(dependencies.clock)
  const { clock, now } = time
  return {
    store, crypto, clock, now, entropy, policy, emit, failed,
    learnTime: time.learn,
    feed: createRevocationFeed({ store, time, schedule, policy, onKeysChanged, onError: failed('revocation feed') }),
    housekeeping: createHousekeeping({ store, clock, schedule, entropy, onError: failed('housekeeping') }),
  }
}
