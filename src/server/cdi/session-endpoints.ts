import { isDeepStrictEqual } from 'node:util'
import type { Milliseconds } from '../../base/time.ts'
import type { TheftOutcome } from '../../session/core.ts'
import { requireCdiUserId } from '../../session/identifiers.ts'
import type { ClientInfo } from '../../session/record.ts'
import type { Application } from '../application.ts'
import { replyJson, RejectedRequest } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { describeToken, pairReply, publicTenantOnly, sessionAnswer, tryRefreshToken, unauthorised } from './answers.ts'
import { fail, queryFlag, queryText } from './fields.ts'
import type { Fields } from './fields.ts'
import type { Protocol } from './protocol.ts'
import { antiCsrfTokenOf, readMarks } from './refresh-token-marks.ts'
import type { CdiEndpoint, CdiHandler, CdiRequest } from './request.ts'
import { ProtectedClaimError, requireUnprotected } from './token-format.ts'
import type { CdiTokenStyle } from './token-format.ts'

/** The endpoints of sessions, by path. */
export const sessionEndpoints: Readonly<Record<string, CdiEndpoint>> = {
  '/recipe/session': { publicOnlySince: null, methods: { POST: create, GET: information } },
  '/recipe/session/verify': { publicOnlySince: '5.6', methods: { POST: withoutProtected(verify) } },
  '/recipe/session/refresh': { publicOnlySince: null, methods: { POST: withoutProtected(refresh) } },
  '/recipe/session/regenerate': { publicOnlySince: null, methods: { POST: regenerate } },
  '/recipe/session/remove': { publicOnlySince: null, methods: { POST: remove } },
  '/recipe/session/user': { publicOnlySince: null, methods: { GET: listOfUser } },
  '/recipe/session/data': { publicOnlySince: null, methods: { PUT: writeData, GET: readData } },
  '/recipe/jwt/data': { publicOnlySince: null, methods: { PUT: writePayload, GET: readPayload } },
}

/** CDI does not transmit the address and user agent of the user's client. */
const unknownClient: ClientInfo = { ip: null, userAgent: null }

async function create({ app, protocol, tenantId, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const session = {
    userId: requireCdiUserId(fields.text('userId')),
    // The SDK decides between cookies and headers: tokens of these sessions are not bound to cookies.
    mode: 'header',
    client: unknownClient,
    jwtPayload: fields.object('userDataInJWT'),
    sessionInfo: fields.object('userDataInDatabase'),
    options: { tenantId },
  } as const
  const hasAntiCsrf = fields.flag('enableAntiCsrf')
  const isDynamic = fields.has('useDynamicSigningKey') ? fields.flag('useDynamicSigningKey') : true
  const lifetime = lifetimeOf(app, protocol, fields)
  const version = protocol.accessTokenVersion
  const issued = await app.core.create(session, { version, hasAntiCsrf, isDynamic, lifetime, namesParent: false })
  return pairReply(issued, protocol, app.clock())
}

async function information({ app, protocol, query }: CdiRequest): Promise<Reply> {
  const { record, jwtPayload, sessionInfo } = await app.core.getStoredSession(queryText(query, 'sessionHandle'))
  return replyJson({
    status: 'OK',
    sessionHandle: record.handle,
    userId: record.userId,
    ...protocol.hasRecipeUsers ? { recipeUserId: record.userId } : {},
    userDataInDatabase: sessionInfo,
    userDataInJWT: jwtPayload,
    expiry: record.expiresAt,
    timeCreated: record.createdAt,
    ...protocol.hasTenants ? { tenantId: record.tenantId } : {},
  })
}

/**
 * Verifies an access token. It asks the store if `checkDatabase` is set and, before version 5.6, if the token names its
 * parent. That takes one call.
 */
async function verify({ app, protocol, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const accessToken = fields.text('accessToken')
  const isDemanded = fields.flag('doAntiCsrfCheck')
  const isEnabled = fields.flag('enableAntiCsrf')
  const checkDatabase = fields.flag('checkDatabase')
  const given = fields.has('antiCsrfToken') ? fields.text('antiCsrfToken') : null
  const presented = await app.core.verify(accessToken, { blacklisting: 'off' })
  if (presented.kind !== 'active') return tryRefreshToken()
  const { claims, payload } = presented
  if (isDemanded && isEnabled && (given === null || claims.antiCsrfToken !== given)) return tryRefreshToken()
  const asksStore = checkDatabase || (!protocol.isEager && claims.parentRefreshTokenHash1 !== null)
  const outcome = asksStore ? await app.core.verify(accessToken, { blacklisting: 'strict' }) : presented
  if (outcome.kind !== 'active') return outcome.kind === 'revoked' ? unauthorised() : tryRefreshToken()
  const reissued = protocol.isEager ? null : outcome.reissued
  return replyJson({
    status: 'OK',
    session: sessionAnswer(claims, reissued?.payload ?? payload, protocol),
    ...reissued === null ? {} : { accessToken: describeToken(reissued) },
    ...protocol.isEager && checkDatabase ? { payloadUpdateAvailable: !isDeepStrictEqual(outcome.payload, payload) }
      : {},
  })
}

async function refresh({ app, protocol, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const refreshToken = fields.text('refreshToken')
  const antiCsrfToken = fields.has('antiCsrfToken') ? fields.text('antiCsrfToken') : null
  const hasAntiCsrf = fields.flag('enableAntiCsrf')
  const namesKeyKind = protocol.isStrict || (protocol.hasTenants && fields.has('useDynamicSigningKey'))
  const style = {
    version: protocol.accessTokenVersion,
    hasAntiCsrf,
    isDynamic: namesKeyKind ? fields.flag('useDynamicSigningKey') : null,
    lifetime: lifetimeOf(app, protocol, fields),
    namesParent: !protocol.isEager,
  }
  const lacksAntiCsrf = readMarks(refreshToken).hasAntiCsrf && antiCsrfToken !== antiCsrfTokenOf(refreshToken)
  if (hasAntiCsrf && lacksAntiCsrf) return refused
  const outcome = await app.core.refresh(refreshToken, null, unknownClient, style)
  switch (outcome.kind) {
    case 'refreshed':
      return pairReply(outcome.issued, protocol, app.clock())
    case 'unauthorized':
      return outcome.ended === false ? takeOver(app, protocol, { refreshToken, antiCsrfToken, hasAntiCsrf }, style)
        : refused
    case 'theft':
      return replyJson({
        status: 'TOKEN_THEFT_DETECTED',
        session: { handle: outcome.handle, userId: outcome.userId, recipeUserId: outcome.userId },
        ...protocol.isEager ? { recentTokenReuseSubtype: reuseSubtype(outcome) } : {},
      })
  }
}

/** Takes over the session of a refresh token that is not Keyturn's: of the core before, if there is an import. */
async function takeOver(
  { imports, clock }: Application,
  protocol: Protocol,
  given: { readonly refreshToken: string; readonly antiCsrfToken: string | null; readonly hasAntiCsrf: boolean },
  style: CdiTokenStyle,
): Promise<Reply> {
  const found = await imports?.find({
    cookies: () => [],
    bearer: given.refreshToken,
    antiCsrf: given.hasAntiCsrf ? given.antiCsrfToken ?? '' : null,
  }, 'refresh') ?? null
  const outcome = await found?.takeOver(unknownClient, style)
  return outcome?.kind === 'taken' ? pairReply(outcome.issued, protocol, clock()) : refused
}

const refused = unauthorised('The refresh token is invalid, or its session has ended.')

function reuseSubtype({ presented, current }: TheftOutcome): string {
  if (presented.generation === current.generation - 1) return 'RECENT_PREV'
  return presented.generation === current.generation ? 'ORPHANED_BRANCH' : 'STALE_LINEAGE'
}

/** Issues a new access token with the stored payload, or stores the given one first; none for an expired token. */
async function regenerate({ app, protocol, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const accessToken = fields.text('accessToken')
  const payload = fields.has('userDataInJWT') ? fields.object('userDataInJWT') : undefined
  const identified = await app.core.identify(accessToken)
  if (identified === null) return unauthorised()
  if (payload !== undefined) requireUnprotected(payload, identified.claims.version)
  const reissued = await app.core.reissue(identified.claims, payload)
  return replyJson({
    status: 'OK',
    session: sessionAnswer(reissued.claims, reissued.payload, protocol),
    ...identified.usable ? { accessToken: describeToken(reissued) } : {},
  })
}

const onlyWithUser = ['revokeAcrossAllTenants', 'revokeSessionsForLinkedAccounts']

async function remove({ app, protocol, tenantId, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  if (fields.has('userId') === fields.has('sessionHandles')) {
    fail('Invalid JSON input - use one of userId or sessionHandles array')
  }
  if (fields.has('sessionHandles')) {
    const excess = onlyWithUser.find(name => fields.has(name))
    if (excess !== undefined) fail(`Invalid JSON input - ${excess} can only be set if userId is set`)
    return replyJson({
      status: 'OK',
      sessionHandlesRevoked: await app.core.revokeSessions(fields.texts('sessionHandles')),
    })
  }
  const userId = fields.text('userId')
  const everywhere = fields.has('revokeAcrossAllTenants') ? fields.flag('revokeAcrossAllTenants') : true
  // No accounts are linked here, but a flag of the wrong type is still refused.
  if (fields.has('revokeSessionsForLinkedAccounts')) fields.flag('revokeSessionsForLinkedAccounts')
  requirePublicTenant(everywhere, tenantId, protocol)
  const revoked = await app.core.revokeAllSessionsForUser(userId, everywhere ? {} : { tenantId })
  return replyJson({ status: 'OK', sessionHandlesRevoked: revoked })
}

async function listOfUser({ app, protocol, tenantId, query }: CdiRequest): Promise<Reply> {
  const userId = queryText(query, 'userId')
  const everywhere = queryFlag(query, 'fetchAcrossAllTenants', true)
  requirePublicTenant(everywhere, tenantId, protocol)
  const sessionHandles = await app.core.getAllSessionHandlesForUser(userId, everywhere ? {} : { tenantId })
  return replyJson({ status: 'OK', sessionHandles })
}

/** From version 5.0 on, a call for all tenants must not name one. @throws RejectedRequest with 403 */
function requirePublicTenant(everywhere: boolean, tenantId: string, { isStrict }: Protocol): void {
  if (everywhere && tenantId !== 'public' && isStrict) throw new RejectedRequest(publicTenantOnly)
}

async function writeData({ app, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  await app.core.updateSessionInfo(fields.text('sessionHandle'), fields.object('userDataInDatabase'))
  return replyJson({ status: 'OK' })
}

async function readData({ app, query }: CdiRequest): Promise<Reply> {
  const userDataInDatabase = await app.core.getSessionInfo(queryText(query, 'sessionHandle'))
  return replyJson({ status: 'OK', userDataInDatabase })
}

async function writePayload({ app, protocol, body }: CdiRequest): Promise<Reply> {
  const fields = await body()
  const handle = fields.text('sessionHandle')
  const payload = fields.object('userDataInJWT')
  requireUnprotected(payload, protocol.accessTokenVersion)
  await app.core.updateJwtPayload(handle, payload)
  return replyJson({ status: 'OK' })
}

async function readPayload({ app, query }: CdiRequest): Promise<Reply> {
  const { jwtPayload } = await app.core.getStoredSession(queryText(query, 'sessionHandle'))
  return replyJson({ status: 'OK', userDataInJWT: jwtPayload })
}

/** The field `accessTokenValidity` of newer versions, in milliseconds, at most as configured; infinity without it. */
function lifetimeOf(app: Application, protocol: Protocol, fields: Fields): Milliseconds {
  if (!protocol.isEager || !fields.has('accessTokenValidity')) return Number.POSITIVE_INFINITY
  const lifetime = fields.number('accessTokenValidity')
  if (lifetime > 0 && lifetime <= app.policy.accessTokenLifetime) return lifetime
  fail('accessTokenValidity must be greater than 0 and at most the configured validity')
}

/**
 * Another token format may have allowed a payload that this version's tokens cannot carry: then there is no session.
 */
function withoutProtected(handler: CdiHandler): CdiHandler {
  return async request => {
    try {
      return await handler(request)
    } catch (error) {
      if (error instanceof ProtectedClaimError) return unauthorised('The payload contains a protected field.')
      throw error
    }
  }
}
