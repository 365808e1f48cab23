import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { Change, ChangePage } from '../../session/store.ts'
import { beginning, toChangePage } from '../change-cursor.ts'
import type { ChangeEntry } from '../change-cursor.ts'
import { readInteger, readText, unreadable } from './row.ts'
import type { Row, SqlValue } from './row.ts'

/** The columns of a change besides its `seq`, in the order of {@link changeValues}. */
export const changeColumns: readonly string[] = ['kind', 'handles', 'version', 'until']

/** The values of a change, in the order of {@link changeColumns}. */
export function changeValues(change: Change): SqlValue[] {
  switch (change.kind) {
    case 'revoked': return ['revoked', JSON.stringify(change.handles), 0, change.until]
    case 'payload': return ['payload', JSON.stringify([change.handle]), change.version, change.until]
    case 'keys': return ['keys', '[]', 0, change.until]
  }
}

/** Reads a change from a row. @throws GeneralError if the row does not hold one. */
export function changeOf(row: Row): Change {
  const kind = readText(row, 'kind')
  const until = readInteger(row, 'until')
  if (kind === 'keys') return { kind, until }
  const handles = handlesOf(row)
  if (kind === 'revoked') return { kind, handles, until }
  const handle = handles[0]
  if (kind !== 'payload' || handle === undefined) throw unreadable('kind')
  return { kind, handle, version: readInteger(row, 'version'), until }
}

/**
 * Makes a page from rows that hold an entry of the log (`seq`, `entry`; null if there is none) and the log's head
 * (`head`, `head_entry`). If there is no row at all, the log has never had an entry.
 */
export function changePageOf(rows: readonly Row[], limit: number): ChangePage {
  const first = rows[0]
  const head = first === undefined
    ? beginning
    : { id: readText(first, 'head_entry'), sequence: readInteger(first, 'head') }
  return toChangePage(rows.filter(row => row['seq'] !== null).map(changeEntryOf), limit, head)
}

/** Reads an entry of the log from a row. @throws GeneralError if the row does not hold one. */
export function changeEntryOf(row: Row): ChangeEntry {
  return { id: readText(row, 'entry'), sequence: readInteger(row, 'seq'), change: changeOf(row) }
}

function handlesOf(row: Row): readonly SessionHandle[] {
  const parsed: unknown = JSON.parse(readText(row, 'handles'))
  if (!Array.isArray(parsed)) throw unreadable('handles')
  return parsed.map((each: unknown) => {
    const handle = typeof each === 'string' ? parseHandle(each) : null
    if (handle === null) throw unreadable('handles')
    return handle
  })
}
