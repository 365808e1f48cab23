import type { Milliseconds } from '../../base/time.ts'
import type { ChangePage } from '../../session/store.ts'
import { beginning, decodeCursor, toChangePage } from '../change-cursor.ts'
import { createFollowers } from '../followers.ts'
import { createHeadPoller } from '../head-poller.ts'
import { changeColumns, changeEntryOf } from '../sql/change-row.ts'
import { readText } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import { statement } from './run.ts'
import type { Runner, Statement } from './run.ts'

/** How often the head of the log is read for followers. Nothing is read in an isolate: its feed follows no store. */
const POLL_INTERVAL: Milliseconds = 500

/**
 * The change log in the database. It has one writer at a time, so `seq` is the order of the commits. A cursor holds
 * number and name of an entry. If the log does not have this entry, it is read from the beginning: the log was emptied
 * or restored, or the entry was pruned in due time. For readers on servers its head is polled.
 */
export interface ChangeLog {
  /** A statement that appends the changes that `source` selects, in the order of `changeColumns`. */
  append(source: string): Statement
  /** Wakes the followers of this store; call it after the transaction. */
  announce(): void
  since(cursor: string | null, limit: number): Promise<ChangePage>
  follow(wake: () => void): Promise<() => Promise<void>>
  close(): void
}

/** Prepares the log. */
export function createChangeLog({ one }: Runner, names: TableNames): ChangeLog {
  const texts = sqliteStatements(names)
  const readHead = statement(texts.readHead)
  const readPage = statement(texts.readChanges)
  const followers = createFollowers()
  const poller = createHeadPoller(async () => {
    const [row] = await one(readHead())
    return row === undefined ? '' : readText(row, 'entry')
  }, POLL_INTERVAL, () => followers.wake())

  return {
    append: source => statement(`INSERT INTO ${names.change} (${changeColumns.join(', ')}) ${source}`),
    announce: () => followers.wake(),
    async since(cursor, limit) {
      const place = decodeCursor(cursor) ?? beginning
      const rows = await one(readPage(place.sequence, place.id, limit + 1))
      return toChangePage(rows.map(changeEntryOf), limit, place)
    },
    async follow(wake) {
      const remove = followers.add(wake)
      try {
        await poller.start()
      } catch (error) {
        remove()
        throw error
      }
      return async () => {
        remove()
        if (followers.size === 0) poller.stop()
      }
    },
    close: poller.stop,
  }
}
