import { UnauthorizedError } from '../base/errors.ts'
import { jsonReply, replyHeaders } from './error-reply.ts'
import type { HttpExchange, CompleteResponse } from './exchange.ts'
import { findMisplacedRoute } from './find-misconfiguration.ts'
import type { HttpContext } from './http-context.ts'
import { refreshSession } from './refresh-session.ts'
import { signOut } from './sign-out.ts'

type RouteName = 'refresh' | 'signout' | 'jwks' | 'openid-configuration'

/**
 * How long other services may cache the key set, in seconds. Keys are published for longer than that before their first
 * use (HDR-02, TOK-20).
 */
const JWKS_MAX_AGE = 60

/**
 * Handles Keyturn's own routes; null for any other path. Not for `OPTIONS`, which the CORS middleware handles.
 * @throws SessionError, for `errorReply`
 */
export async function handleSessionRoute<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<CompleteResponse | null> {
  const { request } = exchange
  const route = matchSessionRoute(request.path, context.policy.basePath)
  if (route === null || request.method === 'OPTIONS') {
    // Requests that change something only: the others are most of them.
    if (request.method === 'POST') findMisplacedRoute(request, context.policy)
    return null
  }
  const allowed = route === 'refresh' || route === 'signout' ? ['POST'] : ['GET', 'HEAD']
  if (!allowed.includes(request.method)) {
    return jsonReply(405, { message: 'method not allowed' }, [['allow', [...allowed, 'OPTIONS'].join(', ')]])
  }
  return serve(context, exchange, route)
}

async function serve<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  route: RouteName,
): Promise<CompleteResponse> {
  switch (route) {
    case 'refresh':
      await refreshSession(context, exchange)
      return jsonReply(200, {})
    case 'signout':
      if (!await signOut(context, exchange)) throw new UnauthorizedError('the request has no session')
      return jsonReply(200, { status: 'OK' })
    case 'jwks':
      return serveJwks(context, exchange)
    case 'openid-configuration': {
      const { issuer } = context.policy
      return publicReply(exchange, 200, { issuer, jwks_uri: `${issuer}/jwt/jwks.json` }, [])
    }
  }
}

async function serveJwks<Payload extends object, Info extends object>(
  { core }: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<CompleteResponse> {
  const jwks = await core.getJwks()
  // A key with the same id never changes, so the ids identify the set.
  const etag = `"${jwks.keys.map(({ kid }) => kid).join('.')}"`
  const isKnown = exchange.request.header('if-none-match') === etag
  return publicReply(exchange, isKnown ? 304 : 200, jwks, [['etag', etag]])
}

/** A public response that caches may store for a while. */
function publicReply(
  { reply }: HttpExchange,
  status: number,
  body: unknown,
  extra: readonly (readonly [name: string, value: string])[],
): CompleteResponse {
  reply.remove('access-control-allow-credentials')
  const headers = replyHeaders.filter(([name]) => name !== 'cache-control' && name !== 'cross-origin-resource-policy')
  return {
    status,
    headers: [
      ...headers,
      ['cross-origin-resource-policy', 'cross-origin'],
      ['access-control-allow-origin', '*'],
      ['cache-control', `public, max-age=${JWKS_MAX_AGE}, must-revalidate`],
      ...extra,
    ],
    body: status === 304 ? '' : JSON.stringify(body),
  }
}

/** Finds the route of a path. Accepts a trailing slash, and a tenant before refresh and signout. Pure. */
export function matchSessionRoute(path: string, basePath: string): RouteName | null {
  if (!path.startsWith(`${basePath}/`)) return null
  const rest = path.slice(basePath.length + 1)
  const segments = (rest.endsWith('/') ? rest.slice(0, -1) : rest).split('/')
  return nameOf(segments.join('/')) ?? matchTenantRoute(segments)
}

function nameOf(route: string): RouteName | null {
  switch (route) {
    case 'session/refresh': return 'refresh'
    case 'signout': return 'signout'
    case 'jwt/jwks.json': return 'jwks'
    case '.well-known/openid-configuration': return 'openid-configuration'
    default: return null
  }
}

function matchTenantRoute([tenant = '', ...segments]: readonly string[]): RouteName | null {
  if (!/^[a-zA-Z0-9-]+$/.test(tenant)) return null
  const route = nameOf(segments.join('/'))
  return route === 'refresh' || route === 'signout' ? route : null
}
