import * as wire from '../base/wire.ts'
import { NEVER_STORED } from '../transport/caching.ts'
import { addToList } from '../transport/header-list.ts'
import { withHeaders } from './web-exchange.ts'

/** What tells a client of its session besides cookies, and where the proxy puts it on the request that it passes on. */
const handedOver = [wire.frontToken, wire.antiCsrf].map(name => ({ name, passedAs: `x-keyturn-${name}` }))
const EXPOSED = 'access-control-expose-headers'

/**
 * Moves what the proxy has to tell the client from its response to the request that it passes on, where a handler may
 * have something newer to tell. Next sends a header of the proxy's instead of the handler's of the same name, so that a
 * refresh in passing would hide the sign-out after it. Cookies are sent from both, the handler's last.
 *
 * Pages and server actions can send no headers: for them the proxy tells it. A form that is sent without scripts has
 * nobody to tell.
 */
export function forwardHeaders(request: Request, sink: Headers, forwarded: Headers): void {
  for (const { passedAs } of handedOver) forwarded.delete(passedAs)
  if (isForPage(request)) return
  for (const { name, passedAs } of handedOver) {
    const value = sink.get(name)
    if (value !== null) forwarded.set(passedAs, value)
    sink.delete(name)
  }
  sink.delete(EXPOSED)
}

/**
 * Adds what the proxy handed over to the response of a handler that has nothing newer to tell of the session. On a path
 * that no proxy guards, a client can have put it there: it must reach nobody else, so no cache may keep it.
 */
export function addForwarded(request: Request, response: Response): Response {
  if (isForPage(request) || response.headers.has(wire.frontToken)) return response
  const sink = new Headers()
  for (const { name, passedAs } of handedOver) {
    const value = request.headers.get(passedAs)
    if (value !== null) sink.set(name, value)
  }
  const names = [...sink.keys()]
  if (names.length === 0) return response
  addToList(sink, EXPOSED, names)
  sink.set('cache-control', NEVER_STORED)
  return withHeaders(response, sink)
}

/** Whether a request is for what can send no headers of its own. */
function isForPage(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD' || request.headers.has('next-action')
}
