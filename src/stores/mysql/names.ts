import { tableNames } from '../sql/table-names.ts'
import type { TableNames } from '../sql/table-names.ts'

/** How the tables are named. */
export interface MysqlNameOptions {
  /**
   * The prefix of the names of all tables: a letter or `_`, then letters, digits, `_`; at most 31 characters. Default:
   * `keyturn_`.
   */
  readonly prefix?: string
}

/** Names the tables, quoted. @throws GeneralError (`MISUSE`) for a prefix that is not a plain identifier (ST-03). */
export function mysqlNames(options: MysqlNameOptions): TableNames {
  const plain = tableNames(options.prefix)
  const quoted = (name: string): string => `\`${name}\``
  return {
    session: quoted(plain.session),
    change: quoted(plain.change),
    key: quoted(plain.key),
    turn: quoted(plain.turn),
    notBefore: quoted(plain.notBefore),
    event: quoted(plain.event),
    importClaim: quoted(plain.importClaim),
    meta: quoted(plain.meta),
  }
}
