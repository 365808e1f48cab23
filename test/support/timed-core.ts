import type { Scheduler } from '../../src/base/scheduler.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
// Loaded ahead, so that `ready` and `health` take no real time.
import '../../src/session/create-vitals.ts'
import { createPolicy } from '../../src/session/policy.ts'
import type { PolicyOptions } from '../../src/session/policy.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createCore } from './create-core.ts'
import type { Core } from './test-core.ts'
import { settle } from './test-core.ts'

/** A process whose time stands still until the test lets it pass: its timers fire when they are due. */
export interface TimedCore {
  readonly core: Core
  /** Lets time pass, in steps to each timer that is due. */
  pass(milliseconds: number): Promise<void>
  /** How often each method of the store was called since the last `takeCalls`. */
  takeCalls(): Readonly<Record<string, number>>
  /** Sets a timer of this process. */
  readonly schedule: Scheduler
  /** The delays of all timers that were ever set. */
  readonly delays: readonly number[]
  readonly errors: unknown[]
  unchecked: number
}

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** Starts a process on a store. `seed` decides its randomness. */
export function createTimedCore(
  inner: SessionStore, policy: PolicyOptions = {}, seed = 1, followStoreTime = false,
): TimedCore {
  let now = Date.UTC(2026, 0, 1)
  let random = seed
  let calls: Record<string, number> = {}
  let timers: Timer[] = []
  const delays: number[] = []
  const errors: unknown[] = []
  const schedule: Scheduler = (task, delay) => {
    const timer = { at: now + delay, task }
    timers.push(timer)
    delays.push(delay)
    return () => {
      timers = timers.filter(other => other !== timer)
    }
  }
  const store = wrapStore((name, call) => async (...input) => {
    calls[name] = (calls[name] ?? 0) + 1
    return call(inner, ...input)
  })
  const result: TimedCore = {
    core: createCore({
      store,
      crypto: nodeCrypto,
      clock: () => now,
      followStoreTime,
      entropy: length => Uint8Array.from({ length }, () => {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
        return random >>> 24
      }),
      schedule,
      policy: createPolicy(policy),
      issuer: 'https://app.example.com/auth',
      application: 'default',
      audience: null,
      algorithm: 'HS256',
      secrets: [],
      payloadSchema: undefined,
      infoSchema: undefined,
      events: {
        onUncheckedRevocation: () => void result.unchecked++,
        onBackgroundError: ({ error }) => void errors.push(error),
      },
    }),
    async pass(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        await settle()
        const [next] = timers.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)
        if (next === undefined) break
        timers = timers.filter(other => other !== next)
        now = Math.max(now, next.at)
        next.task()
      }
      now = end
    },
    takeCalls() {
      const taken = calls
      calls = {}
      return taken
    },
    schedule,
    delays,
    errors,
    unchecked: 0,
  }
  return result
}
