import type { Change, ChangePage } from '../../session/store.ts'
import { decodeCursor } from '../change-cursor.ts'
import { changeColumns, changePageOf, changeValues } from '../sql/change-row.ts'
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
  const head = `SELECT number AS head, value AS head_entry FROM ${names.meta} WHERE name = 'log'`
  const known = `SELECT 1 FROM ${names.change} WHERE seq = ? AND entry = ?`
  const read = (limit: number): string =>
    `SELECT log.number AS head, log.value AS head_entry, ${columns.map(column => `page.${column}`).join(', ')}
     FROM ${names.meta} AS log LEFT JOIN ${names.change} AS page
       ON page.seq > CASE WHEN (log.number = ? AND log.value = ?) OR EXISTS (${known}) THEN ? ELSE 0 END
     WHERE log.name = 'log' ORDER BY page.seq LIMIT ${limit}`

  return {
    async append({ change: run }, change) {
      const entry = createEntryId()
      const { insertId } = await run(count, [entry, entry])
      await run(append, [insertId, entry, ...changeValues(change)])
    },

    changesSince: (cursor, limit) => database.run(async ({ rows: query }) => {
      const place = decodeCursor(cursor)
      const sequence = place?.sequence ?? 0
      const entry = place?.id ?? ''
      const attempt = (): Promise<Row[]> => query(read(limit + 1), [sequence, entry, sequence, entry, sequence])
      const { rows, isCut } = await readSettled(attempt, sequence)
      const page = changePageOf(rows, limit)
      return { ...page, more: page.more || isCut }
    }, { repeatable: true }),

    readHead: () => database.run(async ({ rows }) => {
      const row = (await rows(head, []))[0]
      return row === undefined ? '' : readText(row, 'head_entry')
    }, { repeatable: true }),
  }
}

/**
 * Reads a second time if entries are missing. MariaDB takes its snapshot of the active transactions one after the
 * other, so a statement can see an entry and not see one that was committed before it. Entries are numbered without a
 * gap: a gap is such an entry, or one that was pruned in due time. The second read tells which, because by then
 * everything is visible that was committed before what the first has seen. What only the second has seen is left for
 * the next page.
 */
async function readSettled(
  attempt: () => Promise<Row[]>,
  after: number,
): Promise<{ readonly rows: readonly Row[]; readonly isCut: boolean }> {
  const seen = await attempt()
  const last = seen.at(-1)
  if (last === undefined || !hasGap(seen, after)) return { rows: seen, isCut: false }
  const again = await attempt()
  const settled = again.filter(row => sequenceOf(row) <= sequenceOf(last))
  // If all of them have been pruned meanwhile, the cursor still needs an entry to point to.
  return { rows: settled.length > 0 ? settled : [last], isCut: settled.length < again.length }
}

function hasGap(rows: readonly Row[], after: number): boolean {
  const numbers = rows.map(sequenceOf)
  const start = (numbers[0] ?? 0) > after ? after : 0
  return numbers.some((number, index) => number > (numbers[index - 1] ?? start) + 1)
}

/** The number of a row's entry; 0 for the row without an entry that stands for an empty page. */
function sequenceOf(row: Row): number {
  return row['seq'] === null ? 0 : readInteger(row, 'seq')
}
