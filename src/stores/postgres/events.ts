import type { SessionStore } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import { eventColumns, eventFromRow, eventValues } from '../sql/event-row.ts'
import { durably, uncached } from './change-log.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'

/** The event log in the database. */
export function createEventTable(
  database: Database,
  names: PostgresNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  const columns = eventColumns.join(', ')
  const append = database.statement(
    `INSERT INTO ${names.event} (${columns}) VALUES (${eventColumns.map((_, index) => `$${index + 1}`).join(', ')})
     ON CONFLICT DO NOTHING RETURNING ${durably}`, { repeatable: true })
  // Each kind by itself, so that a rare kind is found without reading the others.
  const read = (condition: string): ReturnType<Database['statement']> => database.statement(
    `SELECT ${eventColumns.map(column => `found.${column}`).join(', ')}
     FROM unnest($1::text[]) AS wanted (kind) CROSS JOIN LATERAL (
       SELECT ${columns} FROM ${names.event} AS event
       WHERE ${condition} event.kind = wanted.kind AND (occurred_at, id) < ($2, $3)
       ORDER BY occurred_at DESC, id DESC LIMIT $4::bigint
     ) AS found WHERE ${uncached}`, { repeatable: true })
  const [ofAll, ofUser, ofSession, ofBoth] = [
    read(''), read('user_id = $5 AND'), read('handle = $5 AND'), read('handle = $5 AND user_id = $6 AND'),
  ]

  return {
    async appendEvent(event) {
      await append(...eventValues(event))
    },

    async pageEvents({ kinds, userId, handle }, page) {
      const { at, id } = decodeEventPosition(page.after)
      const common = [kinds, at, id, page.limit + 1]
      const rows = handle === null
        ? userId === null ? ofAll(...common) : ofUser(...common, userId)
        : userId === null ? ofSession(...common, handle) : ofBoth(...common, handle, userId)
      return eventPageOf((await rows).map(eventFromRow), page)
    },
  }
}
