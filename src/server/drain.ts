import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'

/** How a server leaves its load balancer before it closes. */
export interface Drain {
  /** Whether the server takes requests as usual: it is not stopping. */
  isReady(): boolean
  /** Whether clients must not reuse their connections: the server is about to close. */
  isClosing(): boolean
  /** Notes a request that is not a health check. Call the result when it is answered. */
  noteRequest(): () => void
  /**
   * Stops being ready, then waits for the delay: load balancers notice in its first half, and clients with open
   * connections in the second. Does not wait if there was no request for as long as the delay.
   */
  leave(): Promise<void>
}

/** Creates the drain of one server. `now` returns milliseconds since any moment. */
export function createDrain(delay: Milliseconds, schedule: Scheduler, now: () => Milliseconds): Drain {
  let phase: 'ready' | 'leaving' | 'closing' = 'ready'
  let inProgress = 0
  let lastRequestAt = Number.NEGATIVE_INFINITY
  const pause = (time: Milliseconds): Promise<void> => new Promise(resolve => schedule(resolve, time))
  return {
    isReady: () => phase === 'ready',
    isClosing: () => phase === 'closing',
    noteRequest() {
      inProgress += 1
      return () => {
        inProgress -= 1
        lastRequestAt = now()
      }
    },
    async leave() {
      const isIdle = inProgress === 0 && now() - lastRequestAt >= delay
      phase = 'leaving'
      if (delay > 0 && !isIdle) await pause(delay / 2)
      phase = 'closing'
      if (delay > 0 && !isIdle) await pause(delay / 2)
    },
  }
}
