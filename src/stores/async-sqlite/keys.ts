import type { KeyStore } from '../../tokens/key-store.ts'
import { keyOf, keyValues } from '../sql/key-row.ts'
import type { TableNames } from '../sql/table-names.ts'
import { sqliteStatements } from '../sqlite/statements.ts'
import type { ChangeLog } from './change-log.ts'
import { statement } from './run.ts'
import type { Runner } from './run.ts'

/** The signing keys in the database. */
export function createKeyTable({ one, all }: Runner, log: ChangeLog, names: TableNames): KeyStore {
  const texts = sqliteStatements(names)
  const list = statement(texts.listKeys)
  const add = statement(`${texts.addKey} RETURNING 1`)
  const replace = statement(`${texts.replaceKey} RETURNING 1`)
  const append = log.append(`SELECT 'keys', '[]', 0, ? FROM ${names.key} WHERE kid = ?`)
  const remove = statement(`DELETE FROM ${names.key} WHERE kid = ? RETURNING 1`)
  return {
    listKeys: async () => (await one(list())).map(keyOf),
    addKeyIfNewest: async (key, newest) => (await one(add(...keyValues(key), key.purpose, newest))).length === 1,
    replaceKeyMaterial: async (kid, current, next) => (await one(replace(next, kid, current))).length === 1,
    async removeKey(kid, until) {
      const [, removed = []] = await all(append(until, kid), remove(kid))
      if (removed.length > 0) log.announce()
      return removed.length === 1
    },
  }
}
