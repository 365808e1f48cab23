import { parseHandle } from '../../base/handle.ts'
import type { JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import { SessionNotFoundError } from '../../base/errors.ts'
import { createClientInfo } from '../../session/client-info.ts'
import { end, endAllOfUser, findLive, list, summarize, updateInfo, updatePayload } from '../../session/manage.ts'
import type { ClientInfo } from '../../session/record.ts'
import { requireUserId } from '../../session/identifiers.ts'
import type { App } from '../app.ts'
import { hasProtectedClaim } from '../core-protocol/access-token.ts'
import { json, Refusal } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { createSession, refreshSession } from '../sessions.ts'
import { servesTenant } from '../tenants.ts'
import type { ServedTenants } from '../tenants.ts'
import type { IssuedPair, TokenStyle } from '../sessions.ts'
import { describeApi } from './openapi.ts'
import type { OperationId } from './operations.ts'
import { introspect, sessionOf } from './tokens.ts'

/** A call of the native API that fits its description. */
export interface NativeCall {
  readonly app: App
  /** The parameters of the path. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: JsonObject
  readonly tenants: ServedTenants
}

type Handler = (call: NativeCall) => Promise<Reply>

const style: TokenStyle = { version: '5', hasAntiCsrf: false, isDynamic: true, lifetime: null }
const noContent: Reply = { status: 204, headers: { 'cache-control': 'no-store' }, body: '' }

/** An error as the native API tells it. */
export function problem(status: number, error: string, message: string, more: object = {}): Reply {
  return json({ error, message, ...more }, status)
}

/** How each operation is done; the stream has its own way. */
export const handlers: Readonly<Record<Exclude<OperationId, 'followRevocations'>, Handler>> = {
  async createSession({ app, body, tenants }) {
    const { userId, tenantId = 'public', jwtPayload = {}, sessionInfo = {} } = body
    if (!servesTenant(tenants, textOf(tenantId))) return unknownTenant
    const session = {
      userId: requireUserId(userId), tenantId: textOf(tenantId),
      payload: objectOf(jwtPayload), info: objectOf(sessionInfo),
    }
    const outcome = await createSession(app, session, clientOf(body), style)
    return outcome.kind === 'issued' ? json(describePair(outcome.pair), 201) : protectedClaim
  },

  async refreshSession({ app, body }) {
    const outcome = await refreshSession(app, textOf(body['refreshToken']), clientOf(body), null, {
      ...style, isDynamic: null, namesParent: false,
    })
    switch (outcome.kind) {
      case 'issued': return json(describePair(outcome.pair))
      case 'theft': {
        const { handle, userId } = outcome
        const words = 'Two parties used a refresh token; the session has been ended.'
        return problem(401, 'token_theft_detected', words, { handle, userId })
      }
      default: return problem(401, 'unauthorized', 'The refresh token is good for nothing: log in again.')
    }
  },

  async readSession({ app, parameters }) {
    const record = await findLive(app, parameters['handle'] ?? '')
    return json({
      ...summarize(record),
      jwtPayload: app.payloads.read(record.jwtPayload),
      sessionInfo: app.infos.read(record.sessionInfo),
    })
  },

  async updateSession({ app, parameters, body }) {
    const handle = parameters['handle'] ?? ''
    const { jwtPayload, sessionInfo } = body
    if (jwtPayload !== undefined && hasProtectedClaim(objectOf(jwtPayload), '5')) return protectedClaim
    // Both are judged before either is stored.
    if (sessionInfo !== undefined) await app.infos.write(objectOf(sessionInfo))
    if (jwtPayload !== undefined) await updatePayload(app, handle, objectOf(jwtPayload))
    if (sessionInfo !== undefined) await updateInfo(app, handle, objectOf(sessionInfo))
    return noContent
  },

  async revokeSession({ app, parameters }) {
    const handle = parseHandle(parameters['handle'] ?? '')
    const ended = handle === null ? [] : await end(app, [handle], 'revoked')
    if (ended.length === 0) throw new SessionNotFoundError()
    return noContent
  },

  async listSessions({ app, parameters, query }) {
    const limit = query.get('limit') ?? '100'
    if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > 1000) {
      return problem(400, 'invalid_request', 'limit must be a whole number from 1 to 1000')
    }
    const page = { limit: Number(limit), after: query.get('after') }
    return json(await list(app, requireUserId(parameters['userId']), page))
  },

  async revokeSessionsOfUser({ app, parameters, query }) {
    const except = query.get('except')
    if (except !== null && parseHandle(except) === null) {
      return problem(400, 'invalid_request', 'except must be a session\'s handle')
    }
    const userId = requireUserId(parameters['userId'])
    return json({ revoked: await endAllOfUser(app, userId, except === null ? {} : { except }) })
  },

  introspect: async ({ app, body }) => json(await introspect(app, textOf(body['token']))),

  async revokeToken({ app, body }) {
    const handle = await sessionOf(app, textOf(body['token']))
    if (handle !== null) await end(app, [handle], 'revoked')
    return json({})
  },

  readKeys: async ({ app }) => json((await app.keys.current()).jwks('core-dynamic', 'core-static')),

  async rotateKeys({ app }) {
    await app.keys.rotateNow()
    return noContent
  },

  readDescription: async () => json(describeApi()),
}

const unknownTenant = problem(400, 'unknown_tenant', 'This server does not serve the tenant.')
const protectedClaim = problem(400, 'invalid_request', 'jwtPayload has a name that belongs to the access token')

function describePair({ session, accessToken, refreshToken }: IssuedPair): object {
  return {
    handle: session.handle,
    userId: session.userId,
    tenantId: session.tenantId,
    accessToken: accessToken.token,
    accessTokenExpiresAt: accessToken.expiresAt,
    refreshToken: refreshToken.token,
    sessionExpiresAt: refreshToken.expiresAt,
  }
}

/** The user's client, as far as the application tells. */
function clientOf({ ip, userAgent }: JsonObject): ClientInfo {
  return createClientInfo(ip === undefined ? null : textOf(ip), userAgent === undefined ? null : textOf(userAgent))
}

/** The description has been checked: what is not there is a fault of the program. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Refusal(problem(400, 'invalid_request', 'a text is missing'))
}

function objectOf(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new Refusal(problem(400, 'invalid_request', 'an object is missing'))
}
