import type { Change, ChangePage } from '../../session/store.ts'
import { beginning, decodeCursor, toChangePage } from '../change-cursor.ts'
import type { ChangeCursor, ChangeEntry } from '../change-cursor.ts'
import { changeColumns, changeEntryOf, changeValues } from '../sql/change-row.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { readInteger, readText } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Database, Runner } from './database.ts'

/** The change log. */
export interface ChangeLog {
  /**
   * Appends a change inside a transaction, as its last statement. The number comes from a row that stays locked until
   * the commit: a reader that sees an entry sees all entries before it. (AUTO_INCREMENT would assign numbers in
   * another order than that of the commits, and readers would skip some.)
   */
  append(runner: Runner, change: Change): Promise<void>
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  /** The name of the newest entry, which is different after each change. */
  readHead(): Promise<string>
}

/**
 * Prepares the change log. A cursor holds number and name of the entry it points to. If the log no longer has this
 * entry, reading starts from the beginning: the log was emptied or restored, a replica without the entry took over, or
 * the entry was pruned in due time. To read an entry twice is harmless; to skip one is not.
 */
export function createChangeLog(database: Database, names: TableNames): ChangeLog {
  const columns = ['seq', 'entry', ...changeColumns]
  const count =
    `INSERT INTO ${names.meta} (name, value, number) VALUES ('log', ?, LAST_INSERT_ID(1))
     ON DUPLICATE KEY UPDATE number = LAST_INSERT_ID(number + 1), value = ?`
  const append =
    `INSERT INTO ${names.change} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
  const head = `SELECT value FROM ${names.meta} WHERE name = 'log'`
  // Parts of one statement, so that all see the same log: the page, the head, and the entry of the cursor if the log
  // still has it. In a join with the other two, the optimizers read everything after the cursor, to sort it.
  const read = (limit: number): string => {
    const found = (part: string, of: string): string => (
      `SELECT '${part}' AS part, ${of} AS entry, '' AS kind, '' AS handles, 0 AS version, 0 AS until`)
    return `(SELECT 'page' AS part, ${columns.join(', ')} FROM ${names.change}
        WHERE seq > ? ORDER BY seq LIMIT ${limit})
      UNION ALL (${found('head', 'number AS seq, value')} FROM ${names.meta} WHERE name = 'log')
      UNION ALL (${found('cursor', 'seq, entry')} FROM ${names.change} WHERE seq = ? AND entry = ?)`
  }

  return {
    async append({ change: run }, change) {
      const entry = createEntryId()
      const { insertId } = await run(count, [entry, entry])
      await run(append, [insertId, entry, ...changeValues(change)])
    },

    changesSince: (cursor, limit) => database.run(async ({ rows }) => {
      const place = decodeCursor(cursor) ?? beginning
      const readAfter = async (after: number): Promise<Reading> => (
        readingOf(await rows(read(limit + 1), [after, place.sequence, place.id]), after)
      )
      const attempt = async (after: number): Promise<Reading> => {
        const reading = await readAfter(after)
        return after === 0 || isKnown(place, reading) ? reading : readAfter(0)
      }
      const { entries, head, isCut } = await readSettled(attempt, place.sequence)
      const page = toChangePage(entries, limit, head)
      return { ...page, more: page.more || isCut }
    }, { repeatable: true }),

    readHead: () => database.run(async ({ rows }) => {
      const row = (await rows(head, []))[0]
      return row === undefined ? '' : readText(row, 'value')
    }, { repeatable: true }),
  }
}

/** What one statement has read. */
interface Reading {
  /** The number of the entry after which it began. */
  readonly after: number
  readonly entries: readonly ChangeEntry[]
  readonly head: ChangeCursor
  /** Whether the log has the entry of the cursor. */
  readonly hasCursor: boolean
}

function readingOf(rows: readonly Row[], after: number): Reading {
  const part = (name: string): readonly Row[] => rows.filter(row => row['part'] === name)
  const [head] = part('head')
  return {
    after,
    // SQL promises no order of the whole, although the servers keep that of the page.
    entries: part('page').map(changeEntryOf).sort((one, other) => one.sequence - other.sequence),
    head: head === undefined ? beginning : { id: readText(head, 'entry'), sequence: readInteger(head, 'seq') },
    hasCursor: part('cursor').length > 0,
  }
}

/** Whether the log still has the entry of a cursor, or has it as its head. */
function isKnown({ id, sequence }: ChangeCursor, { head, hasCursor }: Reading): boolean {
  return hasCursor || (head.sequence === sequence && head.id === id)
}

/**
 * Reads a second time if entries are missing. MariaDB takes its snapshot of the active transactions one after the
 * other, so a statement can see an entry and not see one that was committed before it. Entries are numbered without a
 * gap: a gap is such an entry, or one that was pruned in due time. The second read tells which, because by then
 * everything is visible that was committed before what the first has seen. What only the second has seen is left for
 * the next page.
 */
async function readSettled(
  attempt: (after: number) => Promise<Reading>,
  start: number,
): Promise<Pick<Reading, 'entries' | 'head'> & { readonly isCut: boolean }> {
  const { entries: seen, head, after } = await attempt(start)
  const last = seen.at(-1)
  if (last === undefined || !hasGap(seen, after)) return { entries: seen, head, isCut: false }
  const { entries: again } = await attempt(after)
  const settled = again.filter(({ sequence }) => sequence <= last.sequence)
  // If all of them have been pruned meanwhile, the cursor still needs an entry to point to.
  return { entries: settled.length > 0 ? settled : [last], head, isCut: settled.length < again.length }
}

function hasGap(entries: readonly ChangeEntry[], after: number): boolean {
  return entries.some(({ sequence }, index) => sequence > (entries[index - 1]?.sequence ?? after) + 1)
}
