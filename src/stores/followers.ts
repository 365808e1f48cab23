/** Those who asked to be woken when something changes. */
export interface Followers {
  /** How many there are. */
  readonly size: number
  /** Adds one. Returns how to take it away again; doing so twice does no harm. */
  add(wake: () => void): () => void
  /**
   * Wakes all of them, after the caller's own work is done: a failing follower must not make a finished
   * revocation look like a failed one.
   */
  wake(): void
}

/** An empty list of followers. */
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
      for (const entry of entries) queueMicrotask(entry.wake)
    },
  }
}
