import type { JsonObject } from '../../base/json.ts'
import { TENANT_ID } from '../../session/identifiers.ts'
import { replyJson, RejectedRequest, replyText } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { fail } from './fields.ts'
import type { Fields } from './fields.ts'
import type { CdiEndpoint, CdiRequest } from './request.ts'

/**
 * The endpoints of applications and tenants, as far as sessions need them: what deployment scripts and the test suites
 * of SDKs call before they start a session.
 */
export const tenancyEndpoints: Readonly<Record<string, CdiEndpoint>> = {
  '/recipe/multitenancy/app/v2': { level: 'app', methods: { PUT: makeApp } },
  '/recipe/multitenancy/app': { level: 'app', methods: { PUT: makeApp } },
  '/recipe/multitenancy/app/remove': { level: 'app', methods: { POST: removeApp } },
  '/recipe/multitenancy/tenant/v2': { level: 'tenant', methods: { PUT: makeTenant, GET: tenant } },
}

async function makeApp({ appId: from, hasApp, madeApps, body }: CdiRequest): Promise<Reply> {
  refuseOtherApps(from)
  const fields = await body()
  const appId = fields.text('appId').toLowerCase()
  if (madeApps === null) {
    if (!hasApp(appId)) fail('applications must be named with --app on a server with API keys')
    return replyJson({ status: 'OK', createdNew: false })
  }
  return replyJson({ status: 'OK', createdNew: await madeApps.make(appId, settingsIn(fields)) })
}

async function removeApp({ appId: from, hasApp, madeApps, body }: CdiRequest): Promise<Reply> {
  refuseOtherApps(from)
  const appId = (await body()).text('appId').toLowerCase()
  const didExist = await madeApps?.remove(appId) ?? false
  if (!didExist && hasApp(appId)) fail('an application of the server\'s settings can not be removed')
  return replyJson({ status: 'OK', didExist })
}

/** A tenant needs not be made: either it is served or it is not. */
async function makeTenant({ hasTenant, body }: CdiRequest): Promise<Reply> {
  const tenantId = (await body()).text('tenantId').toLowerCase()
  if (!TENANT_ID.test(tenantId) || !hasTenant(tenantId)) fail('tenants must be named with --tenant')
  return replyJson({ status: 'OK', createdNew: false })
}

/** What the server knows of a tenant: that it is there. */
async function tenant({ tenantId }: CdiRequest): Promise<Reply> {
  return replyJson({ status: 'OK', tenantId, thirdParty: { providers: [] }, coreConfig: {} })
}

function settingsIn(fields: Fields): JsonObject {
  return fields.has('coreConfig') ? fields.object('coreConfig') : {}
}

function refuseOtherApps(appId: string): void {
  if (appId !== 'public') throw new RejectedRequest(replyText(403, 'Only the public application can manage applications'))
}
