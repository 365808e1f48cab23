import { GeneralError, isSessionError } from '../../base/errors.ts'
import { failureReasonOf } from '../failure-reason.ts'
import { missingPrivileges, missingTables } from '../sql/missing-tables.ts'

function numberOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether a row with this key already exists. */
export function isDuplicate(error: unknown): boolean {
  return numberOf(error) === 1062
}

/**
 * Whether the server rolled the transaction back because of concurrent ones, so that it can be repeated. In a group of
 * servers that all accept writes, the one that commits second is undone at its commit: MySQL's Group Replication
 * reports 3101, or 1180 with InnoDB's number for a deadlock. Any other 1180 is a commit that failed, with an unknown
 * outcome.
 */
export function isRolledBackByRace(error: unknown): boolean {
  if (numberOf(error) === 1180) return error instanceof Error && /\b149\b/.test(error.message)
  return [1213, 1020, 3101].includes(numberOf(error))
}

/** Whether the server could not convert a parameter from the connection's character set. */
export function isMisencoded(error: unknown): boolean {
  return numberOf(error) === 3988
}

/** Whether the driver itself failed, and neither the server nor the connection: it could not read an answer. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Error && numberOf(error) === 0 && codeOf(error) === '' && !lostConnection(error)
}

/** Whether the server does not know the syntax of a statement. */
export function isSyntaxError(error: unknown): boolean {
  return numberOf(error) === 1064
}

/** Whether the server no longer had the prepared statement, and so did nothing. */
export function lostPreparedStatement(error: unknown): boolean {
  return [1243, 1615].includes(numberOf(error))
}

/**
 * Whether there is no further connection: the server has too many of all users or of this user, or the pool has as many
 * as it may open and does not let the call wait (`waitForConnections: false`, `queueLimit`).
 */
export function refusedConnection(error: unknown): boolean {
  return [1040, 1203, 1226].includes(numberOf(error)) || isExhaustedPool(error)
}

function isExhaustedPool(error: unknown): boolean {
  return error instanceof Error && /^(?:No connections available|Queue limit reached)\.$/.test(error.message)
}

/** Whether the connection broke, so that it is unknown whether the statement was executed. */
export function lostConnection(error: unknown): boolean {
  if (['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE'].includes(codeOf(error))) return true
  return [1053, 1927, 4031].includes(numberOf(error)) || (error instanceof Error && /closed state/.test(error.message))
}

/**
 * Whether the connection is open but of no further use: its server no longer accepts writes, and a new connection may
 * lead to the server's successor.
 */
export function isReadOnlyServer(error: unknown): boolean {
  return [1290, 1792, 1836].includes(numberOf(error))
}

/** Whether the user lacks a privilege on a table or column. */
export function isDenied(error: unknown): boolean {
  return [1142, 1143, 1227].includes(numberOf(error))
}

/**
 * The error to throw for a failure (REV-11, ST-07). Messages of the server name tables and columns, not parameters. Its
 * message about rejected credentials is left out, because it names the user.
 */
export function toStoreError(cause: unknown): Error {
  if (isSessionError(cause)) return cause
  if (isDenied(cause)) return missingPrivileges(null)
  switch (numberOf(cause)) {
    case 1146:
      return missingTables('missing', cause)
    case 1054:
      return missingTables('outdated', cause)
    case 1044: case 1045: case 1698:
      return new GeneralError('STORE_UNAVAILABLE', `the MySQL server refused the credentials (${numberOf(cause)})`, {
        reason: 'credentials-refused',
      })
    case 1040: case 1203:
      return new GeneralError('STORE_UNAVAILABLE', 'the MySQL server has too many connections: lower the pool size of '
        + 'the processes, or raise max_connections', { cause })
    case 1021: case 1114:
      return new GeneralError('STORE_UNAVAILABLE', 'the MySQL server\'s disk is full: nothing was written', { cause })
  }
  if (isExhaustedPool(cause)) {
    return new GeneralError('STORE_UNAVAILABLE', 'the application itself uses all connections of the pool, which lets '
      + 'no call wait: raise connectionLimit, or leave out waitForConnections and queueLimit', { cause })
  }
  return new GeneralError('STORE_UNAVAILABLE', 'the call to the MySQL database failed', {
    cause, reason: failureReasonOf(cause),
  })
}
