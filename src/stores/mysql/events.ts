import type { EventKind, EventQuery, SessionStore } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import type { EventPosition } from '../event-page.ts'
import { eventColumns, eventFromRow, eventValues } from '../sql/event-row.ts'
import type { SqlValue } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { limitValue, selection } from './columns.ts'
import type { Database } from './database.ts'
import { isDuplicate } from './errors.ts'

/** The event log in the database. */
export function createEventTable(
  database: Database,
  names: TableNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  const append =
    `INSERT INTO ${names.event} (${eventColumns.join(', ')}) VALUES (${eventColumns.map(() => '?').join(', ')})`

  /** The newest events of one kind after a position. The hint makes the server begin there. */
  function readKind({ userId, handle }: EventQuery, kind: EventKind, { at, id }: EventPosition, limit: number): Part {
    const index = handle !== null ? 'by_handle' : userId !== null ? 'by_user' : 'by_kind'
    const conditions = [...handle === null ? [] : ['handle = ?'], ...userId === null ? [] : ['user_id = ?']]
    return {
      sql: `(SELECT ${selection(eventColumns)} FROM ${names.event} FORCE INDEX (${index})
        WHERE ${[...conditions, 'kind = ?'].join(' AND ')} AND (occurred_at < ? OR (occurred_at = ? AND id < ?))
        ORDER BY occurred_at DESC, id DESC LIMIT ?)`,
      values: [
        ...handle === null ? [] : [handle], ...userId === null ? [] : [userId], kind, at, at, id, limitValue(limit),
      ],
    }
  }

  return {
    appendEvent: event => database.run(async ({ change }) => {
      try {
        await change(append, eventValues(event))
      } catch (error) {
        if (!isDuplicate(error)) throw error
      }
    }, { repeatable: true }),

    async pageEvents(query, page) {
      const position = decodeEventPosition(page.after)
      if (query.kinds.length === 0) return { events: [], next: null }
      const parts = query.kinds.map(kind => readKind(query, kind, position, page.limit + 1))
      return database.run(async ({ rows }) => {
        const read = await rows(parts.map(({ sql }) => sql).join(' UNION ALL '), parts.flatMap(({ values }) => values))
        return eventPageOf(read.map(eventFromRow), page)
      }, { repeatable: true })
    },
  }
}

/** A part of a statement, and its values. */
interface Part {
  readonly sql: string
  readonly values: readonly SqlValue[]
}
