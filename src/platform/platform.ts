import type { Scheduler } from '../base/scheduler.ts'
import type { Clock } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import type { Crypto } from '../tokens/crypto.ts'

/** What a runtime offers. */
export interface Platform {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly schedule: Scheduler
  /** The store of an application that names none. */
  readonly openDefaultStore: () => SessionStore
}
