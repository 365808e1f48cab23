import type { StoreKind } from '../kind.ts'
import { tablePrefixRule } from '../options.ts'
import { tablePrefixFor } from '../sql/table-names.ts'
import { mysqlSchemes } from './options.ts'

/** MySQL and MariaDB, for the registry of stores. */
export const mysqlKind: StoreKind = {
  name: 'mysql',
  title: 'MySQL',
  schemes: mysqlSchemes,
  example: 'mysql://app@db.example.com/app',
  system: 'mysql',
  isFile: false,
  prefix: tablePrefixRule,
  schema: null,
  hasPool: true,
  prefixFor: tablePrefixFor,
  async open(url, options) {
    const { createMysqlStore } = await import('../mysql.ts')
    return createMysqlStore(url, options)
  },
  async inspect(url, naming) {
    const { inspectDatabase } = await import('./inspect.ts')
    return inspectDatabase(url, naming)
  },
  migrations: {
    async apply(url, naming) {
      const { migrateMysql } = await import('../mysql.ts')
      return migrateMysql(url, naming)
    },
    async print(naming) {
      const { printMysqlMigrations } = await import('./schema.ts')
      return printMysqlMigrations(naming)
    },
  },
}
