import * as wire from '../base/wire.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import { addToList } from './header-list.ts'
import type { HttpPolicy } from './http-policy.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = [
  'content-type', wire.customHeader, wire.protocolVersion, wire.antiCsrf, wire.authorization, wire.authMode,
].join(', ')
const RESPONSE_HEADERS = [
  wire.frontToken, wire.accessToken, wire.refreshToken, wire.antiCsrf, 'retry-after',
].join(', ')
const PREFLIGHT_MAX_AGE = '600'

/**
 * The CORS headers of a response: for trusted origins, which are compared exactly. None for other origins. No header
 * values of the request are reflected, except a trusted origin (CSRF-11). Pure.
 */
export function corsHeaders(
  request: HttpRequest,
  policy: HttpPolicy,
): readonly (readonly [name: string, value: string])[] {
  const origin = request.header('origin')
  if (origin === null || !policy.trustedOrigins.has(origin)) return []
  const common = [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
  ] as const
  if (!isPreflight(request)) return [...common, ['access-control-expose-headers', RESPONSE_HEADERS]]
  return [
    ...common,
    ['access-control-allow-methods', METHODS],
    ['access-control-allow-headers', REQUEST_HEADERS],
    ['access-control-max-age', PREFLIGHT_MAX_AGE],
  ]
}

/**
 * Writes the CORS headers of a response. Returns the complete response if the request is a preflight, which needs no
 * session and changes nothing.
 */
export function applyCors(exchange: HttpExchange, policy: HttpPolicy): CompleteResponse | null {
  const preflight = answerPreflight(exchange, policy)
  if (preflight !== null) return preflight
  const { request, reply } = exchange
  addToList(reply, 'vary', ['Origin'])
  for (const [name, value] of corsHeaders(request, policy)) {
    if (name === 'access-control-expose-headers') addToList(reply, name, value.split(', '))
    else reply.set(name, value)
  }
  return null
}

/**
 * The complete response to a CORS preflight: what pages of trusted origins may send; no headers for others. Null if the
 * request is not a preflight.
 */
export function answerPreflight({ request, reply }: HttpExchange, policy: HttpPolicy): CompleteResponse | null {
  if (!isPreflight(request)) return null
  addToList(reply, 'vary', ['Origin'])
  return { status: 204, headers: corsHeaders(request, policy), body: '' }
}

/**
 * Whether a request is a CORS preflight (Fetch Standard, section 4.8). An `OPTIONS` request without its headers is not.
 */
function isPreflight(request: HttpRequest): boolean {
  return request.method === 'OPTIONS'
    && request.header('origin') !== null
    && request.header('access-control-request-method') !== null
}
