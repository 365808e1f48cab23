import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import { requireCoreUserId } from '../../session/identifiers.ts'
import { end, endAllOfUser, findLive, list, updateInfo, updatePayload } from '../../session/manage.ts'
import type { SessionList, SessionSummary } from '../../session/core.ts'
import type { ClientInfo } from '../../session/record.ts'
import type { App } from '../app.ts'
import { json, Refusal, text } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { createSession, refreshSession, regenerateSession, verifySession } from '../sessions.ts'
import { hasProtectedClaim } from './access-token.ts'
import {
  describeSession, describeToken, pairReply, refuseProtectedClaim, tryRefreshToken, unauthorised,
} from './answers.ts'
import { fail, queryFlag, queryText } from './fields.ts'
import type { Fields } from './fields.ts'
import type { Protocol } from './protocol.ts'
import type { CoreEndpoint, CoreRequest } from './request.ts'
import type { TheftOutcome } from '../../session/rotation-outcome.ts'

/** The endpoints of sessions, by path. */
export const sessionEndpoints: Readonly<Record<string, CoreEndpoint>> = {
  '/recipe/session': { level: 'tenant', methods: { POST: create, GET: information } },
  '/recipe/session/verify': { level: 'app', methods: { POST: verify } },
  '/recipe/session/refresh': { level: 'app', methods: { POST: refresh } },
  '/recipe/session/regenerate': { level: 'app', methods: { POST: regenerate } },
  '/recipe/session/remove': { level: 'tenant', methods: { POST: remove } },
  '/recipe/session/user': { level: 'tenant', methods: { GET: listOfUser } },
  '/recipe/session/data': { level: 'app', methods: { PUT: writeData, GET: readData } },
  '/recipe/jwt/data': { level: 'app', methods: { PUT: writePayload, GET: readPayload } },
}

/** Where a request of an SDK's user came from is not known here: the protocol does not say. */
const unknownClient: ClientInfo = { ip: null, userAgent: null }

async function create({ app, protocol, tenantId, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const userId = requireCoreUserId(fields.text('userId'))
  const session = {
    userId,
    tenantId,
    payload: fields.object('userDataInJWT'),
    info: fields.object('userDataInDatabase'),
  }
  const hasAntiCsrf = fields.flag('enableAntiCsrf')
  const isDynamic = fields.has('useDynamicSigningKey') ? fields.flag('useDynamicSigningKey') : true
  const lifetime = lifetimeOf(app, protocol, fields)
  const style = { version: protocol.accessTokenVersion, hasAntiCsrf, isDynamic, lifetime }
  const outcome = await createSession(app, session, unknownClient, style)
  return outcome.kind === 'issued' ? pairReply(outcome.pair, protocol) : refuseProtectedClaim()
}

async function information({ app, protocol, query }: CoreRequest): Promise<Reply> {
  const record = await findLive(app, queryText(query, 'sessionHandle'))
  return json({
    status: 'OK',
    sessionHandle: record.handle,
    userId: record.userId,
    ...protocol.hasRecipeUsers ? { recipeUserId: record.userId } : {},
    userDataInDatabase: app.infos.read(record.sessionInfo),
    userDataInJWT: app.payloads.read(record.jwtPayload),
    expiry: record.expiresAt,
    timeCreated: record.createdAt,
    ...protocol.hasTenants ? { tenantId: record.tenantId } : {},
  })
}

async function verify({ app, protocol, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const accessToken = fields.text('accessToken')
  const isDemanded = fields.flag('doAntiCsrfCheck')
  const isEnabled = fields.flag('enableAntiCsrf')
  const checkDatabase = fields.flag('checkDatabase')
  const given = fields.has('antiCsrfToken') ? fields.text('antiCsrfToken') : null
  const outcome = await verifySession(app, accessToken, {
    antiCsrf: isDemanded && isEnabled ? { given } : null, checkDatabase, reissues: !protocol.isEager,
  })
  switch (outcome.kind) {
    case 'unauthorized':
      return unauthorised()
    case 'refresh-required':
      return tryRefreshToken('The access token is invalid or has expired.')
    case 'protected-claim':
      return unauthorised('The payload contains a protected field.')
    case 'active':
      return json({
        status: 'OK',
        session: describeSession(outcome.session, protocol),
        ...outcome.reissued === null ? {} : { accessToken: describeToken(outcome.reissued) },
        ...protocol.isEager && checkDatabase ? { payloadUpdateAvailable: outcome.hasNewerPayload } : {},
      })
  }
}

async function refresh({ app, protocol, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const refreshToken = fields.text('refreshToken')
  const antiCsrfToken = fields.has('antiCsrfToken') ? fields.text('antiCsrfToken') : null
  const hasAntiCsrf = fields.flag('enableAntiCsrf')
  const isSaid = protocol.isStrict || (protocol.hasTenants && fields.has('useDynamicSigningKey'))
  const outcome = await refreshSession(app, refreshToken, unknownClient, antiCsrfToken, {
    version: protocol.accessTokenVersion,
    hasAntiCsrf,
    isDynamic: isSaid ? fields.flag('useDynamicSigningKey') : null,
    lifetime: lifetimeOf(app, protocol, fields),
    namesParent: !protocol.isEager,
  })
  switch (outcome.kind) {
    case 'issued':
      return pairReply(outcome.pair, protocol)
    case 'unauthorized':
      return unauthorised('The refresh token is invalid, or its session has ended.')
    case 'protected-claim':
      return unauthorised('The payload contains a protected field.')
    case 'theft':
      return json({
        status: 'TOKEN_THEFT_DETECTED',
        session: { handle: outcome.handle, userId: outcome.userId, recipeUserId: outcome.userId },
        ...protocol.isEager ? { recentTokenReuseSubtype: reuseSubtype(outcome) } : {},
      })
  }
}

function reuseSubtype({ presented, current }: TheftOutcome): string {
  if (presented.generation === current.generation - 1) return 'RECENT_PREV'
  return presented.generation === current.generation ? 'ORPHANED_BRANCH' : 'STALE_LINEAGE'
}

async function regenerate({ app, protocol, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const accessToken = fields.text('accessToken')
  const payload = fields.has('userDataInJWT') ? fields.object('userDataInJWT') : null
  const outcome = await regenerateSession(app, accessToken, payload)
  if (outcome.kind === 'unauthorized') return unauthorised()
  if (outcome.kind === 'protected-claim') return refuseProtectedClaim()
  return json({
    status: 'OK',
    session: describeSession(outcome.session, protocol),
    ...outcome.accessToken === null ? {} : { accessToken: describeToken(outcome.accessToken) },
  })
}

const onlyWithUser = ['revokeAcrossAllTenants', 'revokeSessionsForLinkedAccounts']

async function remove({ app, protocol, tenantId, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  if (fields.has('userId') === fields.has('sessionHandles')) {
    fail('Invalid JSON input - use one of userId or sessionHandles array')
  }
  if (fields.has('sessionHandles')) {
    const excess = onlyWithUser.find(name => fields.has(name))
    if (excess !== undefined) fail(`Invalid JSON input - ${excess} can only be set if userId is set`)
    const ended = await end(app, handlesOf(fields.texts('sessionHandles')), 'revoked')
    return json({ status: 'OK', sessionHandlesRevoked: ended })
  }
  const userId = requireCoreUserId(fields.text('userId'))
  const everywhere = fields.has('revokeAcrossAllTenants') ? fields.flag('revokeAcrossAllTenants') : true
  // No accounts are linked here, but a flag of the wrong type is still refused.
  if (fields.has('revokeSessionsForLinkedAccounts')) fields.flag('revokeSessionsForLinkedAccounts')
  if (everywhere && tenantId !== 'public' && protocol.isStrict) {
    throw new Refusal(text(403, 'Only public tenantId can call this app specific API'))
  }
  const revoked = everywhere
    ? await endAllOfUser(app, userId)
    : await endAllOfUser(app, userId, { tenantId })
  return json({ status: 'OK', sessionHandlesRevoked: revoked })
}

async function listOfUser({ app, tenantId, query }: CoreRequest): Promise<Reply> {
  const userId = requireCoreUserId(queryText(query, 'userId'))
  const everywhere = queryFlag(query, 'fetchAcrossAllTenants', true)
  const sessions = await sessionsOf(app, userId, everywhere ? null : tenantId)
  return json({ status: 'OK', sessionHandles: sessions.map(({ handle }) => handle) })
}

/** Every live session of a user, in one tenant or in all. */
async function sessionsOf(app: App, userId: string, tenantId: string | null): Promise<readonly SessionSummary[]> {
  const found: SessionSummary[] = []
  let after: string | null = null
  do {
    const page: SessionList = await list(app, userId, { limit: 1000, after })
    found.push(...page.sessions.filter(session => tenantId === null || session.tenantId === tenantId))
    after = page.next
  } while (after !== null)
  return found
}

async function writeData({ app, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const handle = fields.text('sessionHandle')
  await updateInfo(app, handle, fields.object('userDataInDatabase'))
  return json({ status: 'OK' })
}

async function readData({ app, query }: CoreRequest): Promise<Reply> {
  const record = await findLive(app, queryText(query, 'sessionHandle'))
  return json({ status: 'OK', userDataInDatabase: app.infos.read(record.sessionInfo) })
}

async function writePayload({ app, protocol, body }: CoreRequest): Promise<Reply> {
  const fields = await body()
  const handle = fields.text('sessionHandle')
  const payload = fields.object('userDataInJWT')
  if (hasProtectedClaim(payload, protocol.accessTokenVersion)) refuseProtectedClaim()
  await updatePayload(app, handle, payload)
  return json({ status: 'OK' })
}

async function readPayload({ app, query }: CoreRequest): Promise<Reply> {
  const record = await findLive(app, queryText(query, 'sessionHandle'))
  return json({ status: 'OK', userDataInJWT: app.payloads.read(record.jwtPayload) })
}

/** `accessTokenValidity` of newer versions: milliseconds, shorter than configured. */
function lifetimeOf(app: App, protocol: Protocol, fields: Fields): number | null {
  if (!protocol.isEager || !fields.has('accessTokenValidity')) return null
  const lifetime = fields.number('accessTokenValidity')
  if (lifetime > 0 && lifetime <= app.policy.accessTokenLifetime) return lifetime
  fail('accessTokenValidity must be greater than 0 and at most the configured validity')
}

/** A text that is no handle of ours names no session. */
function handlesOf(texts: readonly string[]): readonly SessionHandle[] {
  return [...new Set(texts)].map(parseHandle).filter(handle => handle !== null)
}
