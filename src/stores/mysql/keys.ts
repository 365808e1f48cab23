import type { KeyStore } from '../../tokens/key-store.ts'
import { keyColumns, keyOf, keyValues } from '../sql/key-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import type { ChangeLog } from './change-log.ts'
import { selection } from './columns.ts'
import type { Database } from './database.ts'

/** The signing keys in the database. */
export function createKeyTable(database: Database, log: ChangeLog, names: TableNames): KeyStore {
  const list = `SELECT ${selection(keyColumns)} FROM ${names.key} ORDER BY active_from, kid`
  const lock =
    `INSERT INTO ${names.meta} (name, value, number) VALUES ('keys', '', 1) ON DUPLICATE KEY UPDATE number = number + 1`
  const newestOf = `SELECT kid = ? AS same FROM ${names.key} WHERE purpose = ?
    ORDER BY active_from DESC, kid DESC LIMIT 1 FOR UPDATE`
  const add = `INSERT INTO ${names.key} (${keyColumns.join(', ')}) VALUES (${keyColumns.map(() => '?').join(', ')})`
  const replace = `UPDATE ${names.key} SET material = ?, revision = revision + 1 WHERE kid = ? AND material = ?`
  const remove = `DELETE FROM ${names.key} WHERE kid = ?`
  return {
    listKeys: () => database.run(async ({ rows }) => (await rows(list, [])).map(keyOf), { repeatable: true }),
    // The newest key stays the newest only while no other process adds one: hence a lock. It is taken about once a
    // week.
    addKeyIfNewest: (key, newest) => database.transaction(async ({ rows, change }) => {
      await change(lock, [])
      const row = (await rows(newestOf, [newest, key.purpose]))[0]
      if (row === undefined ? newest !== null : Number(row['same']) !== 1) return false
      await change(add, keyValues(key))
      return true
    }),
    replaceKeyMaterial: (kid, current, next) => database.run(async ({ change }) =>
      (await change(replace, [next, kid, current])).rows === 1),
    removeKey: (kid, until) => database.transaction(async runner => {
      if ((await runner.change(remove, [kid])).rows === 0) return false
      await log.append(runner, { kind: 'keys', until })
      return true
    }),
  }
}
