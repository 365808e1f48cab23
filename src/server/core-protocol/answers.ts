import { json, text } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import type { DatedToken, IssuedPair, SessionFacts } from '../sessions.ts'
import { fail } from './fields.ts'
import type { Protocol } from './protocol.ts'

/** The session does not exist, or a token is none of ours. `message` is for people. */
export function unauthorised(message = 'Session does not exist.'): Reply {
  return json({ status: 'UNAUTHORISED', message })
}

/** The same refresh token is to be presented again in so many seconds. No other status: SDKs read a 200 as theft. */
export function busy(retryAfter: number): Reply {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'retry-after': `${retryAfter}` }
  return text(503, `The refresh token cannot be answered yet: try again in ${retryAfter} s`, headers)
}

/** The access token can not be used any more, the session may. */
export function tryRefreshToken(message: string): Reply {
  return json({ status: 'TRY_REFRESH_TOKEN', message })
}

/** Refuses a payload that has a name of the protocol's own. */
export function refuseProtectedClaim(): never {
  fail('The user payload contains protected field')
}

/** The `session` of an answer. */
export function describeSession({ handle, userId, tenantId, payload }: SessionFacts, protocol: Protocol): object {
  return {
    handle,
    userId,
    ...protocol.hasRecipeUsers ? { recipeUserId: userId } : {},
    userDataInJWT: payload,
    ...protocol.hasTenants ? { tenantId } : {},
  }
}

/** The answer to whoever gets a pair of tokens. */
export function pairReply(pair: IssuedPair, protocol: Protocol): Reply {
  return json({
    status: 'OK',
    session: describeSession(pair.session, protocol),
    accessToken: describeToken(pair.accessToken),
    refreshToken: describeToken(pair.refreshToken),
    ...pair.antiCsrfToken === null ? {} : { antiCsrfToken: pair.antiCsrfToken },
  })
}

/** A token info. Times in milliseconds. */
export function describeToken({ token, createdAt, expiresAt }: DatedToken): object {
  return { token, expiry: expiresAt, createdTime: createdAt }
}
