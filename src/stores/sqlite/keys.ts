import type { KeyStore } from '../../tokens/key-store.ts'
import { keyColumns, keyOf, keyValues } from '../sql/key-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import type { Connections } from './connection.ts'

/** The signing keys in the database. Every write is durable before it is acknowledged. */
export function createKeyTable({ durable, reads, writes }: Connections, log: ChangeLog, names: TableNames): KeyStore {
  const columns = keyColumns.join(', ')
  const list = durable.rows(`SELECT ${columns} FROM ${names.key} ORDER BY active_from, kid`)
  const add = durable.changes(
    `INSERT INTO ${names.key} (${columns}) SELECT ${keyColumns.map(() => '?').join(', ')}
     WHERE (SELECT kid FROM ${names.key} WHERE purpose = ? ORDER BY active_from DESC, kid DESC LIMIT 1) IS ?
     ON CONFLICT DO NOTHING`)
  const replace = durable.changes(`UPDATE ${names.key} SET material = ? WHERE kid = ? AND material = ?`)
  const remove = durable.changes(`DELETE FROM ${names.key} WHERE kid = ?`)
  return {
    listKeys: () => reads.run(() => list().map(keyOf)),
    addKeyIfNewest: (key, newest) => writes.run(() => add(...keyValues(key), key.purpose, newest) === 1),
    replaceKeyMaterial: (kid, current, next) => writes.run(() => replace(next, kid, current) === 1),
    removeKey: (kid, until) => writes.run(() => {
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
