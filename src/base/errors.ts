/** The stable codes of Keyturn's errors. Compare these, not messages. */
export type ErrorCode =
  | 'UNAUTHORIZED'
  | 'TRY_REFRESH_TOKEN'
  | 'TOKEN_THEFT_DETECTED'
  | 'INVALID_CLAIMS'
  | 'CROSS_SITE_REQUEST'
  | 'SESSION_NOT_FOUND'
  | 'INVALID_DATA'
  | GeneralErrorCode

/** The base of every error that Keyturn throws. Its message never holds a token, a cookie or a key. */
export abstract class SessionError extends Error {
  /** Stable across versions and realms. */
  abstract readonly code: ErrorCode
  /** The HTTP status of the response. Frameworks use it if no error handler of Keyturn is mounted (L-06). */
  readonly status: number
  /** The same as `status`, under the name that other frameworks read. */
  readonly statusCode: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.statusCode = status
    // A rejected request is not a fault of the code. Without a stack, frameworks log the message only (L-06).
    if (status > 400 && status < 500) this.stack = ''
  }
}

/** There is no session, or it has expired or was revoked. The user must log in again. HTTP 401. */
export class UnauthorizedError extends SessionError {
  /** The name of the class. */
  override readonly name = 'UnauthorizedError'
  readonly code = 'UNAUTHORIZED'

  constructor(message: string, options?: ErrorOptions) {
    super(401, message, options)
  }
}

/**
 * The access token has expired or is invalid, but the session may still be active. The client must refresh the session,
 * then repeat the request. HTTP 401.
 */
export class TryRefreshTokenError extends SessionError {
  /** The name of the class. */
  override readonly name = 'TryRefreshTokenError'
  readonly code = 'TRY_REFRESH_TOKEN'

  constructor(message: string, options?: ErrorOptions) {
    super(401, message, options)
  }
}

/** A refresh token was used by two parties. The session has been revoked for both. HTTP 401. */
export class TokenTheftDetectedError extends SessionError {
  /** The name of the class. */
  override readonly name = 'TokenTheftDetectedError'
  readonly code = 'TOKEN_THEFT_DETECTED'
  /** The user of the session. */
  readonly userId: string
  /** The handle of the session that was revoked. */
  readonly handle: string

  constructor(userId: string, handle: string) {
    super(401, 'a refresh token was used by two parties; the session has been revoked')
    this.userId = userId
    this.handle = handle
  }
}

/** A failed claim validation, in the form that front-end SDKs read. */
export interface ClaimValidationError {
  /** The `id` of the validator that failed. */
  readonly id: string
  /** The reason of the failure, as any JSON value. */
  readonly reason?: unknown
}

/** The session is active, but its JWT payload does not satisfy the route. HTTP 403. */
export class InvalidClaimsError extends SessionError {
  /** The name of the class. */
  override readonly name = 'InvalidClaimsError'
  readonly code = 'INVALID_CLAIMS'
  /** Every claim validation that failed. */
  readonly claimValidationErrors: readonly ClaimValidationError[]

  constructor(claimValidationErrors: readonly ClaimValidationError[]) {
    super(403, 'the session does not satisfy the claim validators of this route')
    this.claimValidationErrors = claimValidationErrors
  }
}

/** The request came from another site. No session and no cookie was changed. HTTP 403 (CSRF-01, CSRF-15). */
export class CrossSiteRequestError extends SessionError {
  /** The name of the class. */
  override readonly name = 'CrossSiteRequestError'
  readonly code = 'CROSS_SITE_REQUEST'

  constructor(message: string, options?: ErrorOptions) {
    super(403, message, options)
  }
}

/**
 * The session of a handle does not exist, has expired or was revoked. Nothing was changed. The user of the current
 * request need not log in again. HTTP 404.
 */
export class SessionNotFoundError extends SessionError {
  /** The name of the class. */
  override readonly name = 'SessionNotFoundError'
  readonly code = 'SESSION_NOT_FOUND'

  constructor() {
    super(404, 'the session does not exist, has expired or was revoked')
  }
}

/**
 * An argument is invalid: a user id, a JWT payload, session data or the position of a page. Nothing was stored. The
 * message names the argument and what it must be; it does not contain the value. HTTP 400.
 */
export class InvalidDataError extends SessionError {
  /** The name of the class. */
  override readonly name = 'InvalidDataError'
  readonly code = 'INVALID_DATA'

  constructor(message: string, options?: ErrorOptions) {
    super(400, message, options)
  }
}

/** The cause of a {@link GeneralError}. */
export type GeneralErrorCode = 'STORE_UNAVAILABLE' | 'REFRESH_BUSY' | 'MISUSE'

/**
 * What a {@link GeneralError} and `health()` found, so that a program can tell causes apart. Compare it instead of
 * messages.
 *
 * - `store-unreachable`: the store cannot be reached, or does not answer in time.
 * - `store-failed`: the store answers and refuses, for example because its disk is full.
 * - `credentials-refused`: the store refuses the user or the password.
 * - `driver-missing`: the store's driver is not installed, or too old.
 * - `tables-missing`: the store's tables are not there. `tables-outdated`: they lack migrations. `tables-newer`: a
 *   newer version of Keyturn has migrated them.
 * - `privileges-missing`: the database user, or the process, lacks a right on the store.
 * - `keys-undecryptable`: keys in the store are encrypted, and no configured secret decrypts them. `keys-unencrypted`:
 *   a secret is configured, and keys in the store are not encrypted.
 * - `keys-unreachable`, `feed-unreachable`: a verifier cannot read the key set or the feed of its server.
 * - `misconfigured`: another option or argument is invalid.
 */
export type FailureReason =
  | 'store-unreachable' | 'store-failed' | 'credentials-refused' | 'driver-missing'
  | 'tables-missing' | 'tables-outdated' | 'tables-newer' | 'privileges-missing'
  | 'keys-undecryptable' | 'keys-unencrypted' | 'keys-unreachable' | 'feed-unreachable' | 'misconfigured'

/**
 * Keyturn could not answer. It does not log the user out: no session is revoked and no cookie is cleared (REV-11).
 *
 * - `STORE_UNAVAILABLE` (HTTP 503): the store failed. The same call may succeed later.
 * - `REFRESH_BUSY` (HTTP 503): the client must wait `retryAfter` seconds, then send the same refresh token again.
 * - `MISUSE` (HTTP 500): an argument or an option is invalid. The message says what to change.
 */
export class GeneralError extends SessionError {
  /** The name of the class. */
  override readonly name = 'GeneralError'
  readonly code: GeneralErrorCode
  /** How many whole seconds to wait before the call is repeated; at least 1. */
  readonly retryAfter: number
  /** Why; null for `REFRESH_BUSY`. */
  readonly reason: FailureReason | null

  constructor(
    code: GeneralErrorCode,
    message: string,
    options?: { cause?: unknown; retryAfter?: number; reason?: FailureReason },
  ) {
    super(code === 'MISUSE' ? 500 : 503, message, options)
    this.code = code
    this.retryAfter = options?.retryAfter ?? 1
    this.reason = options?.reason ?? reasonOf(code, options?.cause)
  }
}

/** Why, if the error does not say so itself: as its cause does. Pure. */
function reasonOf(code: GeneralErrorCode, cause: unknown): FailureReason | null {
  if (code === 'REFRESH_BUSY') return null
  if (cause instanceof GeneralError) return cause.reason
  return code === 'MISUSE' ? 'misconfigured' : 'store-failed'
}

/** Every error class of Keyturn, so that `switch (error.code)` narrows. */
export type AnySessionError =
  | UnauthorizedError
  | TryRefreshTokenError
  | TokenTheftDetectedError
  | InvalidClaimsError
  | CrossSiteRequestError
  | SessionNotFoundError
  | InvalidDataError
  | GeneralError

const codes: ReadonlySet<unknown> = new Set<ErrorCode>([
  'UNAUTHORIZED', 'TRY_REFRESH_TOKEN', 'TOKEN_THEFT_DETECTED', 'INVALID_CLAIMS', 'CROSS_SITE_REQUEST',
  'SESSION_NOT_FOUND', 'INVALID_DATA', 'STORE_UNAVAILABLE', 'REFRESH_BUSY', 'MISUSE',
])

/**
 * Whether a caught value is an error of Keyturn. Unlike `instanceof`, it also recognizes errors of another realm or of
 * another copy of the package.
 */
export function isSessionError(error: unknown): error is AnySessionError {
  return error instanceof Error && 'code' in error && codes.has(error.code)
}
