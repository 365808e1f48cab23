import * as wire from '../base/wire.ts'
import { NEVER_STORED } from '../transport/caching.ts'
import { addToList } from '../transport/header-list.ts'
import { withHeaders } from './web-exchange.ts'

/** The response headers about a session besides cookies, and the request headers in which the proxy forwards them. */
const forwardedHeaders = [wire.frontToken, wire.antiCsrf, wire.sessionEnded].map(name => ({
  name,
  passedAs: `x-keyturn-${name}`,
}))
/** The request header by which the proxy says that it has refreshed the session. */
const REFRESHED = 'x-keyturn-refreshed'
const EXPOSED = 'access-control-expose-headers'

/**
 * Moves the session headers of the proxy from its response to the request that it forwards, because a handler may
 * replace them. If proxy and handler set the same header, Next sends the proxy's: a refresh in the proxy would hide a
 * sign-out in the handler. Next sends the cookies of both, the handler's last.
 *
 * Pages and server actions cannot send headers, so for them the proxy sends its own. If a form is submitted without
 * scripts, no script needs them.
 */
export function forwardHeaders(request: Request, sink: Headers, forwarded: Headers, isRefreshed: boolean): void {
  for (const { passedAs } of forwardedHeaders) forwarded.delete(passedAs)
  forwarded.delete(REFRESHED)
  if (isRefreshed) forwarded.set(REFRESHED, '1')
  if (isForPage(request)) return
  for (const { name, passedAs } of forwardedHeaders) {
    const value = sink.get(name)
    if (value !== null) forwarded.set(passedAs, value)
    sink.delete(name)
  }
  sink.delete(EXPOSED)
}

/**
 * Whether the proxy has refreshed the session of a request. On a path that the proxy does not match, the client may
 * have said so itself: its access token must be valid in any case.
 */
export function wasRefreshed(request: Request): boolean {
  return request.headers.has(REFRESHED)
}

/**
 * Adds the headers that the proxy forwarded to the response of a handler, unless the handler sent a front token of its
 * own. On a path that the proxy does not match, the client may have sent these headers itself. The response must reach
 * that client only, so no cache may store it.
 */
export function addForwarded(request: Request, response: Response): Response {
  if (isForPage(request) || response.headers.has(wire.frontToken)) return response
  const sink = new Headers()
  for (const { name, passedAs } of forwardedHeaders) {
    const value = request.headers.get(passedAs)
    if (value !== null) sink.set(name, value)
  }
  const names = [...sink.keys()]
  if (names.length === 0) return response
  addToList(sink, EXPOSED, names)
  sink.set('cache-control', NEVER_STORED)
  return withHeaders(response, sink)
}

/** Whether a request is for a page or a server action, which cannot send headers. */
function isForPage(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD' || request.headers.has('next-action')
}
