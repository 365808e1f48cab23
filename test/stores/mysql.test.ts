import { describe } from 'vitest'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { mysqlEngines } from '../support/mysql-engines.ts'
import { runStoreContract } from '../support/run-contract.ts'

let prefixes = 0

for (const { name, available, url } of await mysqlEngines('contract')) describe.skipIf(!available)(name, () => {
  runStoreContract(`${name}, by URL`, async () => {
    const prefix = `contract_${++prefixes}_`
    return {
      open: async () => createMysqlStore(url, { prefix, migrate: 'auto', requestTimeout: 60 }),
      discard: async () => undefined,
    }
  })
})
