import type { Scheduler } from '../base/scheduler.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { TwoGenerationMap } from '../base/two-generation-map.ts'
import { confirms } from './decide-confirmation.ts'
import { isAhead } from './decide-refresh.ts'
import type { SessionPolicy } from './policy.ts'
import type { Confirmation, SessionStore } from './store.ts'

/** What an access token in use says of the refresh token that was issued with it. */
export type ObservedClaims = Pick<AccessClaims, 'sid' | 'gen' | 'brn' | 'iat'>

/** Tells the store, in batches and off the request path, which refresh tokens their clients surely keep. */
export interface Confirmations {
  /** Looks at an access token in use; queues its child for confirmation when it is old enough. */
  observe(claims: ObservedClaims, now: EpochMilliseconds): void
  /** Sends what is queued. Never rejects: what can not be sent is dropped, which only delays theft detection. */
  flush(): Promise<void>
  /** Sends what is queued and stops. */
  close(): Promise<void>
}

interface ConfirmationDependencies {
  readonly store: SessionStore
  readonly schedule: Scheduler
  readonly policy: SessionPolicy
  readonly onError: (error: unknown) => void
}

const QUEUE_LIMIT = 10_000
const BATCH = 500
const FLUSH_DELAY: Milliseconds = 1000

/** Makes the queue of one process. */
export function createConfirmations(dependencies: ConfirmationDependencies): Confirmations {
  const { store, schedule, policy, onError } = dependencies
  const known = new TwoGenerationMap<Confirmation>(QUEUE_LIMIT)
  let queue: Confirmation[] = []
  let cancel: (() => void) | null = null

  async function flush(): Promise<void> {
    cancel?.()
    cancel = null
    const sending = queue
    queue = []
    for (let start = 0; start < sending.length; start += BATCH) {
      const batch = sending.slice(start, start + BATCH)
      try {
        await store.confirm(batch)
      } catch (error) {
        onError(error)
        // Seen again, they are queued again.
        known.clear()
        return
      }
    }
  }

  return {
    observe(claims, now): void {
      if (!confirms(claims, now, policy)) return
      if (isCovered(claims, known.get(claims.sid)) || queue.length >= QUEUE_LIMIT) return
      const confirmation = { handle: claims.sid, generation: claims.gen, branch: claims.brn }
      known.set(claims.sid, confirmation)
      queue.push(confirmation)
      cancel ??= schedule(() => void flush(), FLUSH_DELAY)
    },
    flush,
    close: flush,
  }
}

/** Whether this child, or one that displaced it, was queued before. */
function isCovered({ gen, brn }: ObservedClaims, queued: Confirmation | undefined): boolean {
  return queued !== undefined && !isAhead({ generation: gen, branch: brn }, queued)
}
