import type { IncomingMessage } from 'node:http'
import { isSessionError } from '../../base/errors.ts'
import type { Application } from '../application.ts'
import { readJsonBody } from '../http/read-body.ts'
import { allowOnly, challenge, RejectedRequest, replyText, retryLater } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { isStoreFailure } from '../store-failure.ts'
import { servesTenant } from '../tenants.ts'
import type { ServedTenants } from '../tenants.ts'
import { hello, helloMethods, publicPaths } from './app-endpoints.ts'
import { busy, publicTenantOnly, unauthorised } from './answers.ts'
import { Fields } from './fields.ts'
import type { DynamicApplications } from './dynamic-applications.ts'
import { isAtLeast, isVersion, newestProtocol, protocolOf } from './protocol.ts'
import type { Protocol } from './protocol.ts'
import { matchCdiRoute } from './route.ts'
import type { CdiRoute } from './route.ts'

/** What CDI needs from the server. */
export interface CdiSettings {
  /** The applications by id. `public` always exists. */
  readonly apps: ReadonlyMap<string, Application>
  readonly tenants: ServedTenants
  /** Whether a request may call endpoints that are not public. */
  isAllowed(request: IncomingMessage, appId: string): boolean
  /** Creates applications on demand; null: only the applications of the settings are served. */
  readonly dynamicApplications: DynamicApplications | null
  /** The longest body, in bytes. */
  readonly maxBodyBytes: number
  /** Whether every store answers. */
  isReady(): Promise<boolean>
  /** Called with each error that is answered with 500 or 503. */
  readonly onError: (error: unknown) => void
}

const notFound = replyText(404, 'Not found')
const invalidKey = challenge(replyText(401, 'Invalid API key'))
const wrongMethod = replyText(405, 'Method not supported')
const badJson = replyText(400, 'Invalid Json Input')
const unknownTenant = replyText(400, 'AppId or tenantId not found => it is not configured on this server')
const storeAway = retryLater(replyText(503, 'The store does not answer: repeat the request later'))
const failed = replyText(500, 'The request failed; the log of the server has the reason')

/**
 * Answers a request of CDI. All checks are here, in this order: API key, version, tenant, method. A request that fails
 * one of them reaches no session (ADM-02).
 */
export async function handleCdiRequest(
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  settings: CdiSettings,
): Promise<Reply> {
  const route = matchCdiRoute(path)
  if (route?.endpoint === null) {
    if (!helloMethods.includes(request.method ?? '')) return allowOnly(helloMethods, wrongMethod)
    if (!settings.apps.has(route.appId)) return unknownTenant
    return await settings.isReady() ? hello : storeAway
  }
  const isPublic = route !== null && publicPaths.has(route.path)
  if (!isPublic && !settings.isAllowed(request, route?.appId ?? 'public')) return invalidKey
  if (route === null) return notFound
  try {
    return await answer(request, query, route, settings)
  } catch (error) {
    return replyTo(error, settings)
  }
}

async function answer(
  request: IncomingMessage,
  query: URLSearchParams,
  route: CdiRoute,
  { apps, tenants, dynamicApplications, maxBodyBytes }: CdiSettings,
): Promise<Reply> {
  const protocol = announced(request, route)
  const { appId, tenantId, endpoint } = route
  if (tenantId !== 'public' && !protocol.hasTenants) return notFound
  if (endpoint === null) return notFound
  const handler = endpoint.methods[request.method ?? '']
  if (handler === undefined) return allowOnly(Object.keys(endpoint.methods), wrongMethod)
  const app = apps.get(appId)
  const hasTenant = (id: string): boolean => servesTenant(tenants, id)
  const { publicOnlySince, knowsAllTenants = false } = endpoint
  if (app === undefined || !(knowsAllTenants || hasTenant(tenantId))) return unknownTenant
  if (publicOnlySince !== null && tenantId !== 'public' && isAtLeast(protocol, publicOnlySince)) return publicTenantOnly
  return handler({
    appId, app, dynamicApplications, protocol, tenantId, query, hasTenant,
    hasApp: id => apps.has(id),
    body: async () => new Fields(await readJsonBody(request, maxBodyBytes, badJson)),
  })
}

function announced({ headers }: IncomingMessage, { path }: CdiRoute): Protocol {
  const version = headers['cdi-version']
  if (version === undefined) return newestProtocol
  const protocol = typeof version === 'string' ? protocolOf(version) : null
  if (protocol !== null) return protocol
  // A client that asks for the versions or the keys need not know a version that is served.
  if (publicPaths.has(path) || path === '/apiversion') return newestProtocol
  if (typeof version !== 'string' || !isVersion(version)) {
    throw new RejectedRequest(replyText(400, 'cdi-version header is invalid'))
  }
  throw new RejectedRequest(replyText(400, `cdi-version ${version} not supported`))
}

function replyTo(error: unknown, { onError }: CdiSettings): Reply {
  if (error instanceof RejectedRequest) return error.reply
  if (isSessionError(error) && error.code === 'SESSION_NOT_FOUND') return unauthorised()
  if (isSessionError(error) && error.code === 'UNAUTHORIZED') return unauthorised(error.message)
  if (isSessionError(error) && error.code === 'REFRESH_BUSY') return busy(error.retryAfter)
  if (isSessionError(error) && error.code === 'INVALID_DATA') return replyText(400, error.message)
  onError(error)
  return isStoreFailure(error) ? storeAway : failed
}
