import { GeneralError } from '../../base/errors.ts'

/** The tables of a SQL store. */
export interface TableNames {
  readonly session: string
  readonly change: string
  readonly key: string
  readonly turn: string
  readonly notBefore: string
  readonly meta: string
}

/** Begins the names of all tables unless the application says otherwise. */
export const defaultPrefix = 'keyturn_'

/**
 * Names the tables. The prefix is the one thing that reaches the text of a statement instead of a parameter,
 * so it must be a plain identifier (ST-03).
 * @throws GeneralError (`MISUSE`) for any other prefix.
 */
export function tableNames(prefix: string): TableNames {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,30}$/.test(prefix)) {
    throw new GeneralError('MISUSE', 'a table prefix is 1 to 31 letters, digits and underscores, no digit first')
  }
  return {
    session: `${prefix}session`,
    change: `${prefix}change`,
    key: `${prefix}key`,
    turn: `${prefix}turn`,
    notBefore: `${prefix}not_before`,
    meta: `${prefix}meta`,
  }
}
