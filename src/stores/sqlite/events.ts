import type { SessionStore } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import { eventFromRow, eventValues } from '../sql/event-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'
import { eventCondition, eventConditions, sqliteStatements } from './statements.ts'

/** The event log in the database. Events wait for the disk. */
export function createEventTable(
  { durable, fast, reads, writes }: Connections,
  names: TableNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  const texts = sqliteStatements(names)
  const append = durable.changes(texts.appendEvent)
  const readers = new Map(eventConditions.map(condition => [condition, fast.rows(texts.readEvents(condition))]))

  return {
    appendEvent: event => writes.run(() => void append(...eventValues(event))),

    pageEvents: (query, page) => reads.run(() => {
      const { at, id } = decodeEventPosition(page.after)
      const { condition, values } = eventCondition(query)
      const read = readers.get(condition)
      const rows = query.kinds.flatMap(kind => read?.(...values, kind, at, id, page.limit + 1) ?? [])
      return eventPageOf(rows.map(eventFromRow), page)
    }),
  }
}
