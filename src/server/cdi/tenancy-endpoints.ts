import type { JsonObject } from '../../base/json.ts'
import { TENANT_ID } from '../../session/identifiers.ts'
import { replyJson, RejectedRequest, replyText } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { fail } from './fields.ts'
import type { Fields } from './fields.ts'
import type { CdiEndpoint, CdiRequest } from './request.ts'

/**
 * The endpoints of applications and tenants that sessions need: those that deployment scripts and the test suites of
 * SDKs call before they create a session.
 */
export const tenancyEndpoints: Readonly<Record<string, CdiEndpoint>> = {
  '/recipe/multitenancy/app/v2': { publicOnlySince: '3.0', methods: { PUT: makeApp } },
  '/recipe/multitenancy/app': { publicOnlySince: '3.0', methods: { PUT: makeApp } },
  '/recipe/multitenancy/app/remove': { publicOnlySince: '3.0', methods: { POST: removeApp } },
  '/recipe/multitenancy/tenant/v2': {
    publicOnlySince: null, knowsAllTenants: true, methods: { PUT: makeTenant, GET: tenant },
  },
}

async function makeApp({ appId: from, hasApp, dynamicApplications, body }: CdiRequest): Promise<Reply> {
  refuseOtherApps(from)
  const fields = await body()
  const appId = fields.text('appId').toLowerCase()
  if (dynamicApplications === null) {
    if (!hasApp(appId)) forbid('a server with API keys creates no applications on request: name it with --app')
    return replyJson({ status: 'OK', createdNew: false })
  }
  return replyJson({ status: 'OK', createdNew: await dynamicApplications.make(appId, settingsIn(fields)) })
}

async function removeApp({ appId: from, hasApp, dynamicApplications, body }: CdiRequest): Promise<Reply> {
  refuseOtherApps(from)
  const appId = (await body()).text('appId').toLowerCase()
  const didExist = await dynamicApplications?.remove(appId) ?? false
  if (!didExist && hasApp(appId)) forbid('the application is one of the server\'s settings and cannot be removed')
  return replyJson({ status: 'OK', didExist })
}

/** A tenant need not be created: this answers whether it is served. */
async function makeTenant({ tenantId: from, hasTenant, body }: CdiRequest): Promise<Reply> {
  const tenantId = (await body()).text('tenantId').toLowerCase()
  if (!TENANT_ID.test(tenantId)) fail('tenantId must have 1 to 64 characters a-z, 0-9 and -')
  if (from !== 'public' && from !== tenantId) forbid('You must use the public or same tenant to add/update a tenant')
  if (!hasTenant(tenantId)) forbid('the tenant is not served: name it with --tenant')
  return replyJson({ status: 'OK', createdNew: false })
}

/** The configuration of a tenant, which is always empty. */
async function tenant({ tenantId, hasTenant }: CdiRequest): Promise<Reply> {
  if (!hasTenant(tenantId)) return replyJson({ status: 'TENANT_NOT_FOUND_ERROR' })
  return replyJson({ status: 'OK', tenantId, thirdParty: { providers: [] }, coreConfig: {} })
}

function settingsIn(fields: Fields): JsonObject {
  return fields.has('coreConfig') ? fields.object('coreConfig') : {}
}

function refuseOtherApps(appId: string): void {
  if (appId !== 'public') forbid('Only the public application can manage applications')
}

/** Refuses the request with 403: it is well-formed, but the settings of the server do not allow it. */
function forbid(words: string): never {
  throw new RejectedRequest(replyText(403, words))
}
