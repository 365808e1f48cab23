import { setImmediate as nextTick } from 'node:timers/promises'
import type { SessionStore } from '../../../src/session/store.ts'
import { wrapStore } from '../../../src/session/wrap-store.ts'

/** A store, and what the background work of its process has under way. */
export interface WatchedStore {
  readonly store: SessionStore
  /** How many calls of the store are under way, other than those of background work. */
  pending(): number
  /** How many calls have begun. */
  readonly calls: ReadonlyMap<string, number>
  /** Resolves once no call of the background work is under way. */
  settle(): Promise<void>
}

/** What no request waits for: the feed, the clock, the keys, confirmations, cleanup. */
const inBackground: ReadonlySet<string> = new Set([
  'changesSince', 'follow', 'time', 'listKeys', 'addKeyIfNewest', 'confirm', 'acquireLease', 'removeExpired',
])

export function watchStore(inner: SessionStore): WatchedStore {
  const calls = new Map<string, number>()
  let pending = 0
  let background = 0
  return {
    store: wrapStore((name, call) => async (...input) => {
      const own = inBackground.has(name) ? 1 : 0
      calls.set(name, (calls.get(name) ?? 0) + 1)
      pending += 1
      background += own
      try {
        return await call(inner, ...input)
      } finally {
        pending -= 1
        background -= own
      }
    }),
    pending: () => pending - background,
    calls,
    async settle() {
      // One call often follows another: it is over when several ticks of the event loop begin none.
      for (let calm = 0; calm < 3; calm++) {
        await nextTick()
        if (background > 0) calm = -1
      }
    },
  }
}
