import type { Change, ChangePage } from '../../session/store.ts'
import { nextEventLoopTurn } from '../background.ts'
import { beginning, decodeCursor, toChangePage } from '../change-cursor.ts'
import type { ChangeCursor, ChangeEntry } from '../change-cursor.ts'
import { createFollowers } from '../followers.ts'
import { changeEntryOf, changeValues } from '../sql/change-row.ts'
import { readText } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'
import { PART } from './parts.ts'
import { sqliteStatements } from './statements.ts'

const FOLLOW_INTERVAL_MS = 25

/**
 * The change log in the database, and its followers. SQLite has one writer at a time, so `seq` is the order of the
 * commits. A cursor holds number and name of an entry. If the log does not have this entry, it is read from the
 * beginning: the log was emptied or restored, or the entry was pruned in due time.
 */
export interface ChangeLog {
  /** Appends a change inside the caller's transaction. */
  append(change: Change): void
  /** Wakes the followers of this process; call it after the commit. */
  announce(): void
  /** Reads a page in parts, between which the event loop runs. It also runs before a page that is not the last. */
  since(cursor: string | null, limit: number): Promise<ChangePage>
  follow(wake: () => void): () => void
  /** Stops watching for the changes of other processes. */
  close(): void
}

/** Prepares the log. */
export function createChangeLog({ durable: writer, fast: reader, reads }: Connections, names: TableNames): ChangeLog {
  const followers = createFollowers()
  const texts = sqliteStatements(names)
  const append = writer.changes(texts.appendChange)
  const readNewest = reader.rows(texts.readHead)
  const readPage = reader.rows(texts.readChanges)
  const readDataVersion = reader.rows('PRAGMA data_version')

  /** The name of the newest entry. */
  function readHead(): string {
    const row = readNewest()[0]
    return row === undefined ? '' : readText(row, 'entry')
  }

  function readAfter({ sequence, id }: ChangeCursor, limit: number): ChangeEntry[] {
    return readPage(sequence, id, limit).map(changeEntryOf)
  }

  const dataVersion = (): unknown => readDataVersion()[0]?.['data_version']
  let timer: ReturnType<typeof setInterval> | null = null
  let seenVersion: unknown = null
  let seenHead = ''

  /** Cheap while nothing is written: the data version is read from shared memory. */
  function poll(): void {
    try {
      const version = dataVersion()
      if (version === seenVersion) return
      const head = readHead()
      seenVersion = version
      if (head === seenHead) return
      seenHead = head
      followers.wake()
    } catch {
      // Hints may be lost; `changesSince` reports the error to the reader.
    }
  }

  function stopWatching(): void {
    if (timer !== null) clearInterval(timer)
    timer = null
  }

  return {
    append(change) {
      append(...changeValues(change))
    },
    announce() {
      followers.wake()
    },
    async since(cursor, limit) {
      const place = decodeCursor(cursor) ?? beginning
      const entries: ChangeEntry[] = []
      while (entries.length <= limit) {
        const size = Math.min(PART, limit + 1 - entries.length)
        const part = await reads.run(() => readAfter(entries.at(-1) ?? place, size))
        entries.push(...part)
        if (part.length < size) break
        await nextEventLoopTurn()
      }
      return toChangePage(entries, limit, place)
    },
    follow(wake) {
      if (timer === null) {
        seenVersion = dataVersion()
        seenHead = readHead()
        timer = setInterval(poll, FOLLOW_INTERVAL_MS)
        timer.unref()
      }
      const stop = followers.add(wake)
      return () => {
        stop()
        if (followers.size === 0) stopWatching()
      }
    },
    close: stopWatching,
  }
}
