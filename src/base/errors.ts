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
  /** The HTTP status that fits: frameworks answer with it where no error handler of Keyturn is mounted (L-06). */
  readonly status: number
  /** The same, under the name that other frameworks read. */
  readonly statusCode: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.statusCode = status
    // That a request is refused is no fault in a place of the code: frameworks then log the message alone (L-06).
    if (status > 400 && status < 500) this.stack = ''
  }
}

/** There is no session, or it has ended: the user must log in again. HTTP 401. */
export class UnauthorizedError extends SessionError {
  override readonly name = 'UnauthorizedError'
  readonly code = 'UNAUTHORIZED'

  constructor(message: string, options?: ErrorOptions) {
    super(401, message, options)
  }
}

/** The access token can not be used any more, the session may: refresh, then repeat the request. HTTP 401. */
export class TryRefreshTokenError extends SessionError {
  override readonly name = 'TryRefreshTokenError'
  readonly code = 'TRY_REFRESH_TOKEN'

  constructor(message: string, options?: ErrorOptions) {
    super(401, message, options)
  }
}

/** A refresh token was used by two parties. The session has been revoked for both. HTTP 401. */
export class TokenTheftDetectedError extends SessionError {
  override readonly name = 'TokenTheftDetectedError'
  readonly code = 'TOKEN_THEFT_DETECTED'
  /** Whose session it was. */
  readonly userId: string
  /** The handle of the session that was revoked. */
  readonly handle: string

  constructor(userId: string, handle: string) {
    super(401, 'a refresh token was used by two parties; the session has been revoked')
    this.userId = userId
    this.handle = handle
  }
}

/** One claim that did not hold, in the form that front-end SDKs read. */
export interface ClaimValidationError {
  /** Which validator refused. */
  readonly id: string
  /** Why, as any JSON. */
  readonly reason?: unknown
}

/** The session is active, but its payload does not satisfy what the route demands. HTTP 403. */
export class InvalidClaimsError extends SessionError {
  override readonly name = 'InvalidClaimsError'
  readonly code = 'INVALID_CLAIMS'
  /** Every claim that did not hold. */
  readonly claimValidationErrors: readonly ClaimValidationError[]

  constructor(claimValidationErrors: readonly ClaimValidationError[]) {
    super(403, 'the session does not satisfy the claims that this route demands')
    this.claimValidationErrors = claimValidationErrors
  }
}

/** The request came from another site. Nothing was changed, no cookie was touched. HTTP 403 (CSRF-01, CSRF-15). */
export class CrossSiteRequestError extends SessionError {
  override readonly name = 'CrossSiteRequestError'
  readonly code = 'CROSS_SITE_REQUEST'

  constructor(message: string, options?: ErrorOptions) {
    super(403, message, options)
  }
}

/**
 * A call by handle names a session that does not exist or has ended. Nothing was changed, and nobody is to log in
 * again because of it. HTTP 404.
 */
export class SessionNotFoundError extends SessionError {
  override readonly name = 'SessionNotFoundError'
  readonly code = 'SESSION_NOT_FOUND'

  constructor() {
    super(404, 'the session does not exist or has ended')
  }
}

/**
 * What the caller passed cannot be kept: a user id, a JWT payload, session info, the position of a page. Nothing was
 * stored. The message names the member and what would do, and holds no value. HTTP 400.
 */
export class InvalidDataError extends SessionError {
  override readonly name = 'InvalidDataError'
  readonly code = 'INVALID_DATA'

  constructor(message: string, options?: ErrorOptions) {
    super(400, message, options)
  }
}

/** What went wrong behind a {@link GeneralError}. */
export type GeneralErrorCode = 'STORE_UNAVAILABLE' | 'REFRESH_BUSY' | 'MISUSE'

/**
 * Keyturn could not decide. Never a logout: nothing is revoked and no cookie is cleared (REV-11).
 *
 * - `STORE_UNAVAILABLE` (HTTP 503): the store failed. The same call may succeed later.
 * - `REFRESH_BUSY` (HTTP 503): a refresh must wait for `retryAfter` seconds. The same refresh token is good afterwards.
 * - `MISUSE` (HTTP 500): the call or the configuration cannot work; the message names what to change.
 */
export class GeneralError extends SessionError {
  override readonly name = 'GeneralError'
  readonly code: GeneralErrorCode
  /** After how many whole seconds the same call is worth trying again; at least 1. */
  readonly retryAfter: number

  constructor(code: GeneralErrorCode, message: string, options?: { cause?: unknown; retryAfter?: number }) {
    super(code === 'MISUSE' ? 500 : 503, message, options)
    this.code = code
    this.retryAfter = options?.retryAfter ?? 1
  }
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
 * Whether a caught value is an error of Keyturn; unlike `instanceof` it also holds across realms and copies of the
 * package.
 */
export function isSessionError(error: unknown): error is AnySessionError {
  return error instanceof Error && 'code' in error && codes.has(error.code)
}
