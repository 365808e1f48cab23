import { listOf, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import { addToList } from './header-list.ts'
import type { HttpPolicy } from './http-policy.ts'

/** The options of `cors()`: the headers of the application's own, besides those of Keyturn. */
export interface CorsOptions {
  /** Names of request headers that pages of trusted origins may send, such as `traceparent`. Default: none. */
  readonly allowedHeaders?: readonly string[]
  /** Names of response headers that pages of trusted origins may read, such as `x-total-count`. Default: none. */
  readonly exposedHeaders?: readonly string[]
}

const headerName = text('the name of a header; browsers do not accept "*" for requests with credentials',
  /^(?!\*$)[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
const headerNames = listOf('an array of names of headers', headerName)

/** The rules of the options of `cors()`. */
export const corsRules: RulesFor<CorsOptions> = { allowedHeaders: headerNames, exposedHeaders: headerNames }

/**
 * The names of Keyturn's headers, for a CORS package that an application uses instead of `cors()`: the request headers
 * that pages send, and the response headers that they read. The names of the members are those of most packages.
 * @example
 * app.use(cors({ origin: 'https://www.example.com', credentials: true, ...corsHeaders }))
 */
export const corsHeaders: { readonly allowedHeaders: string[]; readonly exposedHeaders: string[] } = {
  allowedHeaders: [
    'content-type', wire.customHeader, wire.protocolVersion, wire.antiCsrf, wire.authorization, wire.authMode,
  ],
  exposedHeaders: [wire.frontToken, wire.accessToken, wire.refreshToken, wire.antiCsrf, wire.sessionEnded,
    'retry-after'],
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const PREFLIGHT_MAX_AGE = '600'

/** Keyturn's names and those of the application, without repetitions. */
function namesOf(own: readonly string[], more: readonly string[] = []): readonly string[] {
  return [...new Set([...own, ...more.map(name => name.toLowerCase())])]
}

/**
 * The CORS headers of a response: for trusted origins, which are compared exactly. None for other origins. No header
 * values of the request are reflected, except a trusted origin (CSRF-11). Pure.
 */
export function corsHeadersOf(
  request: HttpRequest,
  policy: HttpPolicy,
  options: CorsOptions,
): readonly (readonly [name: string, value: string])[] {
  const origin = request.header('origin')
  if (origin === null || !policy.isTrustedOrigin(origin)) return []
  const common = [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
  ] as const
  if (!isPreflight(request)) {
    const exposed = namesOf(corsHeaders.exposedHeaders, options.exposedHeaders)
    return [...common, ['access-control-expose-headers', exposed.join(', ')]]
  }
  return [
    ...common,
    ['access-control-allow-methods', METHODS],
    ['access-control-allow-headers', namesOf(corsHeaders.allowedHeaders, options.allowedHeaders).join(', ')],
    ['access-control-max-age', PREFLIGHT_MAX_AGE],
  ]
}

/**
 * Writes the CORS headers of a response. Returns the complete response if the request is a preflight, which needs no
 * session and changes nothing.
 */
export function applyCors(exchange: HttpExchange, policy: HttpPolicy, options: CorsOptions): CompleteResponse | null {
  const preflight = answerPreflight(exchange, policy, options)
  if (preflight !== null) return preflight
  const { request, reply } = exchange
  addToList(reply, 'vary', ['Origin'])
  for (const [name, value] of corsHeadersOf(request, policy, options)) {
    if (name === 'access-control-expose-headers') addToList(reply, name, value.split(', '))
    else reply.set(name, value)
  }
  return null
}

/**
 * The complete response to a CORS preflight: what pages of trusted origins may send; no headers for others. Null if the
 * request is not a preflight.
 */
export function answerPreflight(
  { request, reply }: HttpExchange,
  policy: HttpPolicy,
  options: CorsOptions = {},
): CompleteResponse | null {
  if (!isPreflight(request)) return null
  addToList(reply, 'vary', ['Origin'])
  return { status: 204, headers: corsHeadersOf(request, policy, options), body: '' }
}

/**
 * Whether a request is a CORS preflight (Fetch Standard, section 4.8). An `OPTIONS` request without its headers is not.
 */
function isPreflight(request: HttpRequest): boolean {
  return request.method === 'OPTIONS'
    && request.header('origin') !== null
    && request.header('access-control-request-method') !== null
}
