import type { SessionStore } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import { eventFromRow, eventValues } from '../sql/event-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { eventCondition, eventConditions, sqliteStatements } from '../sqlite/statements.ts'
import { statement } from './run.ts'
import type { Runner } from './run.ts'

/** The event log in the database. */
export function createEventTable(
  { one, all }: Runner,
  names: TableNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  const texts = sqliteStatements(names)
  const append = statement(texts.appendEvent)
  const readers = new Map(eventConditions.map(condition => [condition, statement(texts.readEvents(condition))]))

  return {
    async appendEvent(event) {
      await one(append(...eventValues(event)))
    },

    async pageEvents(query, page) {
      const { at, id } = decodeEventPosition(page.after)
      const { condition, values } = eventCondition(query)
      const read = readers.get(condition)
      const statements = query.kinds.flatMap(kind => read?.(...values, kind, at, id, page.limit + 1) ?? [])
      const pages = await all(...statements)
      return eventPageOf(pages.flatMap(rows => rows.map(eventFromRow)), page)
    },
  }
}
