import { checkValues } from '../../base/options.ts'
import { tablePrefixRule } from '../options.ts'
import { tableNames } from '../sql/table-names.ts'
import type { TableNames } from '../sql/table-names.ts'
import { postgresNameRules } from './options.ts'

/** Where in a database the tables are. */
export interface PostgresNameOptions {
  /**
   * The schema of the tables: a letter or `_`, then letters, digits, `_`; at most 31. Default: the first one of the
   * connection's `search_path`.
   */
  readonly schema?: string
  /**
   * What the names of all tables begin with: a letter or `_`, then letters, digits, `_`; at most 31. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** The names of tables, as they appear in statements, and what is named after them. */
export interface PostgresNames extends TableNames {
  /** The schema as it was given, or null for that of the connection. */
  readonly schema: string | null
  /** The name of an index. Indexes live in the schema of their table. */
  index(table: 'session' | 'change' | 'notBefore', suffix: string): string
  /** Where changes are announced. Channels are the database's, whatever the schema. */
  readonly channel: string
}

/**
 * Names the tables. Quoted, so that letter case counts as it is written.
 * @throws GeneralError (`MISUSE`) for a schema or prefix that is no plain identifier (ST-03).
 */
export function postgresNames(options: PostgresNameOptions): PostgresNames {
  checkValues(postgresNameRules, options)
  const { prefix = tablePrefixRule.preset, schema = null } = options
  const plain = tableNames(prefix)
  const qualified = (name: string): string => schema === null ? `"${name}"` : `"${schema}"."${name}"`
  return {
    session: qualified(plain.session),
    change: qualified(plain.change),
    key: qualified(plain.key),
    turn: qualified(plain.turn),
    notBefore: qualified(plain.notBefore),
    meta: qualified(plain.meta),
    schema,
    index: (table, suffix) => `"${plain[table]}_${suffix}"`,
    channel: schema === null ? prefix : `${schema}.${prefix}`,
  }
}
