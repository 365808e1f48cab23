import type { Health } from './health.ts'
import type { ReadyOptions } from './ready-options.ts'

/** What a program that runs sessions asks before it serves, and a load balancer meanwhile. */
export interface Vitals {
  /**
   * Opens the store and checks it (tables, their version, privileges), reads the keys, creating the first ones, and the
   * change log: call it before the server listens. Without it, the first requests do so, and until a long change log is
   * read, they read their sessions from the store. Calls at the same time share one attempt; after a failure it may be
   * called again, and after a success it costs nothing.
   * @throws GeneralError whose `reason` says what is missing, and whose message how to add it.
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * Returns the state of store, feed, keys and cache, for a health check: without secrets, after at most 2 seconds.
   * Never rejects. At most 1 store call, which calls at the same time share.
   */
  health(): Promise<Health>
}
