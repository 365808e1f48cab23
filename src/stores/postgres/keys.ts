import type { KeyStore } from '../../tokens/key-store.ts'
import { createEntryId } from '../sql/entry-id.ts'
import { keyColumns, keyOf, keyValues } from '../sql/key-row.ts'
import { appendChange, durably, uncached } from './change-log.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'

/** The signing keys in the database. Every write is durable before it is acknowledged. */
export function createKeyTable(database: Database, names: PostgresNames): KeyStore {
  const columns = keyColumns.join(', ')
  const list = database.statement(
    `SELECT ${columns} FROM ${names.key} WHERE ${uncached} ORDER BY active_from, kid`, { repeatable: true })
  const add =
    `INSERT INTO ${names.key} (${columns}) SELECT ${keyColumns.map((_, index) => parameter(index + 1)).join(', ')}
     WHERE (SELECT kid FROM ${names.key} WHERE purpose = $2 ORDER BY active_from DESC, kid DESC LIMIT 1)
       IS NOT DISTINCT FROM $${keyColumns.length + 1}
     ON CONFLICT DO NOTHING RETURNING ${durably}`
  const replace = database.statement(
    `UPDATE ${names.key} SET material = $3 WHERE kid = $1 AND material = $2 RETURNING ${durably}`)
  const remove = database.statement(
    `WITH gone AS (DELETE FROM ${names.key} WHERE kid = $1 RETURNING kid),
     ${appendChange(names, 'gone', { kind: 'keys', handles: '\'[]\'', version: '0', until: '$2', entry: '$3' })}
     SELECT ${durably} FROM gone`)
  return {
    listKeys: async () => (await list()).map(keyOf),
    // The newest key stays the newest only while no other process adds one: hence a lock and a transaction. It is
    // taken about once a week.
    addKeyIfNewest: async (key, newest) => {
      const lock = { text: `LOCK TABLE ${names.key} IN SHARE ROW EXCLUSIVE MODE` }
      return (await database.transaction(lock, { text: add, values: [...keyValues(key), newest] })).length === 1
    },
    replaceKeyMaterial: async (kid, current, next) => (await replace(kid, current, next)).length === 1,
    removeKey: async (kid, until) => (await remove(kid, until, createEntryId())).length === 1,
  }
}

function parameter(number: number): string {
  return keyColumns[number - 1] === 'created_at' || keyColumns[number - 1] === 'active_from'
    ? `$${number}::bigint`
    : `$${number}::text`
}
