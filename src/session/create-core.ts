import { parseHandle } from '../base/handle.ts'
import { callback, checkOptions, checkValue, number, rule, text, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { toEpochSeconds } from '../base/time.ts'
import { createAntiCsrfToken, isAntiCsrfToken } from '../tokens/anti-csrf.ts'
import { LONGEST_RETENTION } from '../tokens/plan-rotation.ts'
import type { TokenClaims, TokenFormat, TokenStyle } from '../tokens/token-format.ts'
import type { Codecs } from './application-data.ts'
import type { ListOptions, RevokeOptions, SessionCore, StoredSession, TenantOptions } from './core.ts'
import { create } from './create.ts'
import type { CoreParts, Engine } from './engine.ts'
import { identifyAccessToken, ownerOfRefreshToken } from './identify.ts'
import { reissueAccessToken } from './issue.ts'
import { getActive, list, listHandles, revoke, revokeByUser, summarize } from './manage.ts'
import type { ListedUser } from './manage.ts'
import { tenantIdRule } from './policy.ts'
import { reauthenticate } from './reauthenticate.ts'
import { refresh } from './refresh.ts'
import { removeEverySession } from './removals.ts'
import { updateInfo, updatePayload, updatePayloadIf, updatePayloadsOfUser } from './updates.ts'
import { timeVerification } from './timed-verification.ts'
import { createVerification } from './verify.ts'

/** The rules of the options of `getAllSessionHandlesForUser` and `updateJwtPayloadForUser`. */
export const tenantRules: RulesFor<TenantOptions> = { tenantId: tenantIdRule }

/** The rules of the options of `revokeAllSessionsForUser`. */
export const revokeRules: RulesFor<RevokeOptions> = { ...tenantRules, except: text('the handle of a session') }

/** The default `limit` of `listSessions`. */
const PAGE = 100

/** The rules of the options of `listSessions`. */
export const listRules: RulesFor<ListOptions> = {
  ...tenantRules,
  limit: withDefault(PAGE, number(null, 1, 1000)),
  after: rule('a string or null', (value): value is string | null => typeof value === 'string' || value === null),
}

const computeRule = callback<object>()

/** Creates the session operations for one token format. Several token formats can share an engine. */
export function createSessionCore<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  engine: Engine,
  format: TokenFormat<Style, Claims>,
  codecs: Codecs<Payload, Info>,
): SessionCore<Payload, Info, Style, Claims> {
  const parts: CoreParts<Payload, Info, Style, Claims> = { ...engine, ...codecs, format }
  const { policy, clock, store, entropy, keys, feed, cleanup } = engine
  const { payloads, infos, requireUserId } = codecs
  const userOf = (userId: string, { tenantId = null }: TenantOptions | { readonly tenantId: null }): ListedUser => (
    { userId: requireUserId(userId), tenantId }
  )

  async function getStoredSession(handle: string): Promise<StoredSession<Payload, Info>> {
    const record = await getActive(parts, handle)
    return { record, jwtPayload: payloads.read(record.jwtPayload), sessionInfo: infos.read(record.sessionInfo) }
  }

  return {
    policy,
    clock,
    create: (session, style = format.defaultStyle) => {
      cleanup.start()
      return create(parts, session, style)
    },
    ...timeVerification(createVerification(parts), engine.tally),
    refresh: (text, channel, client, style = format.defaultStyle) => refresh(parts, text, channel, client, style),
    reauthenticate: (claims, client, style = format.defaultStyle) => reauthenticate(parts, claims, client, style),
    async reissue(claims, payload) {
      const { sub: userId, sid, tid: tenantId } = claims
      const stored = payload === undefined
        ? await getActive(parts, sid).then(({ jwtPayload, payloadVersion }) => ({
          json: jwtPayload,
          version: payloadVersion,
        }))
        : await updatePayload(parts, sid, payload, { userId, tenantId })
      const now = clock()
      return reissueAccessToken(parts, { ...claims, iat: toEpochSeconds(now), pv: stored.version }, stored.json, now)
    },
    identify: accessToken => identifyAccessToken(parts, accessToken),
    ownerOfRefreshToken: text => ownerOfRefreshToken(parts, format.refreshTokenIn(text)),
    async createAntiCsrfToken(handle) {
      const ring = await keys.current()
      return createAntiCsrfToken(ring.refreshKeyAt(clock()), handle, entropy)
    },
    isAntiCsrfToken: async (handle, text) => isAntiCsrfToken(await keys.current(), handle, text),
    async rotateKeys() {
      await keys.rotateNow()
    },
    getJwks: async () => (await keys.current()).jwks(...format.keyRequests.map(({ purpose }) => purpose)),

    async getSessionByHandle(handle) {
      const { record, jwtPayload, sessionInfo } = await getStoredSession(handle)
      return { ...summarize(record), jwtPayload, sessionInfo }
    },
    getStoredSession,
    getSessionInfo: async handle => infos.read((await getActive(parts, handle)).sessionInfo),
    async updateSessionInfo(handle, info) {
      await updateInfo(parts, handle, info)
    },
    updateSessionInfoIf: (version, handle, info) => updateInfo(parts, handle, info, version),
    async updateJwtPayload(handle, payload) {
      await updatePayload(parts, handle, payload, null)
    },
    updateJwtPayloadIf: (version, handle, payload) => updatePayloadIf(parts, version, handle, payload),
    async updateJwtPayloadForUser(userId, change, options = {}) {
      checkOptions('updateJwtPayloadForUser', tenantRules, options)
      checkValue('the second argument of updateJwtPayloadForUser', computeRule, change)
      return updatePayloadsOfUser(parts, userOf(userId, options), change)
    },
    async revokeSession(handle) {
      const parsed = parseHandle(handle)
      return parsed !== null && (await revoke(parts, [parsed], 'revoked')).length > 0
    },
    revokeSessions: handles => (
      revoke(parts, [...new Set(handles)].map(parseHandle).filter(handle => handle !== null), 'revoked')
    ),
    signOut: async handles => void await revoke(parts, handles, 'signed-out'),
    async revokeAllSessionsForUser(userId, options = {}) {
      checkOptions('revokeAllSessionsForUser', revokeRules, options)
      return revokeByUser(parts, requireUserId(userId), options)
    },
    async revokeEverySession() {
      const now = await engine.now()
      await keys.replaceAll(now + LONGEST_RETENTION)
      await removeEverySession(store, now)
    },
    async getAllSessionHandlesForUser(userId, options = {}) {
      checkOptions('getAllSessionHandlesForUser', tenantRules, options)
      return listHandles(parts, userOf(userId, options))
    },
    async listSessions(userId, page = {}) {
      checkOptions('listSessions', listRules, page)
      return list(parts, userOf(userId, page), { limit: page.limit ?? PAGE, after: page.after ?? null })
    },
    onRevoked: (handle, listener) => feed.onRevoked(handle, listener),
    ready: options => engine.ready(options),
    health: () => engine.health(),
    close: () => engine.close(),
  }
}
