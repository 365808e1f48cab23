import { GeneralError } from '../../base/errors.ts'
import { readInteger, readText, rowOf } from '../sql/row.ts'
import type { Row } from '../sql/row.ts'
import type { MysqlConnection } from './driver.ts'
import { isMisencoded, isSyntaxError, isUnreadable } from './errors.ts'

/** What the store knows about a server. */
export interface ServerInfo {
  /** Whether it is a MariaDB, whose INSERT can return the row that it wrote. */
  readonly isMariadb: boolean
}

/**
 * Checks, with three statements that write nothing, what the store relies on: the server's kind, what the driver makes
 * of rows, the character set and the session variables. Anything else that a pool can be configured with makes no
 * difference.
 * @throws GeneralError (`MISUSE`) that names the setting and its cure.
 */
export async function checkConnection(connection: MysqlConnection): Promise<ServerInfo> {
  await checkTexts(connection)
  await checkValues(connection)
  return { isMariadb: /mariadb/i.test(await checkVariables(connection)) }
}

const utf8mb4 = 'charset must be utf8mb4: leave the option out, and set no other character set (SET NAMES)'
const typeCast = 'typeCast must leave numbers and texts as they are: leave the option out, or let it return next()'

/** A character that only utf8mb4 has, and its bytes. */
const [key, bytes] = ['\u{1F511}', 'F09F9491']

// Columns that are all texts: with `typeCast: false`, the driver cannot read others.
const texts =
  `SELECT @@version_comment AS comment, HEX(CONVERT(? USING utf8mb4)) AS sent,
     CONVERT(X'${bytes}' USING utf8mb4) AS received`

async function checkTexts(connection: MysqlConnection): Promise<void> {
  const row = await firstRow(connection, texts, [key], 'sent').catch((error: unknown) => {
    throw isMisencoded(error) ? unsuitableConnection(utf8mb4) : error
  })
  const [sent, received] = [textOf(row['sent']), textOf(row['received'])]
  if (/^dolt\b/i.test(textOf(row['comment']))) {
    throw new GeneralError('MISUSE', 'the server is Dolt, which Keyturn does not support: its SELECT ... FOR UPDATE '
      + 'does not wait for other transactions, so that two processes could both act on one session or key. Use MySQL '
      + 'or MariaDB')
  }
  if (sent === '') throw unsuitableConnection(typeCast)
  if (sent !== bytes || received !== key) throw unsuitableConnection(utf8mb4)
  if (typeof row['sent'] !== 'string') throw unsuitableConnection(typeCast)
}

/** A row with a value of each type of column that the store reads. */
const values = `SELECT kinds.* FROM JSON_TABLE('[[1, 2, 9007199254740991, "a", "b", "c"]]', '$[*]' COLUMNS (
    tiny TINYINT PATH '$[0]', small SMALLINT PATH '$[1]', big BIGINT PATH '$[2]',
    fixed CHAR(1) CHARACTER SET ascii PATH '$[3]', short VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[4]',
    document MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$[5]', nothing BIGINT PATH '$[6]'
  )) AS kinds`

async function checkValues(connection: MysqlConnection): Promise<void> {
  const row = await firstRow(connection, values, [], 'tiny').catch((error: unknown) => {
    if (isUnreadable(error)) throw unsuitableConnection(typeCast)
    if (!isSyntaxError(error)) throw error
    throw new GeneralError(
      'MISUSE', 'the server does not know JSON_TABLE: Keyturn needs MySQL 8.0 or MariaDB 10.6, or newer')
  })
  if (!isUnchanged(row)) throw unsuitableConnection(typeCast)
}

function isUnchanged(row: Row): boolean {
  try {
    const numbers = ['tiny', 'small', 'big'].map(column => readInteger(row, column))
    const letters = ['fixed', 'short', 'document'].map(column => readText(row, column))
    return row['nothing'] === null && [...numbers, ...letters].join() === `1,2,${Number.MAX_SAFE_INTEGER},a,b,c`
  } catch {
    return false
  }
}

/** A session variable: the values that fit, and what to set. The names differ between MariaDB, MySQL and versions. */
interface Variable {
  readonly names: readonly string[]
  isValid(value: string): boolean
  readonly cure: string
}

/** The greatest value of `sql_select_limit`. Its DEFAULT is what the server is set to, which may be lower. */
export const noLimit = '18446744073709551615'

/**
 * With other values, writes might never be committed; a statement that removes rows by a list of keys might be refused;
 * reads might see uncommitted data, so that the change log has gaps; lists of rows might be cut off.
 */
const variables: readonly Variable[] = [
  { names: ['autocommit'], isValid: value => value === 'ON', cure: 'autocommit = 1' },
  { names: ['completion_type'], isValid: value => value === 'NO_CHAIN', cure: 'completion_type = NO_CHAIN' },
  { names: ['sql_safe_updates'], isValid: value => value !== 'ON', cure: 'sql_safe_updates = 0' },
  {
    names: ['sql_select_limit'], isValid: value => Number(value) >= 2 ** 32 - 1,
    cure: `sql_select_limit = ${noLimit}`,
  },
  {
    names: ['transaction_isolation', 'tx_isolation'],
    isValid: value => value !== 'READ-UNCOMMITTED',
    cure: 'the isolation level READ COMMITTED or a stricter one',
  },
]

const showVariables = `SHOW VARIABLES WHERE Variable_name IN
  (${['version', ...variables.flatMap(({ names }) => names)].map(name => `'${name}'`).join(', ')})`

/** Returns the server's version. */
async function checkVariables(connection: MysqlConnection): Promise<string> {
  const [rows] = await connection.execute(showVariables)
  const settings = new Map(Array.isArray(rows) ? rows.map(readSetting) : [])
  const version = settings.get('version')
  // The limit holds for this statement, too: it has cut off the last variable, in the order of their names.
  if (version === undefined) settings.set('sql_select_limit', `${settings.size}`)
  const wrong = variables.flatMap(({ names, isValid, cure }) => names
    .map(name => [name, settings.get(name)] as const)
    .flatMap(([name, value]) => value === undefined || isValid(value) ? [] : [`${cure} (${name} is ${value})`]))
  if (wrong.length > 0) {
    throw new GeneralError(
      'MISUSE', `connections to MySQL have session variables that do not fit: set ${wrong.join(', ')}`)
  }
  return version ?? ''
}

function readSetting(row: unknown): readonly [name: string, value: string] {
  const { Variable_name: name, Value: value } = rowOf(row)
  return [textOf(name), textOf(value)]
}

/**
 * Runs a statement that returns one row, with this column.
 * @throws GeneralError (`MISUSE`) if the driver returns anything but rows that are objects by column name.
 */
async function firstRow(
  connection: MysqlConnection,
  sql: string,
  parameters: string[],
  column: string,
): Promise<Row> {
  const [rows]: readonly unknown[] = await connection.execute(sql, parameters)
  if (!Array.isArray(rows)) {
    throw new GeneralError('MISUSE', 'the pool must be one of mysql2/promise: its execute() did not return rows')
  }
  const row = rowOf(rows[0])
  if (Array.isArray(row)) throw unsuitableConnection('rowsAsArray must be false: leave the option out')
  if (!(column in row)) throw unsuitableConnection('nestTables must be false: leave the option out')
  return row
}

/** The text that a driver returned as a string or as bytes; anything else becomes an empty one. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  return typeof value === 'string' ? value : ''
}

/** The error for an option of the driver. */
export function unsuitableConnection(what: string): GeneralError {
  return new GeneralError('MISUSE', `the pool of mysql2 has an option that Keyturn cannot work with: ${what}`)
}
