import { GeneralError } from '../../base/errors.ts'
import { defaultPrefix, tableNames } from '../sql/table-names.ts'
import type { TableNames } from '../sql/table-names.ts'

/** Where in a database the tables are. */
export interface PostgresNameOptions {
  /** The schema of the tables. Default: the first one of the connection's `search_path`. */
  readonly schema?: string
  /** Begins the names of all tables; `keyturn_` by default. A letter or `_`, then letters, digits, `_`; at most 31. */
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
  const prefix = options.prefix ?? defaultPrefix
  const plain = tableNames(prefix)
  const schema = options.schema ?? null
  if (schema !== null && !/^[A-Za-z_][A-Za-z0-9_]{0,30}$/.test(schema)) {
    throw new GeneralError('MISUSE', 'a schema is 1 to 31 letters, digits and underscores, no digit first')
  }
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
