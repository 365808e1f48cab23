import { TryRefreshTokenError, UnauthorizedError } from '../base/errors.ts'
import { macsOf, verifyAccessTokenOf } from './credentials.ts'
import { crossSiteRequest, isProven } from './csrf.ts'
import type { HttpRequest } from './exchange.ts'
import { readingOf, REFRESH_REQUIRED } from './get-session.ts'
import type { HttpContext } from './http-context.ts'
import type { ReadonlySession } from './session.ts'

/**
 * Verifies the session of the request that opens a connection. A page of any site can open a WebSocket to any other
 * site, with that site's cookies and without CORS. So for cookies, the origin is checked with any method. Anti-CSRF
 * headers are not required, because pages cannot set headers here. 0 store calls, 1 with `strict`.
 * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
 */
export async function authenticateHandshake<Payload extends object, Info extends object>(
  { core, policy }: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<ReadonlySession<Payload>> {
  const proven = isProven(request, policy)
  const presented = await verifyAccessTokenOf(core, policy, request, {}, proven, macsOf(request, policy))
  if (presented.kind === 'cross-site') throw crossSiteRequest(request, policy)
  const reading = readingOf(presented)
  switch (reading.kind) {
    case 'active': return reading.session
    case 'needs-refresh': throw new TryRefreshTokenError(REFRESH_REQUIRED)
    case 'none': throw new UnauthorizedError('the handshake has no active session')
  }
}
