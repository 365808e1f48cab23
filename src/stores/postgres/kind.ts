import type { StoreKind } from '../kind.ts'
import { schemaRule, tablePrefixRule } from '../options.ts'
import { tablePrefixFor } from '../sql/table-names.ts'
import { postgresSchemes } from './options.ts'

/** PostgreSQL, for the registry of stores. */
export const postgresKind: StoreKind = {
  name: 'postgres',
  title: 'PostgreSQL',
  schemes: postgresSchemes,
  example: 'postgres://app@db.example.com/app',
  system: 'postgresql',
  isFile: false,
  prefix: tablePrefixRule,
  schema: schemaRule,
  hasPool: true,
  prefixFor: tablePrefixFor,
  async open(url, options) {
    const { createPostgresStore } = await import('../postgres.ts')
    return createPostgresStore(url, options)
  },
  async inspect(url, naming) {
    const { inspectDatabase } = await import('./inspect.ts')
    return inspectDatabase(url, naming)
  },
  migrations: {
    async apply(url, naming) {
      const { migratePostgres } = await import('../postgres.ts')
      return migratePostgres(url, naming)
    },
    async print(naming) {
      const { printPostgresMigrations } = await import('./schema.ts')
      return printPostgresMigrations(naming)
    },
  },
}
