import type { Awaitable } from '../base/awaitable.ts'
import { CrossSiteRequestError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { SessionCore } from '../session/core.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/** Where a request came from: a page that may use the sessions, one that may not, or no browser that would say. */
export type OriginClass = 'trusted' | 'untrusted' | 'unknown'

/** Which of the settings matter to where a request may come from. */
export type OriginPolicy = Pick<HttpPolicy, 'origin' | 'trustedOrigins' | 'cookies'>

/**
 * Judges where a request came from by two headers that only browsers write (CSRF-01, CSRF-02). The stricter of the two
 * decides: `Origin`, where there is one, must be on the list, and `Sec-Fetch-Site` never makes up for one that is not.
 * Pure.
 */
export function classifyOrigin(request: HttpRequest, policy: OriginPolicy): OriginClass {
  const origin = request.header('origin')
  const site = request.header('sec-fetch-site')
  if (origin === null) {
    if (site === null) return 'unknown'
    return site === 'same-origin' || site === 'none' ? 'trusted' : 'untrusted'
  }
  // A page with `Referrer-Policy: no-referrer` posts its forms with `null`. Cookies without a domain are only sent to
  // the host that set them, so a page of the same origin is that host's own; with a domain it may be a sibling's.
  if (origin === 'null') {
    return site === 'same-origin' && policy.cookies.accessToken.attributes.domain === null ? 'trusted' : 'untrusted'
  }
  if (!policy.trustedOrigins.has(origin)) return 'untrusted'
  // Other origins on the list may be of another site. The own one is not: a redirect by another site lies between.
  return origin !== policy.origin || site === null || nearSites.has(site) ? 'trusted' : 'untrusted'
}

/** What `Sec-Fetch-Site` says of pages of the own site, and of what the user typed in. */
const nearSites: ReadonlySet<string> = new Set(['same-origin', 'same-site', 'none'])

/**
 * Refuses what is surely foreign: enough where the request proves nothing by a cookie, as at login.
 * @throws CrossSiteRequestError
 */
export function refuseUntrustedOrigin(request: HttpRequest, policy: HttpPolicy): void {
  if (classifyOrigin(request, policy) === 'untrusted') throw crossSiteRequest()
}

/**
 * Refuses what is not surely ours: a request without a word of its origin needs the custom header, which no
 * form can send (CSRF-01).
 * @throws CrossSiteRequestError
 */
export function requireTrustedOrigin(request: HttpRequest, policy: HttpPolicy): void {
  if (!isProven(request, policy)) throw crossSiteRequest()
}

/**
 * Whether a session may be refreshed in passing, as the request's page is rendered. A request of another site may not,
 * with one exception: that the user follows a link to here. Its page must show them logged in, and the next tokens go
 * to their browser alone. What opens a connection may not: no page is rendered for it.
 */
export async function mayRefreshBeforeRender(
  request: HttpRequest,
  policy: HttpPolicy,
  core: Pick<SessionCore<object, object>, 'isAntiCsrfToken'>,
  handle: SessionHandle,
): Promise<boolean> {
  if (isUpgrade(request)) return false
  if (!isSafeMethod(request.method)) {
    return isProven(request, policy) && await hasAntiCsrfProof(request, policy, core, handle)
  }
  return classifyOrigin(request, policy) !== 'untrusted' || isTopLevelNavigation(request)
}

/**
 * Whether a browser asks for a page to show in a tab of its own, as by a link, a redirect or the address bar. A page in
 * a frame is none, and neither is the answer to a form that posts. Pure.
 */
export function isTopLevelNavigation(request: HttpRequest): boolean {
  return request.method === 'GET' && request.header('origin') === null
    && request.header('sec-fetch-mode') === 'navigate' && request.header('sec-fetch-dest') === 'document'
}

/**
 * Whether a request surely came from a page that may use the sessions, or from a client that no other page can drive.
 * Pure.
 */
export function isProven(request: HttpRequest, policy: HttpPolicy): boolean {
  const verdict = classifyOrigin(request, policy)
  return verdict === 'trusted' || (verdict === 'unknown' && hasCustomHeader(request))
}

/**
 * Whether the session of a guarded request must be proven beyond its origin. A page can set no header of a handshake:
 * its origin is the whole proof. Pure.
 */
export function needsAntiCsrfProof(
  policy: HttpPolicy,
  request: HttpRequest,
  guarded: boolean,
  channel: TransferMode,
): boolean {
  return guarded && channel === 'cookie' && policy.antiCsrf !== 'origin' && !isUpgrade(request)
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

/**
 * Whether the cookies of a request may be looked at where nothing is checked but who it is: not if another site opens a
 * connection with them.
 */
export function mayRead(request: HttpRequest, policy: HttpPolicy): boolean {
  return !isUpgrade(request) || isProven(request, policy)
}

function hasCustomHeader(request: HttpRequest): boolean {
  return (request.header(wire.customHeader) ?? '').trim() !== ''
}

/** The error for a request of another site. */
export function crossSiteRequest(): CrossSiteRequestError {
  return new CrossSiteRequestError('the request came from an origin that is not trusted')
}
