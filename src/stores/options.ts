import { duration } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { flag, having, number, oneOf, rule, text, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import type { MysqlPool } from './mysql/driver.ts'
import type { MysqlNameOptions } from './mysql/names.ts'
import type { MysqlStoreOptions } from './mysql.ts'
import type { PostgresPool } from './postgres/driver.ts'
import type { PostgresNameOptions } from './postgres/names.ts'
import type { PostgresStoreOptions } from './postgres.ts'
import type { RedisStoreOptions } from './redis.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import type { SqliteDriverOptions, SqliteStoreOptions } from './sqlite.ts'

/**
 * Accepts a server that evicts keys when its memory is full: users are logged out at random, and when it is a signing
 * key that goes, all of them.
 */
export const allowEviction: unique symbol = Symbol('keyturn.allowEviction')

const plainName = '1 to 31 letters, digits and underscores, no digit first'

/** What begins the names of tables: it reaches the text of statements, so only plain names will do (ST-03). */
export const tablePrefixRule: Rule<string, string> = withDefault(
  'keyturn_', text(plainName, /^[A-Za-z_][A-Za-z0-9_]{0,30}$/))
/** What begins the names of keys: nothing that could be read as anything but a name (ST-03). */
export const keyPrefixRule: Rule<string, string> = withDefault('keyturn:', text(
  '1 to 63 letters, digits and any of _ . : -, with a letter or _ first', /^[A-Za-z_][A-Za-z0-9_.:-]{0,62}$/))
/** How long a call to a database may take. */
export const requestTimeoutRule: Rule<Duration, number> = withDefault(5, duration(0.001, 3600))
const migrateRule = withDefault('manual', oneOf('auto', 'manual'))

/** What the first argument of `openSqliteStore` accepts. */
export const sqliteFileRule: Rule<string> = text(
  'the path of a file such as "keyturn.db", or ":memory:"; not a URL', /^(?:(?!(?:file|sqlite):).+|:memory:)$/s)

/** What the options of `openSqliteStore` and `printSqliteMigrations` accept. */
export const sqliteRules: RulesFor<SqliteStoreOptions> = { prefix: tablePrefixRule }

/** What the first argument of `createSqliteStore` accepts. */
export const sqliteDatabaseRule: Rule<SqliteDatabase, undefined> = having(
  'an open SQLite database of node:sqlite or better-sqlite3', 'exec', 'prepare')

/** What the options of `createSqliteStore` accept. */
export const sqliteDriverRules: RulesFor<SqliteDriverOptions> = { ...sqliteRules, fast: sqliteDatabaseRule }

/** What the first argument of `createPostgresStore` and `migratePostgres` accepts. */
export const postgresSourceRule: Rule<PostgresPool | string> = poolOrUrl(
  'a Pool of pg, or a URL that begins with postgres://', 'connect', /^postgres(?:ql)?:$/)

/** What the options of `migratePostgres` and `printPostgresMigrations` accept. */
export const postgresNameRules: RulesFor<PostgresNameOptions> = {
  schema: text(plainName, /^[A-Za-z_][A-Za-z0-9_]{0,30}$/),
  prefix: tablePrefixRule,
}

/** What the options of `createPostgresStore` accept. */
export const postgresRules: RulesFor<PostgresStoreOptions> = {
  ...postgresNameRules, migrate: migrateRule, preparedStatements: flag, requestTimeout: requestTimeoutRule,
}

/** What the first argument of `createMysqlStore` and `migrateMysql` accepts. */
export const mysqlSourceRule: Rule<MysqlPool | string> = poolOrUrl(
  'a Pool of mysql2/promise, or a URL that begins with mysql:// or mariadb://', 'getConnection', /^(?:mysql|mariadb):$/)

/** What the options of `migrateMysql` and `printMysqlMigrations` accept. */
export const mysqlNameRules: RulesFor<MysqlNameOptions> = { prefix: tablePrefixRule }

/** What the options of `createMysqlStore` accept. */
export const mysqlRules: RulesFor<MysqlStoreOptions> = {
  ...mysqlNameRules, migrate: migrateRule, requestTimeout: requestTimeoutRule,
}

/** What the first argument of `createRedisStore` accepts. */
export const redisSourceRule: Rule<object | string> = {
  ...rule(
    'a client or cluster of ioredis or redis, or a URL that begins with redis:// or rediss://',
    (value): value is object | string => typeof value === 'string'
      ? /^rediss?:\/\//.test(value) && URL.canParse(value)
      // A pool or a sentinel of node-redis sends commands, too, but not over one connection.
      : typeof value === 'object' && value !== null
        && ('call' in value || ('sendCommand' in value && 'subscribe' in value && !('acquire' in value))),
  ),
  isSecret: true,
}

/** What the options of `createRedisStore` accept. */
export const redisRules: RulesFor<RedisStoreOptions> = {
  prefix: keyPrefixRule,
  replicas: withDefault(0, number(null, 0, 1000)),
  requestTimeout: requestTimeoutRule,
  [allowEviction]: withDefault(false, flag),
}

/** The text itself stays out of messages: it may hold a password (ST-07). */
function poolOrUrl<Pool extends object>(accepts: string, method: string, scheme: RegExp): Rule<Pool | string> {
  const pool = having<Pool>(accepts, method)
  const fits = (value: unknown): value is Pool | string => typeof value === 'string'
    ? scheme.test(URL.canParse(value) ? new URL(value).protocol : '')
    : pool.fits(value)
  return { ...rule(accepts, fits), isSecret: true }
}
