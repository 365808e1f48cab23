import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { Change } from '../../session/store.ts'
import { integer, text, unreadable } from './row.ts'
import type { Row, SqlValue } from './row.ts'

/** The columns of a change, in the order of {@link changeValues}, beside its `seq`. */
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
  const kind = text(row, 'kind')
  const until = integer(row, 'until')
  if (kind === 'keys') return { kind, until }
  const handles = handlesOf(row)
  if (kind === 'revoked') return { kind, handles, until }
  const handle = handles[0]
  if (kind !== 'payload' || handle === undefined) throw unreadable('kind')
  return { kind, handle, version: integer(row, 'version'), until }
}

function handlesOf(row: Row): readonly SessionHandle[] {
  const parsed: unknown = JSON.parse(text(row, 'handles'))
  if (!Array.isArray(parsed)) throw unreadable('handles')
  return parsed.map((each: unknown) => {
    const handle = typeof each === 'string' ? parseHandle(each) : null
    if (handle === null) throw unreadable('handles')
    return handle
  })
}
