import type { EpochMilliseconds } from '../../base/time.ts'
import type { Change, ChangePage } from '../../session/store.ts'
import { resumeAfter, toChangePage } from '../change-cursor.ts'
import type { ChangeEntry } from '../change-cursor.ts'
import { partitionPoint } from './partition-point.ts'

/** The changes of a memory store, in the order in which they happened. */
export interface ChangeLog {
  append(change: Change): void
  /** As `SessionStore.changesSince`. */
  since(cursor: string | null, limit: number): ChangePage
  /**
   * Removes the changes whose `until` has passed, among the next `limit`. Returns whether there are more in this pass
   * over the log.
   */
  prune(now: EpochMilliseconds, limit: number): boolean
}

/** Creates an empty log with an id of its own. */
export function createChangeLog(): ChangeLog {
  // Created at the first call: Workers allow no randomness while a module loads.
  let created: string | null = null
  const logId = (): string => created ??= crypto.randomUUID()
  let head = 0
  /** In the order of their numbers, some of which are missing. */
  const entries: ChangeEntry[] = []
  let pruned = 0
  return {
    append(change) {
      head += 1
      entries.push({ id: logId(), sequence: head, change: copyOf(change) })
    },
    since(cursor, limit) {
      const place = { id: logId(), sequence: head }
      const after = resumeAfter(cursor, place)
      const start = partitionPoint(entries, ({ sequence }) => sequence <= after)
      const rest = entries.slice(start, start + limit + 1)
      return toChangePage(rest.map(entry => ({ ...entry, change: copyOf(entry.change) })), limit, place)
    },
    prune(now, limit) {
      const part = entries.slice(pruned, pruned + limit)
      const kept = part.filter(entry => entry.change.until > now)
      if (kept.length < part.length) entries.splice(pruned, part.length, ...kept)
      pruned += kept.length
      if (pruned < entries.length) return true
      pruned = 0
      return false
    },
  }
}

function copyOf(change: Change): Change {
  return change.kind === 'revoked' ? { ...change, handles: [...change.handles] } : { ...change }
}
