import type { SessionHandle } from '../base/handle.ts'
import type { IdentifiedAccessToken, SessionCore } from '../session/core.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import { bearerToken, cookieTokens, isOfTransferMode } from './credentials.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/**
 * The sessions that a login replaces, by the tokens in the request (CMP-11). An expired access token is not enough,
 * because it may have leaked long ago; with a refresh token of the same session, it is. Pure.
 */
export function replacedSessions(
  accessTokens: readonly IdentifiedAccessToken[],
  refreshTokens: readonly SessionHandle[],
): readonly SessionHandle[] {
  const proven = accessTokens.filter(({ claims, usable }) => usable || refreshTokens.includes(claims.sid))
  return [...new Set(proven.map(({ claims }) => claims.sid))]
}

/** {@link replacedSessions} of a request, by tokens that Keyturn issued and that were sent in their transfer mode. */
export async function sessionsToReplace<Payload extends object, Info extends object>(
  core: Pick<SessionCore<Payload, Info>, 'identify' | 'ownerOfRefreshToken'>,
  policy: HttpPolicy,
  request: HttpRequest,
): Promise<readonly SessionHandle[]> {
  const bearer = bearerToken(request)
  const texts = [
    ...bearer === null ? [] : [{ channel: 'header', text: bearer } as const],
    ...cookieTokens(request, policy.cookies.accessToken).map(text => ({ channel: 'cookie', text }) as const),
  ]
  const accessTokens: IdentifiedAccessToken[] = []
  for (const { channel, text } of texts) {
    const identified = await core.identify(text)
    if (identified !== null && isOfTransferMode(channel, identified.claims.sid)) accessTokens.push(identified)
  }
  const refreshTokens: SessionHandle[] = []
  for (const text of cookieTokens(request, policy.cookies.refreshToken)) {
    const token = parseRefreshToken(text)
    if (token !== null && await core.ownerOfRefreshToken(text) === 'ours') refreshTokens.push(token.handle)
  }
  return replacedSessions(accessTokens, refreshTokens)
}
