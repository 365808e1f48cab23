import type { EpochMilliseconds } from '../../base/time.ts'
import type { SessionStore } from '../../session/store.ts'
import { removeEach } from '../remove-each.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { Connections } from './connection.ts'
import { inParts } from './parts.ts'
import type { Part } from './parts.ts'
import { sqliteStatements } from './statements.ts'

/** Prepares `removeExpired`. The statements of a part commit together and need not wait for the disk. */
export function createRemoveExpired(
  { fast: connection, writes }: Connections,
  names: TableNames,
): SessionStore['removeExpired'] {
  const texts = sqliteStatements(names)
  const forget = (table: string) => {
    const remove = connection.changes(texts.forget(table))
    return (now: EpochMilliseconds, size: number): Part => ({ looked: remove(now, size), removed: 0 })
  }
  const postpone = connection.changes(texts.postpone)
  const sweep = connection.changes(texts.sweep)

  function sweepSessions(now: EpochMilliseconds, size: number): Part {
    return connection.transaction(() => {
      const postponed = postpone(now, now, size)
      const removed = sweep(now, now, size - postponed)
      return { looked: postponed + removed, removed }
    })
  }

  const kinds = [
    forget(names.change), forget(names.notBefore), forget(names.event), forget(names.importClaim), sweepSessions,
  ]
  return (now, limit) => removeEach(kinds.map(kind => () => (
    inParts(limit, size => writes.run(() => kind(now, size)))
  )))
}
