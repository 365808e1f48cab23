import { SessionNotFoundError } from '../../base/errors.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import { createClientInfo } from '../../session/client-info.ts'
import type { IssuedSession, TenantOptions } from '../../session/core.ts'
import type { AccessClaims } from '../../tokens/access-token.ts'
import { keyPurposes } from '../../tokens/key-store.ts'
import { requireTenantId, requireUserId } from '../../session/identifiers.ts'
import { summarize } from '../../session/manage.ts'
import type { ClientInfo } from '../../session/record.ts'
import type { Application } from '../application.ts'
import { replyJson, RejectedRequest } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { servesTenant } from '../tenants.ts'
import type { ServedTenants } from '../tenants.ts'
import type { ApiErrorCode } from './error-codes.ts'
import { introspect, introspectedSession } from './introspect.ts'
import { describeCdi } from '../cdi/openapi.ts'
import { describeApi } from './openapi.ts'
import type { OperationId } from './operations.ts'

/** A call of the native API that matches its description. */
export interface NativeCall {
  readonly app: Application
  /** The parameters of the path. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: JsonObject
  readonly tenants: ServedTenants
  /** Whether requests must carry an API key. */
  readonly needsKey: boolean
  /** The URL that the paths of the application are below. */
  readonly serverUrl: string
}

type Handler = (call: NativeCall) => Promise<Reply>

const noContent: Reply = { status: 204, headers: { 'cache-control': 'no-store' }, body: '' }

/** An error response of the native API. */
export function problem(status: number, error: ApiErrorCode, message: string, more: object = {}): Reply {
  return replyJson({ error, message, ...more }, status)
}

/** The handler of each operation, except the stream of revocations, which `revocations.ts` writes. */
export const handlers: Readonly<Record<Exclude<OperationId, 'followRevocations'>, Handler>> = {
  async createSession({ app, body, tenants }) {
    const { userId, tenantId = 'public', jwtPayload = {}, sessionInfo = {}, transferMode = 'header' } = body
    if (!servesTenant(tenants, textOf(tenantId))) return unknownTenant
    const issued = await app.native.create({
      userId: requireUserId(userId),
      mode: transferMode === 'cookie' ? 'cookie' : 'header',
      client: clientOf(body),
      jwtPayload: objectOf(jwtPayload),
      sessionInfo: objectOf(sessionInfo),
      options: {
        tenantId: textOf(tenantId),
        persistent: body['persistent'] !== false,
        ...numberIn(body, 'accessTokenLifetime'), ...numberIn(body, 'idleTimeout'),
        ...numberIn(body, 'absoluteTimeout'),
      },
    })
    return replyJson(await describePair(app, issued, body), 201)
  },

  async refreshSession({ app, body }) {
    const refreshToken = textOf(body['refreshToken'])
    if (body['antiCsrfToken'] !== undefined) {
      const handle = await introspectedSession(app, refreshToken)
      if (handle === null || !await app.native.isAntiCsrfToken(handle, textOf(body['antiCsrfToken']))) {
        return unauthorized
      }
    }
    const outcome = await app.native.refresh(refreshToken, null, clientOf(body))
    switch (outcome.kind) {
      case 'refreshed': return replyJson(await describePair(app, outcome.issued, body))
      case 'theft': {
        const { handle, userId } = outcome
        const message = 'Two parties used the same refresh token: the session has been revoked.'
        return problem(401, 'token_theft_detected', message, { handle, userId })
      }
      case 'unauthorized': return unauthorized
    }
  },

  async readSession({ app, parameters }) {
    const { record, jwtPayload, sessionInfo } = await app.native.getStoredSession(parameters['handle'] ?? '')
    return replyJson({ ...summarize(record), jwtPayload, sessionInfo, sessionInfoVersion: record.infoVersion })
  },

  async updateSession({ app, parameters, body }) {
    const { native, codecs } = app
    const handle = parameters['handle'] ?? ''
    const { jwtPayload, sessionInfo, mergeSessionInfo, sessionInfoVersion: version } = body
    if (sessionInfo !== undefined && mergeSessionInfo !== undefined) return oneOfBoth
    const claims = body['accessToken'] === undefined ? null : await claimsFor(app, handle, textOf(body['accessToken']))
    // Everything is validated before anything is stored.
    if (jwtPayload !== undefined) await codecs.payloads.write(objectOf(jwtPayload))
    if (sessionInfo !== undefined) await codecs.infos.write(objectOf(sessionInfo))
    const { record } = await native.getStoredSession(handle)
    if (version !== undefined && version !== record.infoVersion) return conflict
    const change = sessionInfo === undefined
      ? (current: JsonObject): JsonObject => mergePatch(current, objectOf(mergeSessionInfo ?? {}))
      : objectOf(sessionInfo)
    if (sessionInfo !== undefined || mergeSessionInfo !== undefined) {
      if (typeof version !== 'number') await native.updateSessionInfo(handle, change)
      else if (!await native.updateSessionInfoIf(version, handle, change)) return conflict
    }
    // After everything that may be refused: if there is a conflict, nothing is stored.
    const payload = jwtPayload === undefined ? undefined : objectOf(jwtPayload)
    const issued = claims === null ? null : await native.reissue(claims, payload)
    if (claims === null && payload !== undefined) await native.updateJwtPayload(handle, payload)
    if (issued === null) return noContent
    return replyJson({ accessToken: issued.accessToken, accessTokenExpiresAt: issued.claims.exp * 1000 })
  },

  async reauthenticateSession({ app, parameters, body }) {
    const claims = await claimsFor(app, parameters['handle'] ?? '', textOf(body['accessToken']))
    return replyJson(await describePair(app, await app.native.reauthenticate(claims, clientOf(body)), body))
  },

  async revokeSession({ app, parameters }) {
    if (!await app.native.revokeSession(parameters['handle'] ?? '')) throw new SessionNotFoundError()
    return noContent
  },

  async revokeSessions({ app, body }) {
    const handles = Array.isArray(body['handles']) ? body['handles'].map(textOf) : []
    return replyJson({ revoked: await app.native.revokeSessions(handles) })
  },

  async listSessions({ app, query }) {
    const page = { limit: Number(query.get('limit') ?? 100), after: query.get('after'), ...tenantIn(query) }
    return replyJson(await app.native.listSessions(query.get('userId') ?? '', page))
  },

  async revokeSessionsOfUser({ app, body: { userId, except, tenantId } }) {
    const options = {
      ...except === undefined ? {} : { except: textOf(except) },
      ...tenantId === undefined ? {} : { tenantId: requireTenantId(tenantId) },
    }
    return replyJson({ revoked: await app.native.revokeAllSessionsForUser(textOf(userId), options) })
  },

  async introspect({ app, body }) {
    const antiCsrfToken = body['anti_csrf_token'] === undefined ? null : textOf(body['anti_csrf_token'])
    return replyJson(await introspect(app, textOf(body['token']), antiCsrfToken))
  },

  async revokeToken({ app, body }) {
    const handle = await introspectedSession(app, textOf(body['token']))
    if (handle !== null) await app.native.revokeSession(handle)
    return replyJson({})
  },

  readKeys: async ({ app }) => replyJson(await app.native.getJwks()),

  async rotateKeys({ app, query }) {
    const purpose = keyPurposes.find(known => known === query.get('purpose'))
    const keys = await app.keys.rotateNow(purpose)
    return replyJson({ keys: keys.map(({ kid, purpose: of, algorithm, activeFrom }) => (
      { kid, purpose: of, algorithm, activeFrom }
    )) })
  },

  readDescription: async call => replyJson(describeApi(call)),

  readCdiDescription: async call => replyJson(describeCdi(call)),
}

const unknownTenant = problem(400, 'unknown_tenant', 'This server does not serve the tenant.')
const unauthorized = problem(401, 'unauthorized', 'The refresh token is invalid or its session has ended: log in.')
const conflict = problem(409, 'conflict', 'The session info has another version: read it again, then repeat.')
const oneOfBoth = problem(400, 'invalid_request', 'The body must not have both sessionInfo and mergeSessionInfo.')

/** The response body with a pair of tokens, and with an anti-CSRF token if the request asks for one. */
async function describePair(
  app: Application,
  issued: IssuedSession<JsonObject>,
  { antiCsrf }: JsonObject,
): Promise<object> {
  const { accessToken, refreshToken, sessionExpiresAt, claims: { sid, sub, tid, exp } } = issued
  return {
    handle: sid,
    userId: sub,
    tenantId: tid,
    accessToken,
    accessTokenExpiresAt: exp * 1000,
    refreshToken,
    sessionExpiresAt,
    ...antiCsrf === true ? { antiCsrfToken: await app.native.createAntiCsrfToken(sid) } : {},
  }
}

/** The claims of a valid access token of this session. @throws RejectedRequest with 401 for any other text. */
async function claimsFor(app: Application, handle: string, accessToken: string): Promise<AccessClaims> {
  const identified = await app.native.identify(accessToken)
  if (identified !== null && identified.usable && identified.claims.sid === handle) return identified.claims
  throw new RejectedRequest(
    problem(401, 'invalid_access_token', 'accessToken must be a valid access token of the session'),
  )
}

/** The address and user agent of the user's client, if the application sends them. */
function clientOf({ ip, userAgent }: JsonObject): ClientInfo {
  return createClientInfo(ip === undefined ? null : textOf(ip), userAgent === undefined ? null : textOf(userAgent))
}

/** The body matches its schema, so the text exists: otherwise the schema or a handler has a bug. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new RejectedRequest(problem(400, 'invalid_request', 'a text is missing'))
}

function objectOf(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new RejectedRequest(problem(400, 'invalid_request', 'an object is missing'))
}

/** The tenant that the query names. @throws InvalidDataError if it is no id of a tenant */
function tenantIn(query: URLSearchParams): TenantOptions {
  const tenantId = query.get('tenantId')
  return tenantId === null ? {} : { tenantId: requireTenantId(tenantId) }
}

function numberIn<Name extends string>(body: JsonObject, name: Name): { readonly [Key in Name]?: number } {
  const value = body[name]
  const found: { [Key in Name]?: number } = {}
  if (typeof value === 'number') found[name] = value
  return found
}

/** Applies a JSON merge patch (RFC 7396): null removes a member, objects are merged, any other value replaces. */
function mergePatch(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = isJsonObject(value) ? mergePatch(merged[name], value) : value
  }
  return merged
}
