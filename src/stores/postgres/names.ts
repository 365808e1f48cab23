import { checkValues } from '../../base/options.ts'
import { tablePrefixRule } from '../options.ts'
import { tableNames } from '../sql/table-names.ts'
import type { TableNames } from '../sql/table-names.ts'
import { postgresNameRules } from './options.ts'

/** Where the tables are in a database. */
export interface PostgresNameOptions {
  /**
   * The schema of the tables: a letter or `_`, then letters, digits, `_`; at most 31 characters. Default: the first
   * one of the connection's `search_path`.
   */
  readonly schema?: string
  /**
   * The prefix of the names of all tables: a letter or `_`, then letters, digits, `_`; at most 31 characters. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** The names of tables, as they appear in statements, and the names derived from them. */
export interface PostgresNames extends TableNames {
  /** The schema that was given, or null for that of the connection. */
  readonly schema: string | null
  /** The name of an index. An index is in the schema of its table. */
  index(table: 'session' | 'change' | 'notBefore' | 'event' | 'importClaim', suffix: string): string
  /** The channel that is notified of changes. Channels belong to the database, whatever the schema. */
  readonly channel: string
}

/**
 * Names the tables. The names are quoted, so that upper and lower case differ.
 * @throws GeneralError (`MISUSE`) for a schema or prefix that is not a plain identifier (ST-03).
 */
export function postgresNames(options: PostgresNameOptions): PostgresNames {
  checkValues(postgresNameRules, options)
  const { prefix = tablePrefixRule.defaultValue, schema = null } = options
  const plain = tableNames(prefix)
  const qualified = (name: string): string => schema === null ? `"${name}"` : `"${schema}"."${name}"`
  return {
    session: qualified(plain.session),
    change: qualified(plain.change),
    key: qualified(plain.key),
    turn: qualified(plain.turn),
    notBefore: qualified(plain.notBefore),
    event: qualified(plain.event),
    importClaim: qualified(plain.importClaim),
    meta: qualified(plain.meta),
    schema,
    index: (table, suffix) => `"${plain[table]}_${suffix}"`,
    channel: schema === null ? prefix : `${schema}.${prefix}`,
  }
}
