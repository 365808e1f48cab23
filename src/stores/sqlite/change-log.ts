import type { Change, ChangePage } from '../../session/store.ts'
import { nextEventLoopTurn } from '../background.ts'
import { resumeAfter, toChangePage } from '../change-cursor.ts'
import type { ChangeCursor, ChangeEntry } from '../change-cursor.ts'
import { createFollowers } from '../followers.ts'
import { changeOf, changeValues } from '../sql/change-row.ts'
import { readInteger, readIntegerOrNull, readText } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'
import { PART } from './parts.ts'
import { sqliteStatements } from './statements.ts'

const FOLLOW_INTERVAL_MS = 25

/**
 * The change log in the database, and its followers. SQLite has one writer at a time, so `seq` is the order of the
 * commits.
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
  const readState = reader.rows(texts.readHead)
  const readPage = reader.rows(texts.readChanges)
  const readDataVersion = reader.rows('PRAGMA data_version')

  function readHead(): ChangeCursor {
    const row = readState()[0]
    if (row === undefined) return { id: '', sequence: 0 }
    return { id: readText(row, 'log_id'), sequence: readIntegerOrNull(row, 'head') ?? 0 }
  }

  const dataVersion = (): unknown => readDataVersion()[0]?.['data_version']
  let timer: ReturnType<typeof setInterval> | null = null
  let seenVersion: unknown = null
  let seenHead = 0

  /** Cheap while nothing is written: the data version is read from shared memory. */
  function poll(): void {
    try {
      const version = dataVersion()
      if (version === seenVersion) return
      const { sequence } = readHead()
      seenVersion = version
      if (sequence === seenHead) return
      seenHead = sequence
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
      const head = await reads.run(readHead)
      const entries: ChangeEntry[] = []
      let after = resumeAfter(cursor, head)
      while (entries.length <= limit) {
        const size = Math.min(PART, limit + 1 - entries.length)
        const from = after
        const rows = await reads.run(() => readPage(from, size))
        const part = rows.map(row => ({ id: head.id, sequence: readInteger(row, 'seq'), change: changeOf(row) }))
        entries.push(...part)
        after = part.at(-1)?.sequence ?? after
        if (part.length < size) break
        await nextEventLoopTurn()
      }
      return toChangePage(entries, limit, head)
    },
    follow(wake) {
      if (timer === null) {
        seenVersion = dataVersion()
        seenHead = readHead().sequence
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
