import { randomBytes } from 'node:crypto'
import { createBackgroundCleanup } from '../../src/session/background-cleanup.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { now } from './rows.ts'

/** Longer delays than this are between two runs of the cleanup: the measures do not wait for them. */
const BETWEEN_RUNS = 10_000

/** Runs the cleanup of the library until nothing is due. Returns how many sessions it removed per second. */
export async function cleanUp(store: SessionStore): Promise<{ readonly removed: number; readonly perSecond: number }> {
  let removed = 0
  const start = performance.now()
  await new Promise<void>((resolve, reject) => {
    const cleanup = createBackgroundCleanup({
      store: {
        ...store,
        async removeExpired(time, limit) {
          const part = await store.removeExpired(time, limit)
          removed += part.removed
          if (!part.more) {
            cleanup.close()
            resolve()
          }
          return part
        },
      },
      clock: () => now,
      entropy: length => randomBytes(length),
      schedule(task, delay) {
        const timer = setTimeout(task, delay > BETWEEN_RUNS ? 0 : delay)
        return () => clearTimeout(timer)
      },
      onError: reject,
    })
    cleanup.start()
  })
  return { removed, perSecond: removed / (performance.now() - start) * 1000 }
}
