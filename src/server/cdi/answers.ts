import type { JsonObject } from '../../base/json.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { IssuedAccessToken, IssuedSession } from '../../session/core.ts'
import { replyJson, replyText } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import type { Protocol } from './protocol.ts'
import type { CdiClaims } from './token-format.ts'

/** The session does not exist, or a token is none of ours. `message` is for people. */
export function unauthorised(message = 'Session does not exist.'): Reply {
  return replyJson({ status: 'UNAUTHORISED', message })
}

/** The same refresh token is to be presented again in so many seconds. No other status: SDKs read a 200 as theft. */
export function busy(retryAfter: number): Reply {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'retry-after': `${retryAfter}` }
  return replyText(503, `The refresh token cannot be answered yet: try again in ${retryAfter} s`, headers)
}

/** The access token can not be used any more, the session may. */
export function tryRefreshToken(): Reply {
  return replyJson({ status: 'TRY_REFRESH_TOKEN', message: 'The access token is invalid or has expired.' })
}

/** The `session` of an answer. */
export function sessionAnswer({ sid, sub, tid }: CdiClaims, payload: JsonObject, protocol: Protocol): object {
  return {
    handle: sid,
    userId: sub,
    ...protocol.hasRecipeUsers ? { recipeUserId: sub } : {},
    userDataInJWT: payload,
    ...protocol.hasTenants ? { tenantId: tid } : {},
  }
}

/** The answer to whoever gets a pair of tokens. */
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

/** The info of an access token. Times in milliseconds. */
export function describeToken({ accessToken, claims }: IssuedAccessToken<JsonObject, CdiClaims>): object {
  return { token: accessToken, expiry: claims.exp * 1000, createdTime: claims.iat * 1000 }
}
