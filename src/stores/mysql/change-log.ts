import type { Change, ChangePage } from '../../session/store.ts'
import { decodeCursor } from '../change-cursor.ts'
import { changeColumns, changePageOf, changeValues } from '../sql/change-row.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { readInteger, readText } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Database, Runner } from './database.ts'

/** The log of changes. */
export interface ChangeLog {
  /**
   * Appends a change inside a transaction, as its last work. The number comes from a row that stays locked until the
   * commit: who sees an entry sees all before it. (AUTO_INCREMENT would give numbers in another order than that of the
   * commits, and readers would skip some.)
   */
  append(runner: Runner, change: Change): Promise<void>
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  /** The name of the newest entry: another one after each change. */
  readHead(): Promise<string>
}

/**
 * Prepares the log. A cursor holds number and name of the entry it stands at. If the log has no such entry any more,
 * reading begins anew: the log was emptied or restored, a replica without it took over, or it has been forgotten in
 * time. To read twice is harmless, to skip is not.
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
      const look = (): Promise<Row[]> => query(read(limit + 1), [sequence, entry, sequence, entry, sequence])
      return changePageOf(await lookUntilSettled(look, sequence), limit)
    }, { repeatable: true }),

    readHead: () => database.run(async ({ rows }) => {
      const row = (await rows(head, []))[0]
      return row === undefined ? '' : readText(row, 'head_entry')
    }, { repeatable: true }),
  }
}

/**
 * Looks again where entries are missing. MariaDB takes note of the transactions under way one after the other, so that
 * a statement can see an entry and not see one that was committed before it. Entries are numbered without a gap: one
 * that is missing shows itself, or has been forgotten in time. The next look tells which, since by then everything is
 * visible that was committed before what this look has seen.
 */
async function lookUntilSettled(look: () => Promise<Row[]>, after: number): Promise<Row[]> {
  let settled = 0
  for (;;) {
    const rows = await look()
    const numbers = rows.flatMap(row => row['seq'] === null ? [] : [readInteger(row, 'seq')])
    const [first = 0] = numbers
    const start = first > after ? after : 0
    const missing = numbers.some((number, index) => number > settled && number > (numbers[index - 1] ?? start) + 1)
    if (!missing) return rows
    settled = numbers.at(-1) ?? settled
  }
}
