import { encodeBase64url } from '../base/base64url.ts'
import type { Entropy } from '../base/entropy.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock, Milliseconds } from '../base/time.ts'
import type { SessionStore } from './store.ts'

/**
 * Removes what has expired, in small batches, in one process at a time. Nothing waits for it or depends on it
 * (REV-05).
 */
export interface BackgroundCleanup {
  /** Starts, at the first call. */
  start(): void
  close(): void
}

interface HousekeepingDependencies {
  readonly store: SessionStore
  readonly clock: Clock
  readonly schedule: Scheduler
  readonly entropy: Entropy
  readonly onError: (error: unknown) => void
}

const INTERVAL: Milliseconds = 60_000
const BATCH = 500
/** How many batches one turn removes at the most. */
const BATCHES = 20

/** Makes the cleanup of one process. */
export function createBackgroundCleanup(dependencies: HousekeepingDependencies): BackgroundCleanup {
  const { store, clock, schedule, entropy, onError } = dependencies
  /** Drawn by the first turn: putting an application together needs no cryptography. */
  let holder: string | null = null
  let cancel: (() => void) | null = null
  let closed = false

  async function clean(): Promise<void> {
    holder ??= encodeBase64url(entropy(12))
    const now = clock()
    if (!await store.acquireLease('cleanup', holder, now, now + 2 * INTERVAL)) return
    for (let batch = 0; batch < BATCHES && !closed; batch++) {
      if (await store.removeExpired(clock(), BATCH) < BATCH) return
    }
  }

  function start(): void {
    if (closed) return
    cancel ??= schedule(() => {
      cancel = null
      void clean().catch(onError).finally(start)
    }, INTERVAL)
  }

  return {
    start,
    close(): void {
      closed = true
      cancel?.()
    },
  }
}
