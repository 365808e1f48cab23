import type { Duration } from '../../base/duration.ts'
import { having, text, withDefault } from '../../base/options.ts'
import type { Rule, RulesFor } from '../../base/options.ts'
import type { D1Database } from '../d1.ts'
import type { DurableObjectNamespace, DurableObjectStoreOptions } from '../durable-object.ts'
import { describeClient } from '../known-clients.ts'
import type { LibsqlClient } from '../libsql.ts'
import { migrateRule, requestTimeoutRule, tablePrefixRule } from '../options.ts'

/** How the tables are named. */
export interface AsyncSqliteNaming {
  /**
   * The prefix of the names of all tables: a letter or `_`, then letters, digits, `_`; at most 31 characters. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** Options of `createD1Store` and `createLibsqlStore`. */
export interface AsyncSqliteOptions extends AsyncSqliteNaming {
  /**
   * Who creates and updates the tables. `manual`: you. `auto`: the store, at the first call of each process or isolate.
   * Default: `manual`.
   */
  readonly migrate?: 'auto' | 'manual'
  /** How long a call may wait for the database: from 1 ms to 1 hour. Default: 5 seconds. */
  readonly requestTimeout?: Duration
}

/** What the options that name the tables accept. */
export const asyncSqliteNamingRules: RulesFor<AsyncSqliteNaming> = { prefix: tablePrefixRule }

/** What the options of `createD1Store` and `createLibsqlStore` accept. */
export const asyncSqliteRules: RulesFor<AsyncSqliteOptions> = {
  ...asyncSqliteNamingRules, migrate: migrateRule, requestTimeout: requestTimeoutRule,
}

/** The name of the object that keeps the sessions. */
export const objectNameRule: Rule<string, string> = withDefault('keyturn', text('a name'))

/** What the options of `createDurableObjectStore` accept. */
export const durableObjectRules: RulesFor<DurableObjectStoreOptions> = {
  name: objectNameRule, requestTimeout: requestTimeoutRule,
}

/** What the first argument of `createD1Store` accepts. */
export const d1Rule: Rule<D1Database, undefined> = {
  ...having('a binding of D1, such as env.DB', 'prepare', 'batch'), describe: describeClient,
}

const libsqlClient: Rule<LibsqlClient, undefined> = having(
  'a client of @libsql/client for a server, as createClient returns', 'execute', 'batch')

/**
 * What the first argument of `createLibsqlStore` accepts. For files, this driver loses acknowledged writes: while
 * another connection has the lock, a statement fails and stays open, and nothing that follows on its connection is ever
 * committed. A time for which the driver waits for the lock prevents that in most cases; but the process would stop
 * meanwhile, and the client does not say whether it is set. An embedded replica is a file, too; besides, it learns of
 * revocations late.
 */
export const libsqlRule: Rule<LibsqlClient, undefined> = {
  ...libsqlClient,
  isValid: (value): value is LibsqlClient => libsqlClient.isValid(value) && isRemote(value),
  describe: value => libsqlClient.isValid(value) && value.protocol === 'file'
    ? 'a client for a file, for memory or for an embedded replica: keyturn/stores/sqlite keeps sessions in files'
    : describeClient(value),
}

/** Whether the client says that it leads to a server. What wraps a client must say it, too. */
function isRemote({ protocol }: LibsqlClient): boolean {
  return typeof protocol === 'string' && protocol !== 'file'
}

/** What the first argument of `createDurableObjectStore` accepts. */
export const namespaceRule: Rule<DurableObjectNamespace, undefined> = having(
  'a binding of a namespace of Durable Objects, such as env.SESSIONS', 'idFromName', 'get')
