import {
  create, createAntiCsrfToken, createKeyVault, end, endAllOfUser, findLive, identifyAccessToken, isAntiCsrfToken, list,
  listHandles, ownerOfRefreshToken, refresh, reissueAccessToken, removeEverySession, updateInfo, updatePayload,
} from '#session-flows'
import { parseHandle } from '../base/handle.ts'
import { checkOptions, number, rule, text, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { checkPayload, decodeOwnerUnverified, decodeSessionHandleUnverified } from '../tokens/access-token.ts'
import type { SignatureAlgorithm } from '../tokens/crypto.ts'
import { createKeyKeeper } from '../tokens/key-keeper.ts'
import { createKeyPolicy, LONGEST_RETENTION } from '../tokens/plan-rotation.ts'
import { checkSize, createDataCodec, MAX_PAYLOAD_BYTES } from './application-data.ts'
import { createConfirmations } from './confirmations.ts'
import type { ListOptions, RevokeOptions, SessionCore } from './core.ts'
import { createFoundation } from './foundation.ts'
import type { Foundation, FoundationDependencies } from './foundation.ts'
import type { Internals } from './internals.ts'
import { tenantIdRule } from './policy.ts'
import { requireUserId } from './identifiers.ts'
import { createVerification } from './verify.ts'

/** Everything that the core needs from outside. */
export interface CoreDependencies<Payload extends object, Info extends object> extends FoundationDependencies {
  readonly issuer: string
  /** The application's name in the store: refresh tokens are bound to it and to the audience. */
  readonly application: string
  readonly audience: string | null
  readonly algorithm: SignatureAlgorithm
  readonly secrets: readonly string[]
  readonly payloadSchema: StandardSchema<Payload> | undefined
  readonly infoSchema: StandardSchema<Info> | undefined
}

/** What the options of `revokeAllSessionsForUser` accept. */
export const revokeRules: RulesFor<RevokeOptions> = {
  except: text('the handle of a session'),
  tenantId: tenantIdRule,
}

/** What the options of `listSessions` accept. */
export const listRules: RulesFor<ListOptions> = {
  limit: withDefault(100, number(null, 1, 1000)),
  after: rule('a text or null', (value): value is string | null => typeof value === 'string' || value === null),
}

/** Puts the rules, the flows and what they need from outside together. Opens nothing and reads nothing yet. */
export function createCore<Payload extends object, Info extends object>(
  dependencies: CoreDependencies<Payload, Info>,
): SessionCore<Payload, Info> {
  const foundation: Foundation = createFoundation(dependencies, () => keys.reload())
  const { store, crypto, clock, entropy, policy, feed, housekeeping, emit, failed, learnTime } = foundation
  const keys = createKeyKeeper({
    store,
    crypto,
    clock,
    learnTime,
    // The first reading of the keys loads all flows with it: what a login needs is there before anybody logs in.
    createVault: createKeyVault,
    application: { name: dependencies.application, audience: dependencies.audience },
    demands: [{ purpose: 'access', algorithm: dependencies.algorithm }],
    keyPolicy: createKeyPolicy(policy),
    secrets: dependencies.secrets,
    onRotated: key => emit('onKeyRotated', { kid: key.kid, purpose: key.purpose }),
    onSessionsEnded: feed.endAll,
    onError: failed('key rotation'),
  })
  const confirmations = createConfirmations({
    store, schedule: dependencies.schedule, onError: failed('confirmation'),
  })
  const internals: Internals<Payload, Info> = {
    ...foundation, keys, confirmations,
    identity: { issuer: dependencies.issuer, audience: dependencies.audience },
    payloads: createDataCodec({
      name: 'JWT payload',
      schema: dependencies.payloadSchema,
      check: (payload, text) => {
        checkPayload(payload)
        checkSize('JWT payload', text, MAX_PAYLOAD_BYTES)
      },
    }),
    infos: createDataCodec({
      name: 'session info',
      schema: dependencies.infoSchema,
      check: (_, text) => checkSize('session info', text, policy.maxSessionInfoBytes),
    }),
  }

  return {
    policy,
    clock,
    create: session => {
      housekeeping.start()
      return create(internals, session)
    },
    ...createVerification(internals),
    refresh: (text, channel, client) => refresh(internals, text, channel, client),
    async reissue(claims, payload) {
      const { identity } = internals
      const subject = { userId: claims.sub, tenantId: claims.tid }
      const stored = await updatePayload(internals, claims.sid, payload, { identity, subject })
      return reissueAccessToken(internals, await keys.current(), claims, stored, clock())
    },
    identify: accessToken => identifyAccessToken(internals, accessToken),
    ownerOfAccessToken: text => decodeOwnerUnverified(text, dependencies.issuer, crypto),
    ownerOfRefreshToken: text => ownerOfRefreshToken(internals, text),
    peekHandle: text => decodeSessionHandleUnverified(text, crypto),
    async createAntiCsrfToken(handle) {
      const ring = await keys.current()
      return createAntiCsrfToken(ring.refreshKeyAt(clock()), handle, entropy)
    },
    isAntiCsrfToken: async (handle, text) => isAntiCsrfToken(await keys.current(), handle, text),
    rotateKeys: () => keys.rotateNow(),
    getJwks: async () => (await keys.current()).jwks('access'),

    getSessionInfo: async handle => internals.infos.read((await findLive(internals, handle)).sessionInfo),
    updateSessionInfo: (handle, info) => updateInfo(internals, handle, info),
    async updateJwtPayload(handle, payload) {
      const { identity } = internals
      await updatePayload(internals, handle, payload, { identity, subject: () => findLive(internals, handle) })
    },
    async revokeSession(handle) {
      const parsed = parseHandle(handle)
      return parsed !== null && (await end(internals, [parsed], 'revoked')).length > 0
    },
    revokeSessions: handles => end(internals, handles.map(parseHandle).filter(handle => handle !== null), 'revoked'),
    async revokeAllSessionsForUser(userId, options = {}) {
      checkOptions('revokeAllSessionsForUser', revokeRules, options)
      return endAllOfUser(internals, requireUserId(userId), options)
    },
    async revokeEverySession() {
      const now = await foundation.now()
      await keys.replaceAll(now + LONGEST_RETENTION)
      await removeEverySession(store, now)
    },
    getAllSessionHandlesForUser: async userId => listHandles(internals, requireUserId(userId)),
    async listSessions(userId, page = {}) {
      checkOptions('listSessions', listRules, page)
      return list(internals, requireUserId(userId), page)
    },
    onRevoked: (handle, listener) => feed.onRevoked(handle, listener),
    async close() {
      housekeeping.close()
      await feed.close()
      await confirmations.close()
      await store.close()
    },
  }
}
