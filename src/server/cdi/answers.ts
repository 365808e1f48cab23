import type { JsonObject } from '../../base/json.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { IssuedAccessToken, IssuedSession } from '../../session/core.ts'
import { replyJson, replyText } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import type { Protocol } from './protocol.ts'
import type { CdiClaims } from './token-format.ts'

/** The session does not exist, or the token is unrecognized. `message` is for people. */
export function unauthorised(message = 'Session does not exist.'): Reply {
  return replyJson({ status: 'UNAUTHORISED', message })
}

/** The call is not for one tenant, but the path names one. */
export const publicTenantOnly: Reply = replyText(403, 'Only public tenantId can call this app specific API')

/**
 * The client must send the same refresh token again after `retryAfter` seconds. The status must not be 200: SDKs would
 * read that as a theft.
 */
export function busy(retryAfter: number): Reply {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'retry-after': `${retryAfter}` }
  const message = `The session cannot be refreshed yet: send the same refresh token again in ${retryAfter} s`
  return replyText(503, message, headers)
}

/** The access token is invalid or expired. The session may still be active: the client should refresh it. */
export function tryRefreshToken(): Reply {
  return replyJson({ status: 'TRY_REFRESH_TOKEN', message: 'The access token is invalid or has expired.' })
}

/** The member `session` of a response. */
export function sessionAnswer({ sid, sub, tid }: CdiClaims, payload: JsonObject, protocol: Protocol): object {
  return {
    handle: sid,
    userId: sub,
    ...protocol.hasRecipeUsers ? { recipeUserId: sub } : {},
    userDataInJWT: payload,
    ...protocol.hasTenants ? { tenantId: tid } : {},
  }
}

/** The response with a new access token and refresh token. */
export function pairReply(
  issued: IssuedSession<JsonObject, CdiClaims>,
  protocol: Protocol,
  now: EpochMilliseconds,
): Reply {
  const { claims, payload, refreshToken, sessionExpiresAt } = issued
  return replyJson({
    status: 'OK',
    session: sessionAnswer(claims, payload, protocol),
    accessToken: describeToken(issued),
    refreshToken: { token: refreshToken, expiry: sessionExpiresAt, createdTime: now },
    ...claims.antiCsrfToken === null ? {} : { antiCsrfToken: claims.antiCsrfToken },
  })
}

/** The member `accessToken` of a response. Times are in milliseconds since 1970. */
export function describeToken({ accessToken, claims }: IssuedAccessToken<JsonObject, CdiClaims>): object {
  return { token: accessToken, expiry: claims.exp * 1000, createdTime: claims.iat * 1000 }
}
