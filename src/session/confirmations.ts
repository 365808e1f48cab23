import type { Scheduler } from '../base/scheduler.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { confirms } from './decide-confirmation.ts'
import { HandleTable } from './handle-table.ts'
import type { Confirmation, SessionStore } from './store.ts'

/** What an access token in use says of the refresh token that was issued with it. */
export type ObservedClaims = Pick<AccessClaims, 'sid' | 'gen' | 'brn' | 'iat' | 'exp' | 'ri'>

/** Tells the store, in batches and off the request path, which refresh tokens their clients have certainly stored. */
export interface Confirmations {
  /** Looks at an access token in use; queues its child for confirmation when it is old enough. */
  observe(claims: ObservedClaims, now: EpochMilliseconds): void
  /** Sends what is queued. Never rejects: what cannot be sent is dropped, which only delays theft detection. */
  flush(): Promise<void>
  /** Sends what is queued and stops. */
  close(): Promise<void>
}

interface ConfirmationDependencies {
  readonly store: SessionStore
  readonly schedule: Scheduler
  readonly onError: (error: unknown) => void
}

const QUEUE_LIMIT = 10_000
const BATCH = 500
const FLUSH_DELAY: Milliseconds = 1000

/** Makes the queue of one process. */
export function createConfirmations(dependencies: ConfirmationDependencies): Confirmations {
  const { store, schedule, onError } = dependencies
  /** The newest place of each session that was queued, for as long as an access token can show it. */
  const attempted = new HandleTable()
  let queue: Confirmation[] = []
  let cancel: (() => void) | null = null

  async function flush(): Promise<void> {
    cancel?.()
    cancel = null
    const sending = queue
    queue = []
    for (let start = 0; start < sending.length; start += BATCH) {
      try {
        await store.confirm(sending.slice(start, start + BATCH))
      } catch (error) {
        onError(error)
        return
      }
    }
  }

  return {
    observe(claims, now): void {
      if (!confirms(claims, now)) return
      const { sid, gen, brn, exp } = claims
      const place = placeNumber(gen, brn)
      if ((attempted.get(sid) ?? -1) >= place || queue.length >= QUEUE_LIMIT) return
      attempted.set(sid, place, exp * 1000)
      attempted.prune(now)
      queue.push({ handle: sid, generation: gen, branch: brn })
      cancel ??= schedule(() => void flush(), FLUSH_DELAY)
    },
    flush,
    close: flush,
  }
}

/** One number of 31 bits that grows along a lineage. Beyond its range a confirmation may be left out. */
function placeNumber(generation: number, branch: number): number {
  return Math.min(generation, 2 ** 24 - 1) * 128 + Math.min(branch, 127)
}
