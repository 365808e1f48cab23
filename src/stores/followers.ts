import { outsideRequests } from '../base/outside-requests.ts'

/** The callbacks to call when something changes. */
export interface Followers {
  /** How many callbacks there are. */
  readonly size: number
  /** Adds a callback. Returns a function that removes it; to call that twice is harmless. */
  add(wake: () => void): () => void
  /**
   * Calls all of them, after the caller's own work is done, outside of its request: a callback that throws must not
   * make a completed revocation look like a failed one.
   */
  wake(): void
}

/** Creates an empty list of callbacks. */
export function createFollowers(): Followers {
  const entries = new Set<{ readonly wake: () => void }>()
  return {
    get size() {
      return entries.size
    },
    add(wake) {
      const entry = { wake }
      entries.add(entry)
      return () => {
        entries.delete(entry)
      }
    },
    wake() {
      outsideRequests(() => {
        for (const entry of entries) queueMicrotask(entry.wake)
      })
    },
  }
}
