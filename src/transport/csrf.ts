import type { Awaitable } from '../base/awaitable.ts'
import { CrossSiteRequestError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { SessionCore } from '../session/core.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/** Where a request came from: a page that may use the sessions, one that may not, or no browser that would say. */
export type OriginVerdict = 'trusted' | 'foreign' | 'unstated'

/**
 * Judges where a request came from by what only browsers write: `Sec-Fetch-Site`, then `Origin` (CSRF-01, CSRF-02).
 * Pure.
 */
export function judgeOrigin(request: HttpRequest, trustedOrigins: ReadonlySet<string>): OriginVerdict {
  const site = request.header('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return 'trusted'
  const origin = request.header('origin')
  if (origin !== null) return trustedOrigins.has(origin) ? 'trusted' : 'foreign'
  return site === null ? 'unstated' : 'foreign'
}

/**
 * Refuses what is surely foreign: enough where the request proves nothing by a cookie, as at login.
 * @throws CrossSiteRequestError
 */
export function refuseForeign(request: HttpRequest, policy: HttpPolicy): void {
  if (judgeOrigin(request, policy.trustedOrigins) === 'foreign') throw crossSite()
}

/**
 * Refuses what is not surely ours: a request without a word of its origin needs the custom header, which no
 * form can send (CSRF-01).
 * @throws CrossSiteRequestError
 */
export function refuseUnproven(request: HttpRequest, policy: HttpPolicy): void {
  if (!isProven(request, policy)) throw crossSite()
}

/**
 * Whether a session may be refreshed in passing, as the request's page is rendered. A navigation may always: it gives
 * the next tokens to the client and nothing to the site that linked here. Any other request must not be foreign. What
 * opens a connection may not: no page is rendered for it.
 */
export async function mayRenew(
  request: HttpRequest,
  policy: HttpPolicy,
  core: Pick<SessionCore<object, object>, 'isAntiCsrfToken'>,
  handle: SessionHandle,
): Promise<boolean> {
  if (isUpgrade(request)) return false
  if (!isSafeMethod(request.method)) {
    return isProven(request, policy) && await hasAntiCsrfProof(request, policy, core, handle)
  }
  return request.header('sec-fetch-mode') === 'navigate' || judgeOrigin(request, policy.trustedOrigins) !== 'foreign'
}

/**
 * Whether a request proves by what only browsers write that a page of a trusted origin sent it, or, without a word of
 * its origin, by the custom header that it is no form's.
 */
export function isProven(request: HttpRequest, policy: HttpPolicy): boolean {
  const verdict = judgeOrigin(request, policy.trustedOrigins)
  return verdict === 'trusted' || (verdict === 'unstated' && hasCustomHeader(request))
}

/** Whether the request shows what {@link HttpPolicy.antiCsrf} wants beyond its origin (CSRF-05 to CSRF-07). */
export function hasAntiCsrfProof(
  request: HttpRequest,
  policy: HttpPolicy,
  core: Pick<SessionCore<object, object>, 'isAntiCsrfToken'>,
  handle: SessionHandle,
): Awaitable<boolean> {
  switch (policy.antiCsrf) {
    case 'origin':
      return true
    case 'custom-header':
      return hasCustomHeader(request)
    case 'token': {
      const token = request.header(wire.antiCsrf)
      return token !== null && token !== '' && core.isAntiCsrfToken(handle, token)
    }
  }
}

/**
 * Whether requests of this method must not change anything (RFC 9110 section 9.2.1), so that nothing is checked by
 * default.
 */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE'
}

/**
 * Whether a request asks for a connection instead of an answer: the `GET` of a WebSocket handshake (RFC 6455 section
 * 4.1), or the `CONNECT` of one over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220). A page of any site may open a WebSocket
 * with our cookies and without CORS, so its origin must be proven, as on methods that change something.
 */
export function isUpgrade(request: HttpRequest): boolean {
  if (request.method !== 'GET') return request.method === 'CONNECT'
  const protocols = request.header('upgrade')
  return protocols !== null && protocols.toLowerCase().includes('websocket')
}

function hasCustomHeader(request: HttpRequest): boolean {
  return (request.header(wire.customHeader) ?? '').trim() !== ''
}

function crossSite(): CrossSiteRequestError {
  return new CrossSiteRequestError('the request came from an origin that is not trusted')
}
