import type { EpochMilliseconds } from '../../base/time.ts'
import type { RemovedExpired, SessionStore } from '../../session/store.ts'
import { removeEach } from '../remove-each.ts'
import { readHandle, readInteger, readText } from '../sql/row.ts'
import type { Row, SqlValue } from '../sql/row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { byKey, changeEach, deleteByKeys, deleteEach, placeholders, selection } from './columns.ts'
import type { Database, Runner } from './database.ts'

/**
 * Prepares `removeExpired`. Rows are first read without a lock, and then changed by their key: to delete a range would
 * also lock the gaps in it, into which other transactions insert.
 */
export function createRemoveExpired(database: Database, names: TableNames): SessionStore['removeExpired'] {
  const due = (table: string, time: string, columns: readonly string[], limit: number): string =>
    `SELECT ${selection(columns)} FROM ${table} WHERE ${time} <= ? ORDER BY ${time} LIMIT ${limit}`

  function forget(table: string, key: 'seq' | 'name' | 'id' | 'handle', keyOf: (row: Row) => SqlValue) {
    const remove = deleteByKeys(table, key, 'until <= ?')
    return async (runner: Runner, now: EpochMilliseconds, limit: number): Promise<RemovedExpired> => {
      const rows = await runner.rows(due(table, 'until', [key], limit), [now])
      await deleteEach(runner, remove, rows.map(keyOf), now)
      return { removed: 0, more: rows.length === limit }
    }
  }

  const postpone = (count: number): string =>
    `UPDATE ${byKey(names.session)} SET sweep_at = expires_at
     WHERE handle IN (${placeholders(count, '?')}) AND expires_at > ?`
  const sweep = deleteByKeys(names.session, 'handle', 'expires_at <= ?')

  async function sweepSessions(runner: Runner, now: EpochMilliseconds, limit: number): Promise<RemovedExpired> {
    const rows = await runner.rows(due(names.session, 'sweep_at', ['handle', 'expires_at'], limit), [now])
    const isLive = (row: Row): boolean => readInteger(row, 'expires_at') > now
    const handlesOf = (some: readonly Row[]) => some.map(row => readHandle(row, 'handle'))
    await changeEach(runner, handlesOf(rows.filter(isLive)), postpone, now)
    const removed = await deleteEach(runner, sweep, handlesOf(rows.filter(row => !isLive(row))), now)
    return { removed, more: rows.length === limit }
  }

  const kinds = [
    forget(names.change, 'seq', row => readInteger(row, 'seq')),
    forget(names.notBefore, 'name', row => readText(row, 'name')),
    forget(names.event, 'id', row => readText(row, 'id')),
    forget(names.importClaim, 'handle', row => readHandle(row, 'handle')),
    sweepSessions,
  ]
  return (now, limit) => removeEach(kinds.map(kind => () => (
    database.run(runner => kind(runner, now, limit), { repeatable: true })
  )))
}
