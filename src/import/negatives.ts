import type { SessionHandle } from '../base/handle.ts'
import type { Clock, Milliseconds } from '../base/time.ts'

/** The sessions that had ended a moment ago, so that a client that repeats a credential causes no further calls. */
export interface Negatives {
  has(handle: SessionHandle): boolean
  add(handle: SessionHandle): void
}

const KEPT: Milliseconds = 5000
const MOST = 10_000

/** Creates an empty set. Only handles are kept, which are hashes of what the client sent. */
export function createNegatives(clock: Clock): Negatives {
  const ends = new Map<SessionHandle, number>()
  return {
    has(handle) {
      const end = ends.get(handle)
      if (end === undefined) return false
      if (end > clock()) return true
      ends.delete(handle)
      return false
    },
    add(handle) {
      if (ends.size >= MOST) ends.clear()
      ends.set(handle, clock() + KEPT)
    },
  }
}
