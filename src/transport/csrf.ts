import type { Awaitable } from '../base/awaitable.ts'
import { CrossSiteRequestError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { SessionCore } from '../session/core.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'

/** The origin of a request: a trusted page, an untrusted page, or unknown, because the client sends no such headers. */
export type OriginClass = 'trusted' | 'untrusted' | 'unknown'

/** The settings that are needed to classify an origin. */
export type OriginPolicy = Pick<HttpPolicy, 'origin' | 'isTrustedOrigin' | 'cookies'>

/**
 * Classifies the origin of a request by two headers that pages cannot set (CSRF-01, CSRF-02). The stricter of the two
 * decides: an `Origin` must be a trusted origin, whatever `Sec-Fetch-Site` says. Pure.
 */
export function classifyOrigin(request: HttpRequest, policy: OriginPolicy): OriginClass {
  const origin = request.header('origin')
  const site = request.header('sec-fetch-site')
  if (origin === null) {
    if (site === null) return 'unknown'
    return site === 'same-origin' || site === 'none' ? 'trusted' : 'untrusted'
  }
  // Forms of a page with `Referrer-Policy: no-referrer` are sent with the origin `null`. Cookies without a domain are
  // sent to one host only, so a page of the same origin is of that host. With a domain, the page may be of a sibling
  // host.
  if (origin === 'null') {
    return site === 'same-origin' && policy.cookies.accessToken.attributes.domain === null ? 'trusted' : 'untrusted'
  }
  if (!policy.isTrustedOrigin(origin)) return 'untrusted'
  // Other trusted origins may be of another site. The own origin is not: another site has redirected this request.
  return origin !== policy.origin || site === null || nearSites.has(site) ? 'trusted' : 'untrusted'
}

/** The values of `Sec-Fetch-Site` for pages of the same site, and for requests that the user started. */
const nearSites: ReadonlySet<string> = new Set(['same-origin', 'same-site', 'none'])

/**
 * Rejects a request with an untrusted origin. An unknown origin passes: enough for requests without a session.
 * @throws CrossSiteRequestError
 */
export function refuseUntrustedOrigin(request: HttpRequest, policy: HttpPolicy): void {
  if (classifyOrigin(request, policy) === 'untrusted') throw crossSiteRequest(request, policy)
}

/**
 * Whether a login may set cookies in the response to this request. Another site must not log a user in (CSRF-10). One
 * way from another site is legitimate: the user comes back from an identity provider, or follows a link in a mail. The
 * application must then compare a secret of this browser, such as the `state` of OAuth. Pure.
 *
 * A navigation of the tab by GET always passes. `allowCrossSitePost` also lets a form pass that another site sends, as
 * SAML and `response_mode=form_post` do. Its `Origin` says nothing: `null` if that page has
 * `Referrer-Policy: no-referrer`. A browser without Fetch metadata (Safari before 16.4, and any over http) does not
 * tell a form from a script; then the secret decides alone, as it does for its requests by GET.
 */
export function mayLogIn(request: HttpRequest, policy: OriginPolicy, allowCrossSitePost: boolean): boolean {
  if (classifyOrigin(request, policy) !== 'untrusted') return true
  const site = request.header('sec-fetch-site')
  if (request.method === 'POST' && allowCrossSitePost && site === null) {
    return request.header('sec-fetch-mode') === null && request.header('sec-fetch-dest') === null
  }
  const isElsewhere = site === 'cross-site' || site === 'same-site'
  const isAllowed = request.method === 'POST' ? allowCrossSitePost && opensInTab(request)
    : isTopLevelNavigation(request)
  // A page that the browser fetches ahead of a click was not opened by the user.
  return isElsewhere && isAllowed && request.header('sec-purpose') === null
}

/**
 * Rejects a login that another site causes, as {@link mayLogIn} decides.
 * @throws CrossSiteRequestError
 */
export function refuseCrossSiteLogin(request: HttpRequest, policy: HttpPolicy, allowCrossSitePost: boolean): void {
  if (mayLogIn(request, policy, allowCrossSitePost)) return
  reportOrigin(request, policy)
  throw new CrossSiteRequestError(request.method === 'POST'
    ? 'a page of another site sent this login; the option allowCrossSitePost of createNewSession allows the callback '
      + 'of an identity provider, the option trustedOrigins a front end of yours'
    : 'another site caused this login, and not by a navigation of the tab; the option trustedOrigins adds front ends')
}

/**
 * Rejects a request without a trusted origin. A request with an unknown origin must have the custom header, which HTML
 * forms cannot send (CSRF-01).
 * @throws CrossSiteRequestError
 */
export function requireTrustedOrigin(request: HttpRequest, policy: HttpPolicy): void {
  if (!isProven(request, policy)) throw crossSiteRequest(request, policy)
}

/**
 * Whether the session may be refreshed before the page of this request is rendered. Not for a request of another site,
 * with one exception: the user follows a link. The page must then show the user as logged in, and only the user's
 * browser gets the new tokens. Not for a request that opens a connection, because no page is rendered for it.
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
 * Whether a browser requests a page for a tab, because of a link, a redirect or the address bar. A request for a page
 * in a frame is not a top-level navigation, and neither is a form that is sent with POST. Pure.
 */
export function isTopLevelNavigation(request: HttpRequest): boolean {
  return request.method === 'GET' && request.header('origin') === null && opensInTab(request)
}

/** Whether the browser will show the response in a tab, not in a frame and not to a script. */
function opensInTab(request: HttpRequest): boolean {
  return request.header('sec-fetch-mode') === 'navigate' && request.header('sec-fetch-dest') === 'document'
}

/**
 * Whether a request is known to come from a trusted page, or from a client that no page controls. Pure.
 */
export function isProven(request: HttpRequest, policy: HttpPolicy): boolean {
  const verdict = classifyOrigin(request, policy)
  return verdict === 'trusted' || (verdict === 'unknown' && hasCustomHeader(request))
}

/**
 * Whether a guarded request needs an anti-CSRF header besides a trusted origin. A WebSocket handshake does not, because
 * pages cannot set its headers. Pure.
 */
export function needsAntiCsrfProof(
  policy: HttpPolicy,
  request: HttpRequest,
  guarded: boolean,
  channel: TransferMode,
): boolean {
  return guarded && channel === 'cookie' && policy.antiCsrf !== 'origin' && !isUpgrade(request)
}

/** Whether the request has the header that {@link HttpPolicy.antiCsrf} requires (CSRF-05 to CSRF-07). */
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
 * Whether the method is safe: its requests must not change anything (RFC 9110 section 9.2.1), so there is no CSRF check
 * by default.
 */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE'
}

/**
 * Whether a request opens a connection: the `GET` of a WebSocket handshake (RFC 6455 section 4.1), or the `CONNECT` of
 * one over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220). A page of any site can open a WebSocket with this site's cookies and
 * without CORS, so its origin is checked as for unsafe methods.
 */
export function isUpgrade(request: HttpRequest): boolean {
  if (request.method !== 'GET') return request.method === 'CONNECT'
  const protocols = request.header('upgrade')
  return protocols !== null && protocols.toLowerCase().includes('websocket')
}

/**
 * Whether the cookies of a request may be read where the origin is not checked otherwise. Not if an untrusted page
 * opens a connection.
 */
export function mayRead(request: HttpRequest, policy: HttpPolicy): boolean {
  return !isUpgrade(request) || isProven(request, policy)
}

function hasCustomHeader(request: HttpRequest): boolean {
  return (request.header(wire.customHeader) ?? '').trim() !== ''
}

/** The error for a request of another site, which is reported. */
export function crossSiteRequest(request: HttpRequest, policy: HttpPolicy): CrossSiteRequestError {
  reportOrigin(request, policy)
  return new CrossSiteRequestError(
    'the origin of the request is not trusted; the option trustedOrigins adds front ends',
  )
}

/** Reports the origin of a refused request: the application may not know its own front end. */
function reportOrigin(request: HttpRequest, { origin, report }: HttpPolicy): void {
  report({ code: 'UNTRUSTED_ORIGIN', origin: request.header('origin'), configured: origin })
}
