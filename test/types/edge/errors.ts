// Errors: `isSessionError` narrows what was caught, `switch (error.code)` narrows to one class.
import * as index from 'keyturn'
import {
  CrossSiteRequestError, GeneralError, InvalidClaimsError, InvalidDataError, isSessionError, SessionError,
  SessionNotFoundError, TokenTheftDetectedError, TryRefreshTokenError, UnauthorizedError,
} from 'keyturn/errors'
import type * as stores from 'keyturn/stores'
import type { AnySessionError, ClaimValidationError, ErrorCode, FailureReason, GeneralErrorCode } from 'keyturn/errors'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

export function statusOf(error: unknown): number {
  // @ts-expect-error: anything may have been thrown
  error.code
  if (!isSessionError(error)) return 500
  typeOf(error).is<AnySessionError>()
  switch (error.code) {
    case 'UNAUTHORIZED':
      typeOf(error).is<UnauthorizedError>()
      // @ts-expect-error: it is nobody's session
      error.userId
      return 401
    case 'TRY_REFRESH_TOKEN':
      typeOf(error).is<TryRefreshTokenError>()
      return 401
    case 'TOKEN_THEFT_DETECTED':
      typeOf(error).is<TokenTheftDetectedError>()
      typeOf(error.userId).is<string>()
      typeOf(error.handle).is<string>()
      return 401
    case 'INVALID_CLAIMS':
      typeOf(error).is<InvalidClaimsError>()
      typeOf(error.claimValidationErrors).is<readonly ClaimValidationError[]>()
      typeOf(error.claimValidationErrors[0]?.reason).is<unknown>()
      return 403
    case 'CROSS_SITE_REQUEST':
      typeOf(error).is<CrossSiteRequestError>()
      return 403
    case 'SESSION_NOT_FOUND':
      typeOf(error).is<SessionNotFoundError>()
      return 404
    case 'INVALID_DATA':
      typeOf(error).is<InvalidDataError>()
      return 400
    case 'STORE_UNAVAILABLE':
    case 'REFRESH_BUSY':
      typeOf(error).is<GeneralError>()
      typeOf(error.retryAfter).is<number>()
      return 503
    case 'MISUSE':
      return 500
    // @ts-expect-error: no such code
    case 'UNAUTHORISED':
      return 500
    default:
      typeOf(error).is<never>()
      return 500
  }
}

export type Codes = Expect<Equal<
  ErrorCode,
  | 'UNAUTHORIZED' | 'TRY_REFRESH_TOKEN' | 'TOKEN_THEFT_DETECTED' | 'INVALID_CLAIMS' | 'CROSS_SITE_REQUEST'
  | 'SESSION_NOT_FOUND' | 'INVALID_DATA' | 'STORE_UNAVAILABLE' | 'REFRESH_BUSY' | 'MISUSE'
>>
export type GeneralCodes = Expect<Equal<GeneralErrorCode, 'STORE_UNAVAILABLE' | 'REFRESH_BUSY' | 'MISUSE'>>
export type ReasonsOfEachEntry = [
  Expect<Equal<index.FailureReason, FailureReason>>, Expect<Equal<stores.FailureReason, FailureReason>>,
]
export type EveryClassHasACode = Expect<Equal<AnySessionError['code'], ErrorCode>>
export type CodeOfOne = Expect<Equal<UnauthorizedError['code'], 'UNAUTHORIZED'>>
export type CodeOfAll = Expect<Equal<SessionError['code'], ErrorCode>>
export type Statuses = Expect<Equal<Pick<SessionError, 'status' | 'statusCode'>, {
  readonly status: number
  readonly statusCode: number
}>>
export type Claim = Expect<Equal<ClaimValidationError, { readonly id: string; readonly reason?: unknown }>>
type OfMessage = [message: string, options?: ErrorOptions | undefined]
export type Parameters = [
  Expect<Equal<ConstructorParameters<typeof UnauthorizedError>, OfMessage>>,
  Expect<Equal<ConstructorParameters<typeof TryRefreshTokenError>, OfMessage>>,
  Expect<Equal<ConstructorParameters<typeof CrossSiteRequestError>, OfMessage>>,
  Expect<Equal<ConstructorParameters<typeof InvalidDataError>, OfMessage>>,
  Expect<Equal<ConstructorParameters<typeof TokenTheftDetectedError>, [userId: string, handle: string]>>,
  Expect<Equal<
    ConstructorParameters<typeof InvalidClaimsError>, [claimValidationErrors: readonly ClaimValidationError[]]
  >>,
  Expect<Equal<ConstructorParameters<typeof GeneralError>, [
    code: GeneralErrorCode, message: string,
    options?: { cause?: unknown; retryAfter?: number; reason?: FailureReason } | undefined,
  ]>>,
  Expect<Equal<GeneralError['reason'], FailureReason | null>>,
]
export type Reasons = Expect<Equal<
  FailureReason,
  | 'store-unreachable' | 'store-failed' | 'credentials-refused' | 'driver-missing'
  | 'tables-missing' | 'tables-outdated' | 'tables-newer' | 'privileges-missing'
  | 'keys-undecryptable' | 'keys-unencrypted' | 'keys-unreachable' | 'feed-unreachable' | 'misconfigured'
>>
typeOf(isSessionError).is<(error: unknown) => error is AnySessionError>()

export function made(): void {
  typeOf(new GeneralError('MISUSE', 'why', { cause: null, retryAfter: 2 }).code).is<GeneralErrorCode>()
  typeOf(new SessionNotFoundError() instanceof SessionError).is<boolean>()
  // @ts-expect-error: each error has a class of its own
  new SessionError('why')
  // @ts-expect-error: not a general error
  new GeneralError('UNAUTHORIZED', 'why')
  // @ts-expect-error: whose session, and which
  new TokenTheftDetectedError()
  // @ts-expect-error: a code is never set
  new CrossSiteRequestError('why').code = 'CROSS_SITE_REQUEST'
}

/** They are the same in `keyturn`. */
export function same(): void {
  typeOf(index.isSessionError).is<typeof isSessionError>()
  typeOf(index.SessionError).is<typeof SessionError>()
  typeOf(index.UnauthorizedError).is<typeof UnauthorizedError>()
  typeOf(index.TryRefreshTokenError).is<typeof TryRefreshTokenError>()
  typeOf(index.TokenTheftDetectedError).is<typeof TokenTheftDetectedError>()
  typeOf(index.InvalidClaimsError).is<typeof InvalidClaimsError>()
  typeOf(index.CrossSiteRequestError).is<typeof CrossSiteRequestError>()
  typeOf(index.SessionNotFoundError).is<typeof SessionNotFoundError>()
  typeOf(index.InvalidDataError).is<typeof InvalidDataError>()
  typeOf(index.GeneralError).is<typeof GeneralError>()
}
export type Same = [
  Expect<Equal<index.AnySessionError, AnySessionError>>,
  Expect<Equal<index.ErrorCode, ErrorCode>>,
  Expect<Equal<index.ClaimValidationError, ClaimValidationError>>,
]
