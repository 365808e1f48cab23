import type { RemovedExpired } from '../../session/store.ts'
import { nextEventLoopTurn } from '../background.ts'

/**
 * How many rows are changed, or changes read, before the event loop runs again. SQLite works on the thread of the
 * caller. A deletion takes 0.1 to 0.2 ms in a file of a million sessions.
 */
export const PART = 16

/** What a part did. */
export interface Part {
  /** The number of rows that it looked at. */
  readonly looked: number
  readonly removed: number
}

/**
 * Looks at no more than `limit` rows, in parts of at most {@link PART}, until a part finds fewer than it may look at.
 * After each part, the event loop runs.
 */
export async function inParts(limit: number, work: (size: number) => Promise<Part>): Promise<RemovedExpired> {
  let looked = 0
  let removed = 0
  while (looked < limit) {
    const size = Math.min(PART, limit - looked)
    const part = await work(size)
    looked += part.looked
    removed += part.removed
    if (part.looked > 0) await nextEventLoopTurn()
    if (part.looked < size) break
  }
  return { removed, more: looked === limit }
}
