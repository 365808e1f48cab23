import { flag } from '../../base/options.ts'
import type { Rule, RulesFor } from '../../base/options.ts'
import { migrateRule, poolOrUrl, poolSizeRule, requestTimeoutRule, schemaRule, tablePrefixRule } from '../options.ts'
import type { PostgresStoreOptions } from '../postgres.ts'
import type { PostgresPool } from './driver.ts'
import type { PostgresNameOptions } from './names.ts'

/** The schemes of its URLs. */
export const postgresSchemes: readonly string[] = ['postgres', 'postgresql']

/** What the first argument of `createPostgresStore` and `migratePostgres` accepts. */
export const postgresSourceRule: Rule<PostgresPool | string> = poolOrUrl(
  'a Pool of pg, or a URL that begins with postgres://', 'a Pool of pg', 'connect', postgresSchemes)

/** What the options of `migratePostgres` and `printPostgresMigrations` accept. */
export const postgresNameRules: RulesFor<PostgresNameOptions> = { schema: schemaRule, prefix: tablePrefixRule }

/** What the options of `createPostgresStore` accept. */
export const postgresRules: RulesFor<PostgresStoreOptions> = {
  ...postgresNameRules, migrate: migrateRule, preparedStatements: flag, requestTimeout: requestTimeoutRule,
  poolSize: poolSizeRule,
}
