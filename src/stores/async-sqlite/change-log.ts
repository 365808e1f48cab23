import type { Milliseconds } from '../../base/time.ts'
import type { ChangePage } from '../../session/store.ts'
import { decodeCursor, resumeAfter, toChangePage } from '../change-cursor.ts'
import type { ChangeCursor } from '../change-cursor.ts'
import { createFollowers } from '../followers.ts'
import { createHeadPoller } from '../head-poller.ts'
import { changeColumns, changeOf } from '../sql/change-row.ts'
import { readInteger, readIntegerOrNull, readText } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import { statement } from './run.ts'
import type { Runner, Statement } from './run.ts'

/** How often the head of the log is read for followers. Nothing is read in an isolate: its feed follows no store. */
const POLL_INTERVAL: Milliseconds = 500

/**
 * The change log in the database. It has one writer at a time, so `seq` is the order of the commits. For readers on
 * servers its head is polled.
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
export function createChangeLog({ one, all }: Runner, names: TableNames): ChangeLog {
  const texts = sqliteStatements(names)
  const readHead = statement(texts.readHead)
  const readPage = statement(texts.readChanges)
  const followers = createFollowers()
  const poller = createHeadPoller(async () => {
    const { id, sequence } = headOf(await one(readHead()))
    return `${id}.${sequence}`
  }, POLL_INTERVAL, () => followers.wake())

  async function read(after: number, limit: number): Promise<{
    readonly head: ChangeCursor
    readonly rows: readonly Row[]
  }> {
    const [head = [], rows = []] = await all(readHead(), readPage(after, limit + 1))
    return { head: headOf(head), rows }
  }

  return {
    append: source => statement(`INSERT INTO ${names.change} (${changeColumns.join(', ')}) ${source}`),
    announce: () => followers.wake(),
    async since(cursor, limit) {
      const known = decodeCursor(cursor)?.sequence ?? 0
      let { head, rows } = await read(known, limit)
      const after = resumeAfter(cursor, head)
      // The cursor is of another log.
      if (after !== known) ({ head, rows } = await read(after, limit))
      const { id } = head
      const entries = rows.map(row => ({ id, sequence: readInteger(row, 'seq'), change: changeOf(row) }))
      return toChangePage(entries, limit, head)
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

function headOf([row]: readonly Row[]): ChangeCursor {
  if (row === undefined) return { id: '', sequence: 0 }
  return { id: readText(row, 'log_id'), sequence: readIntegerOrNull(row, 'head') ?? 0 }
}
