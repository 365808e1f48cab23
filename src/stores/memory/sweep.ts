import type { EpochMilliseconds } from '../../base/time.ts'
import type { RemovedExpired } from '../../session/store.ts'

/**
 * Makes a function that visits `limit` entries with each call, and starts again after the last. `remove` removes an
 * entry that is due, and returns whether it was.
 */
export function createSweep<Key, Value>(
  entries: ReadonlyMap<Key, Value>,
  remove: (key: Key, value: Value, now: EpochMilliseconds) => boolean,
): (now: EpochMilliseconds, limit: number) => RemovedExpired {
  let rest = entries.entries()
  return (now, limit) => {
    let removed = 0
    for (let visited = 0; visited < limit; visited++) {
      const next = rest.next()
      if (next.done === true) {
        rest = entries.entries()
        return { removed, more: false }
      }
      if (remove(...next.value, now)) removed += 1
    }
    return { removed, more: true }
  }
}
