import { checkValue } from '../../base/options.ts'
import { tablePrefixRule } from '../options.ts'

/** The tables of a SQL store. */
export interface TableNames {
  readonly session: string
  readonly change: string
  readonly key: string
  readonly turn: string
  readonly notBefore: string
  readonly event: string
  readonly importClaim: string
  readonly meta: string
}

/**
 * Names the tables. The prefix is the only value that becomes part of a statement's text instead of a parameter, so it
 * must be a plain identifier (ST-03).
 * @throws GeneralError (`MISUSE`) for any other prefix.
 */
export function tableNames(prefix: string = tablePrefixRule.defaultValue): TableNames {
  checkValue('prefix', tablePrefixRule, prefix)
  return {
    session: `${prefix}session`,
    change: `${prefix}change`,
    key: `${prefix}key`,
    turn: `${prefix}turn`,
    notBefore: `${prefix}not_before`,
    event: `${prefix}event`,
    importClaim: `${prefix}import_claim`,
    meta: `${prefix}meta`,
  }
}

/** The prefix of another application's tables, beside those that begin with `prefix`. Ids contain no `_`. */
export function tablePrefixFor(appId: string, prefix: string): string {
  return `${prefix}${appId.replaceAll('-', '_')}_`
}
