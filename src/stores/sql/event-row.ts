import { eventKinds } from '../../session/stored-event.ts'
import type { StoredEvent } from '../../session/stored-event.ts'
import { readHandle, readInteger, readText, readTextOrNull, unreadable } from './row.ts'
import type { Row, SqlValue } from './row.ts'

/** The columns of an event, in the order of {@link eventValues}. */
export const eventColumns: readonly string[] = ['id', 'kind', 'occurred_at', 'until', 'user_id', 'handle', 'detail']

/** The values of an event, in the order of {@link eventColumns}. */
export function eventValues(event: StoredEvent): SqlValue[] {
  return [event.id, event.kind, event.at, event.until, event.userId, event.handle, event.detail]
}

/** Reads an event from a row. @throws GeneralError if the row does not hold one. */
export function eventFromRow(row: Row): StoredEvent {
  const kind = eventKinds.find(each => each === row['kind'])
  if (kind === undefined) throw unreadable('kind')
  return {
    id: readText(row, 'id'),
    kind,
    at: readInteger(row, 'occurred_at'),
    until: readInteger(row, 'until'),
    userId: readTextOrNull(row, 'user_id'),
    handle: row['handle'] === null ? null : readHandle(row, 'handle'),
    detail: readText(row, 'detail'),
  }
}
