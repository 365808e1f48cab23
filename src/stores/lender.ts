import { jitter } from '../base/jitter.ts'
import { mayShareWork } from '../base/shared-work.ts'
import type { Milliseconds } from '../base/time.ts'

/** Takes connections out of a pool, for a server that may allow fewer than the pool wants. */
export interface ConnectionLender {
  /**
   * Calls `connect` for a connection. If the server refuses another one, waits until one of those that are in use is
   * returned. If there is none, throws the error of the server.
   */
  take<Connection>(connect: () => Promise<Connection>): Promise<Connection>
  /** Must be called once for each connection that was taken, when it is back in the pool or closed. */
  returned(): void
}

/** After a refusal, one connection more is tried once in this time. */
const RECOVERY: Milliseconds = 1000

/**
 * A lender for one pool, which has at most `size` connections. `isRefused` recognizes the error of a server that has
 * too many connections. From the first refusal on, calls wait for the connections that there are, in their order,
 * instead of asking the server again. Calls beyond the size of the pool wait here and not in the pool, which would ask
 * the server for each of them. Where no call may wait for another request (`isShared` is false), it only calls
 * `connect`.
 */
export function createConnectionLender(
  isRefused: (error: unknown) => boolean,
  size: number,
  isShared: boolean = mayShareWork,
): ConnectionLender {
  if (!isShared) return { take: connect => connect(), returned: () => undefined }
  const waiting: (() => void)[] = []
  let most = size
  let lent = 0
  let asking = 0
  let returns = 0
  let growAt: Milliseconds = 0

  function mayAsk(): boolean {
    if (lent + asking < most) return true
    if (most >= size || performance.now() < growAt) return false
    grow(most + 1)
    return true
  }

  function grow(to: number): void {
    most = to
    growAt = performance.now() + jitter(RECOVERY)
  }

  /** Lets calls that wait go on. Each is counted here, so that no call that begins now takes its place. */
  function admit(): void {
    while (waiting.length > 0 && mayAsk()) admitNext()
  }

  function admitNext(): void {
    const next = waiting.shift()
    if (next === undefined) return
    asking += 1
    next()
  }

  async function untilAdmitted(): Promise<void> {
    if (waiting.length === 0 && mayAsk()) asking += 1
    else await new Promise<void>(resolve => waiting.push(resolve))
  }

  return {
    async take(connect) {
      for (;;) {
        await untilAdmitted()
        const before = returns
        try {
          const connection = await connect()
          lent += 1
          return connection
        } catch (error) {
          // One that was returned in the meantime is in the pool now.
          const isHopeless = lent + asking === 1 && returns === before
          if (isRefused(error)) grow(Math.max(1, lent))
          if (isHopeless || !isRefused(error)) throw error
        } finally {
          asking -= 1
          admit()
        }
      }
    },
    returned() {
      lent -= 1
      returns += 1
      // It is for the call that has waited longest, even while the server has yet to answer those that asked.
      admitNext()
      admit()
    },
  }
}
