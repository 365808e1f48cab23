import type { EpochMilliseconds } from '../../base/time.ts'
import type { Change, ChangePage } from '../../session/store.ts'
import { resumeAfter, toChangePage } from '../change-cursor.ts'
import type { ChangeEntry } from '../change-cursor.ts'

/** The changes of a memory store, in the order in which they happened. */
export interface ChangeLog {
  append(change: Change): void
  /** As `SessionStore.changesSince`. */
  since(cursor: string | null, limit: number): ChangePage
  /** Removes the changes whose `until` has passed. */
  prune(now: EpochMilliseconds): void
}

/** Creates an empty log with an id of its own. */
export function createChangeLog(): ChangeLog {
  const id = crypto.randomUUID()
  let head = 0
  let entries: ChangeEntry[] = []
  return {
    append(change) {
      head += 1
      entries.push({ id, sequence: head, change: copyOf(change) })
    },
    since(cursor, limit) {
      const place = { id, sequence: head }
      const after = resumeAfter(cursor, place)
      const rest = entries.filter(({ sequence }) => sequence > after).slice(0, limit + 1)
      return toChangePage(rest.map(entry => ({ ...entry, change: copyOf(entry.change) })), limit, place)
    },
    prune(now) {
      entries = entries.filter(entry => entry.change.until > now)
    },
  }
}

function copyOf(change: Change): Change {
  return change.kind === 'revoked' ? { ...change, handles: [...change.handles] } : { ...change }
}
