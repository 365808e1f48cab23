import type { Rule, RulesFor } from '../../base/options.ts'
import type { MysqlStoreOptions } from '../mysql.ts'
import { migrateRule, poolOrUrl, poolSizeRule, requestTimeoutRule, tablePrefixRule } from '../options.ts'
import type { MysqlPool } from './driver.ts'
import type { MysqlNameOptions } from './names.ts'

/** The schemes of its URLs. The driver is the same for both servers and accepts either. */
export const mysqlSchemes: readonly string[] = ['mysql', 'mariadb']

/** What the first argument of `createMysqlStore` and `migrateMysql` accepts. */
export const mysqlSourceRule: Rule<MysqlPool | string> = poolOrUrl(
  'a Pool of mysql2/promise, or a URL that begins with mysql:// or mariadb://', 'a Pool of mysql2/promise',
  'getConnection', mysqlSchemes)

/** What the options of `migrateMysql` and `printMysqlMigrations` accept. */
export const mysqlNameRules: RulesFor<MysqlNameOptions> = { prefix: tablePrefixRule }

/** What the options of `createMysqlStore` accept. */
export const mysqlRules: RulesFor<MysqlStoreOptions> = {
  ...mysqlNameRules, migrate: migrateRule, requestTimeout: requestTimeoutRule, poolSize: poolSizeRule,
}
