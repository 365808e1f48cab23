import { duration, toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { GeneralError } from '../base/errors.ts'
import { having, number, oneOf, rule, text, withDefault } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import type { Milliseconds } from '../base/time.ts'
import { describeClient, mayBe } from './known-clients.ts'
import type { AcceptedClient } from './known-clients.ts'

// What the options of several stores accept. Those of one store are in its folder.

const plainName = '1 to 31 letters, digits and underscores, no digit first'

/** The prefix of table names. It becomes part of the text of statements, so only plain names are allowed (ST-03). */
export const tablePrefixRule: Rule<string, string> = withDefault(
  'keyturn_', text(plainName, /^[A-Za-z_][A-Za-z0-9_]{0,30}$/))
/** The schema of the tables, which becomes part of the text of statements as well. */
export const schemaRule: Rule<string, undefined> = text(plainName, /^[A-Za-z_][A-Za-z0-9_]{0,30}$/)
/** The time limit of a call to a database. */
export const requestTimeoutRule: Rule<Duration, number> = withDefault(5, duration(0.001, 3600))
/** The time limit of a call in milliseconds, from the option or the default. */
export function requestTimeoutOf(requestTimeout: Duration = requestTimeoutRule.defaultValue): Milliseconds {
  return toMilliseconds(requestTimeout)
}
/** The size of the pool that a store opens for its URL. */
export const poolSizeRule: Rule<number, number> = withDefault(10, number(null, 1, 1000))
/** Who creates and updates the tables. */
export const migrateRule: Rule<'auto' | 'manual', 'manual'> = withDefault('manual', oneOf('auto', 'manual'))

/**
 * A pool of a driver, recognized by this method and not known as another client, or a URL with one of these schemes.
 * Messages never contain the value: it may hold a password (ST-07).
 */
/* @__NO_SIDE_EFFECTS__ */
export function poolOrUrl<Pool extends object>(
  expected: string,
  client: AcceptedClient,
  method: string,
  schemes: readonly string[],
): Rule<Pool | string> {
  const pool = having<Pool>(expected, method)
  const isValid = (value: unknown): value is Pool | string => typeof value === 'string'
    ? URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1))
    : pool.isValid(value) && mayBe(value, client)
  return { ...rule(expected, isValid), describe: describeClient, isSecret: true }
}

/** The size of the pool to open. @throws GeneralError (`MISUSE`) if it is given beside a pool, which has its own. */
export function poolSizeOf(source: object | string, poolSize: number | undefined): number {
  if (typeof source === 'string' || poolSize === undefined) return poolSize ?? poolSizeRule.defaultValue
  throw new GeneralError('MISUSE', 'poolSize must be left out: the pool that was passed has its own size')
}
