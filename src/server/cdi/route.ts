import { TENANT_ID } from '../../session/identifiers.ts'
import { splitAppId } from '../app-id.ts'
import { appEndpoints } from './app-endpoints.ts'
import type { CdiEndpoint } from './request.ts'
import { sessionEndpoints } from './session-endpoints.ts'
import { tenancyEndpoints } from './tenancy-endpoints.ts'

/** What a path of CDI refers to. */
export interface CdiRoute {
  readonly appId: string
  readonly tenantId: string
  /** Lower case, without a slash at the end. */
  readonly path: string
  /** null: `/` or `/hello`. */
  readonly endpoint: CdiEndpoint | null
}

/** Every path that is served; null: `/` or `/hello`. */
export const cdiEndpoints: ReadonlyMap<string, CdiEndpoint | null> = new Map([
  ['', null],
  ['/hello', null],
  ...Object.entries({ ...appEndpoints, ...sessionEndpoints, ...tenancyEndpoints }),
])

const reserved: ReadonlySet<string> = new Set(['recipe', 'config', 'users', 'hello'])

/**
 * Finds the endpoint of `[/appid-<app>][/<tenant>]<path>`, in upper or lower case, with or without a slash at the end;
 * null for any other path. Nothing is decoded, so that all checks see the same path as the router (ADM-03).
 */
export function matchCdiRoute(requestPath: string): CdiRoute | null {
  const { appId, rest } = splitAppId(requestPath.toLowerCase().replace(/\/$/, ''))
  const exact = cdiEndpoints.get(rest)
  if (exact !== undefined) return { appId, tenantId: 'public', path: rest, endpoint: exact }
  const [, tenantId = '', afterTenant = ''] = /^\/([^/]*)(\/.*)?$/.exec(rest) ?? []
  if (!TENANT_ID.test(tenantId) || reserved.has(tenantId)) return null
  // The root is a path only without a tenant: `/word` alone is not found.
  const endpoint = afterTenant === '' ? undefined : cdiEndpoints.get(afterTenant)
  return endpoint === undefined ? null : { appId, tenantId, path: afterTenant, endpoint }
}
