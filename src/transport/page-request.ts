import { isSessionError } from '../base/errors.ts'
import { NEVER_STORED } from './caching.ts'
import { isUpgrade } from './csrf.ts'
import type { CompleteResponse, HttpRequest } from './exchange.ts'
import type { HttpPolicy } from './http-policy.ts'
import { loginAddress } from './return-address.ts'

/** The values of `Sec-Fetch-Dest` for pages, in a tab or in a frame. */
const pageDestinations: ReadonlySet<string> = new Set(['document', 'iframe', 'frame'])

/**
 * Whether a browser will show the response as a page: it follows a link or sends a form. A script, which can handle an
 * error, never says `Sec-Fetch-Mode: navigate`; a client without these headers must ask for HTML. Pure.
 */
export function wantsPage(request: HttpRequest): boolean {
  const { method } = request
  if ((method !== 'GET' && method !== 'HEAD' && method !== 'POST') || isUpgrade(request)) return false
  const destination = request.header('sec-fetch-dest')
  return (request.header('sec-fetch-mode') ?? 'navigate') === 'navigate'
    && (destination === null || pageDestinations.has(destination))
    && /(?:^|,)\s*(?:text\/html|application\/xhtml\+xml)\s*(?:[;,]|$)/i.test(request.header('accept') ?? '')
}

/** Whether the request is that of an `EventSource`, which shows its page no header of the response. Pure. */
export function isEventStream(request: HttpRequest): boolean {
  return request.header('accept') === 'text/event-stream'
}

/**
 * The response that sends a browser to the login page, if it requests a page and `error` says that there is no session.
 * A request for the login page itself is not redirected, because the browser would be redirected for ever.
 * @throws the error otherwise
 */
export function redirectToLogin(
  request: HttpRequest,
  policy: HttpPolicy,
  loginPath: string,
  error: unknown,
): CompleteResponse {
  const path = policy.gatewayPath + request.path
  if (!isAnonymous(error) || !wantsPage(request) || path === loginPath.split(/[?#]/, 1)[0]) throw error
  const target = request.method === 'POST' ? refererOf(request, policy) : path + request.query
  return {
    status: 303,
    headers: [['location', loginAddress(loginPath, target)], ['cache-control', NEVER_STORED]],
    body: '',
  }
}

/**
 * The address of the login page for a form or a call whose page is known by `Referer` alone, such as a server action.
 * @throws the error if it does not say that there is no session
 */
export function loginAddressFor(
  request: HttpRequest,
  policy: HttpPolicy,
  loginPath: string,
  error: unknown,
): string {
  if (!isAnonymous(error)) throw error
  return loginAddress(loginPath, refererOf(request, policy))
}

function isAnonymous(error: unknown): boolean {
  return isSessionError(error)
    && (error.code === 'UNAUTHORIZED' || error.code === 'TRY_REFRESH_TOKEN' || error.code === 'TOKEN_THEFT_DETECTED')
}

/** The page of this origin that sent a form, which is where its user returns to; a form cannot be sent again by GET. */
function refererOf(request: HttpRequest, { origin }: HttpPolicy): string | null {
  const text = request.header('referer') ?? ''
  const referer = URL.canParse(text) ? new URL(text) : null
  return referer?.origin === origin ? referer.pathname + referer.search : null
}
