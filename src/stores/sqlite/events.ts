import type { EventQuery, SessionStore } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import { eventColumns, eventFromRow, eventValues } from '../sql/event-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'

/** The event log in the database. Events wait for the disk. */
export function createEventTable(
  { durable, fast, reads, writes }: Connections,
  names: TableNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  const columns = eventColumns.join(', ')
  const append = durable.changes(
    `INSERT INTO ${names.event} (${columns}) VALUES (${eventColumns.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`)
  const read = (condition: string): ReturnType<typeof fast.rows> => fast.rows(
    `SELECT ${columns} FROM ${names.event} WHERE ${condition} kind = ? AND (occurred_at, id) < (?, ?)
     ORDER BY occurred_at DESC, id DESC LIMIT ?`)
  const [ofAll, ofUser, ofSession, ofBoth] = [
    read(''), read('user_id = ? AND'), read('handle = ? AND'), read('handle = ? AND user_id = ? AND'),
  ]

  function reader({ userId, handle }: EventQuery): (...rest: [string, number, string, number]) => ReturnType<typeof ofAll> {
    if (handle === null) return userId === null ? ofAll : (...rest) => ofUser(userId, ...rest)
    return userId === null ? (...rest) => ofSession(handle, ...rest) : (...rest) => ofBoth(handle, userId, ...rest)
  }

  return {
    appendEvent: event => writes.run(() => void append(...eventValues(event))),

    pageEvents: (query, page) => reads.run(() => {
      const { at, id } = decodeEventPosition(page.after)
      const readKind = reader(query)
      const rows = query.kinds.flatMap(kind => readKind(kind, at, id, page.limit + 1))
      return eventPageOf(rows.map(eventFromRow), page)
    }),
  }
}
