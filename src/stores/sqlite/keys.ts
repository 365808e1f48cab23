import type { KeyStore } from '../../tokens/key-store.ts'
import { keyColumns, keyOf, keyValues } from '../sql/key-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import type { Connection } from './connection.ts'
import { guarded } from './guard.ts'

/** The signing keys in the database. Every write is durable before it is acknowledged. */
export function createKeyTable(durable: Connection, log: ChangeLog, names: TableNames): KeyStore {
  const columns = keyColumns.join(', ')
  const list = durable.rows(`SELECT ${columns} FROM ${names.key} ORDER BY active_from, kid`)
  const add = durable.changes(
    `INSERT INTO ${names.key} (${columns}) SELECT ${keyColumns.map(() => '?').join(', ')}
     WHERE (SELECT kid FROM ${names.key} WHERE purpose = ? ORDER BY active_from DESC, kid DESC LIMIT 1) IS ?
     ON CONFLICT DO NOTHING`)
  const replace = durable.changes(`UPDATE ${names.key} SET material = ? WHERE kid = ? AND material = ?`)
  const remove = durable.changes(`DELETE FROM ${names.key} WHERE kid = ?`)
  return {
    listKeys: () => guarded(() => list().map(keyOf)),
    addKeyIfNewest: (key, newest) => guarded(() => add(...keyValues(key), key.purpose, newest) === 1),
    replaceKeyMaterial: (kid, current, next) => guarded(() => replace(next, kid, current) === 1),
    removeKey: (kid, until) => guarded(() => {
      const removed = durable.transaction(() => {
        if (remove(kid) === 0) return false
        log.append({ kind: 'keys', until })
        return true
      })
      if (removed) log.announce()
      return removed
    }),
  }
}
