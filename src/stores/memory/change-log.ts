import type { EpochMilliseconds } from '../../base/time.ts'
import type { Change, ChangePage } from '../../session/store.ts'
import { encodeCursor, resumeAfter } from '../change-cursor.ts'

/** The changes of a memory store, in the order in which they happened. */
export interface ChangeLog {
  append(change: Change): void
  /** As `SessionStore.changesSince`. */
  since(cursor: string | null, limit: number): ChangePage
  /** Forgets the changes whose `until` has passed. */
  prune(now: EpochMilliseconds): void
}

/** An empty log with an identity of its own. */
export function createChangeLog(): ChangeLog {
  const logId = crypto.randomUUID()
  let head = 0
  let entries: { readonly sequence: number; readonly change: Change }[] = []
  return {
    append(change) {
      head += 1
      entries.push({ sequence: head, change: copyOf(change) })
    },
    since(cursor, limit) {
      const after = resumeAfter(cursor, logId, head)
      const rest = entries.filter(entry => entry.sequence > after)
      const page = rest.slice(0, limit)
      return {
        changes: page.map(entry => copyOf(entry.change)),
        cursor: head === 0 ? null : encodeCursor({ logId, sequence: page.at(-1)?.sequence ?? head }),
        more: rest.length > page.length,
      }
    },
    prune(now) {
      entries = entries.filter(entry => entry.change.until > now)
    },
  }
}

function copyOf(change: Change): Change {
  return change.kind === 'revoked' ? { ...change, handles: [...change.handles] } : { ...change }
}
