import type { KeyStore } from '../../tokens/key-store.ts'
import { keyOf, keyValues } from '../sql/key-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import type { Connections } from './connection.ts'
import { sqliteStatements } from './statements.ts'

/** The signing keys in the database. Every write is durable before it is acknowledged. */
export function createKeyTable({ durable, reads, writes }: Connections, log: ChangeLog, names: TableNames): KeyStore {
  const texts = sqliteStatements(names)
  const list = durable.rows(texts.listKeys)
  const add = durable.changes(texts.addKey)
  const replace = durable.changes(texts.replaceKey)
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
