import { GeneralError, isSessionError } from '../../base/errors.ts'
import { failureReasonOf } from '../failure-reason.ts'
import { missingPrivileges, missingTables } from '../sql/missing-tables.ts'

/** The code that the driver or the server reported: an SQLSTATE, or a code of the operating system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether the server had no such prepared statement, or another one of that name: there is a pooler. */
export function lostPreparedStatement(error: unknown): boolean {
  return ['26000', '42P05'].includes(codeOf(error))
}

/** Whether the server rolled the statement back because of concurrent ones, so that it can be repeated. */
export function isRolledBackByRace(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error))
}

/** The codes for a broken connection: of the server, of the system, of postgres.js, and of Bun. */
const lost = new RegExp('^08|^57P0[12]$|^(ECONNRESET|EPIPE)$|^CONNECTION_(CLOSED|ENDED|DESTROYED)$'
  + '|^ERR_POSTGRES_(CONNECTION_CLOSED|IDLE_TIMEOUT|LIFETIME_TIMEOUT)$')

/** Whether the connection broke, so that it is unknown whether the statement was executed. */
export function lostConnection(error: unknown): boolean {
  if (lost.test(codeOf(error))) return true
  return error instanceof Error && /^Connection terminated|connection error and is not queryable/.test(error.message)
}

/** Whether the server refused a connection because it has too many: of all users, or of this user or database. */
export function refusedConnection(error: unknown): boolean {
  return codeOf(error) === '53300'
}

/** Whether the server refused one statement and the connection can still be used. */
export function refusedStatement(error: unknown): boolean {
  return /^(22|23|26|40|42)/.test(codeOf(error))
}

/**
 * The error to throw for a failure (REV-11, ST-07). Messages of PostgreSQL name tables and columns, not parameters. Its
 * message about rejected credentials is left out, because it names the user.
 */
export function toStoreError(cause: unknown): Error {
  if (isSessionError(cause)) return cause
  const code = codeOf(cause)
  switch (code) {
    case '42P01': case '3F000':
      return missingTables('missing', cause)
    case '42703':
      return missingTables('outdated', cause)
    case '42501':
      return missingPrivileges(null, cause)
    case '53100':
      return new GeneralError('STORE_UNAVAILABLE', 'the PostgreSQL server\'s disk is full: nothing was written', {
        cause,
      })
    case '53300':
      return new GeneralError('STORE_UNAVAILABLE', 'the PostgreSQL server has too many connections: lower the pool '
        + 'size of the processes, or raise max_connections', { cause })
    case '22021': case '22P05':
      return new GeneralError('MISUSE', 'PostgreSQL cannot store a text with the character U+0000', { cause })
  }
  if (code.startsWith('28')) {
    return new GeneralError('STORE_UNAVAILABLE', `the PostgreSQL server refused the credentials (${code})`, {
      reason: 'credentials-refused',
    })
  }
  return new GeneralError('STORE_UNAVAILABLE', 'the call to the PostgreSQL database failed', {
    cause, reason: failureReasonOf(cause),
  })
}
