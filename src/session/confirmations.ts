import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { HandleTable } from './handle-table.ts'
import type { Confirmation, SessionStore } from './store.ts'

/** The claims of an access token that say which refresh token was issued with it, and when. */
export type ObservedClaims = Pick<AccessClaims, 'sid' | 'gen' | 'brn' | 'iat' | 'exp' | 'ri'>

/**
 * Confirms in the store which refresh tokens the clients have certainly stored: in batches, after the responses. Where
 * no timer outlives a request, each is written beside the request that shows it.
 */
export interface Confirmations {
  /** Called with every access token in use. Queues the confirmation of its refresh token if the token is old enough. */
  observe(claims: ObservedClaims, now: EpochMilliseconds): void
  /**
   * Writes the queue to the store. Never rejects: if the write fails, it is dropped, which only delays theft detection.
   */
  flush(): Promise<void>
  /** Writes the queue to the store and stops. */
  close(): Promise<void>
}

interface ConfirmationDependencies {
  readonly store: SessionStore
  /** Default: one where timers outlive requests. */
  readonly host?: Host
  readonly schedule: Scheduler
  readonly onError: (error: unknown) => void
}

const QUEUE_LIMIT = 10_000
const BATCH = 500
const FLUSH_DELAY: Milliseconds = 1000

/** Creates the queue of one process. */
export function createConfirmations(dependencies: ConfirmationDependencies): Confirmations {
  const { store, host = longLivedHost, schedule, onError } = dependencies
  /** The newest queued place of each session, kept until the access tokens that show it expire. */
  const attempted = new HandleTable()
  let queue: Confirmation[] = []
  let cancel: (() => void) | null = null
  let observedAt: EpochMilliseconds = 0

  async function flush(): Promise<void> {
    cancel?.()
    cancel = null
    const sending = queue
    queue = []
    // Not with each observation: it visits every entry of one part of the table.
    attempted.prune(observedAt)
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
      observedAt = now
      queue.push({ handle: sid, generation: gen, branch: brn })
      if (host.isLongLived) cancel ??= schedule(() => void flush(), FLUSH_DELAY)
      else host.keepAlive(flush())
    },
    flush,
    close: flush,
  }
}

/**
 * Generation and branch as one number of 31 bits that grows along a lineage. Beyond its range, confirmations are lost.
 */
function placeNumber(generation: number, branch: number): number {
  return Math.min(generation, 2 ** 24 - 1) * 128 + Math.min(branch, 127)
}

/**
 * Whether an access token is old enough to prove that the client has stored its refresh token for good: twice the reuse
 * interval. A response arrives within one, and a browser that crashes loses the cookies of at most another. Pure.
 */
export function confirms(
  claims: Pick<AccessClaims, 'gen' | 'iat' | 'ri'>,
  now: EpochMilliseconds,
): boolean {
  // `iat` is rounded down to a second: count from the end of that second.
  return claims.gen > 0 && now - (claims.iat + 1) * 1000 >= 2 * claims.ri
}
