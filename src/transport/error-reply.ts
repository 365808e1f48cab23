import { isSessionError } from '../base/errors.ts'
import * as wire from '../base/wire.ts'
import { NEVER_STORED } from './caching.ts'
import { bearerToken } from './credentials.ts'
import type { HttpRequest, CompleteResponse } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/**
 * The headers of all responses of Keyturn: JSON that other pages cannot embed and that is not cached (CSRF-14, HDR-01,
 * HDR-05).
 */
export const replyHeaders: readonly (readonly [name: string, value: string])[] = [
  ['content-type', 'application/json; charset=utf-8'],
  ['x-content-type-options', 'nosniff'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', NEVER_STORED],
]

/** A JSON response with {@link replyHeaders}. */
export function jsonReply(
  status: number,
  body: unknown,
  extra: readonly (readonly [name: string, value: string])[] = [],
): CompleteResponse {
  return { status, headers: [...replyHeaders, ...extra], body: JSON.stringify(body) }
}

/**
 * Converts any thrown value to a response: a status and a generic message that front ends know. It contains no details
 * of the error (HDR-04). Pure.
 */
export function errorReply(error: unknown, request: HttpRequest, policy: HttpPolicy): CompleteResponse {
  if (!isSessionError(error)) return jsonReply(500, { message: 'internal error' })
  switch (error.code) {
    case 'UNAUTHORIZED':
      return expired('unauthorised')
    case 'TRY_REFRESH_TOKEN':
      return expired('try refresh token')
    case 'TOKEN_THEFT_DETECTED':
      return expired('token theft detected')
    case 'INVALID_CLAIMS': {
      const { claimValidationErrors } = error
      return jsonReply(policy.invalidClaimStatusCode, { message: 'invalid claim', claimValidationErrors })
    }
    case 'CROSS_SITE_REQUEST':
      return jsonReply(403, { message: 'cross-site request refused' })
    case 'SESSION_NOT_FOUND':
      return jsonReply(404, { message: 'session not found' })
    case 'INVALID_DATA':
      return jsonReply(400, { message: 'invalid data' })
    case 'MISUSE':
      return jsonReply(500, { message: 'internal error' })
    case 'STORE_UNAVAILABLE':
    case 'REFRESH_BUSY':
      return jsonReply(503, { message: 'session service unavailable' }, [['retry-after', `${error.retryAfter}`]])
  }

  function expired(message: string): CompleteResponse {
    // No challenge in cookie mode: browsers do not support it (HDR-03).
    const challenge = isHeaderMode(request) ? [['www-authenticate', 'Bearer error="invalid_token"'] as const] : []
    return jsonReply(policy.sessionExpiredStatusCode, { message }, challenge)
  }
}

function isHeaderMode(request: HttpRequest): boolean {
  return bearerToken(request) !== null || request.header(wire.authMode)?.toLowerCase() === 'header'
}
