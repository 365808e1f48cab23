import { encodeBase64url } from '../base/base64url.ts'
import { UnauthorizedError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import type { KeyKeeper } from '../tokens/key-keeper.ts'
import { hashAnchor, hashSecret } from '../tokens/refresh-token.ts'
import { requireWritable } from './access-token-length.ts'
import type { IssuedSession, NewSession } from './core.ts'
import type { Foundation } from './foundation.ts'
import type { Codecs, Internals } from './internals.ts'
import { issueAccessToken } from './issue.ts'
import { end } from './manage.ts'
import { expiryOf, isAlive, lifetimesOf, livenessAt } from './policy.ts'
import { RECORD_FORMAT } from './record.ts'
import type { SessionRecord } from './record.ts'
import type { SessionPage } from './store.ts'
import { requireCoreUserId, requireTenantId, requireUserId } from './identifiers.ts'

/** A session that is not in the store yet, and its first refresh token. */
export interface PreparedSession {
  readonly record: SessionRecord
  readonly refreshToken: string
}

/** Starts a session: a new handle and a new secret, never anything that the client sent (ROT-06). */
export async function create<Payload extends object, Info extends object>(
  internals: Internals<Payload, Info>,
  session: NewSession<Payload, Info>,
): Promise<IssuedSession<Payload>> {
  requireUserId(session.userId)
  // Everything that can be refused is refused before the store is asked.
  const { record, refreshToken } = await prepareSession(internals, session, (subject, payload) => (
    requireWritable(internals.identity, subject, payload)
  ))
  const ring = await internals.keys.current()
  const access = await issueAccessToken(internals, ring, record, record.createdAt)
  await admitSession(internals, record)
  return { ...access, refreshToken, sessionExpiresAt: record.expiresAt }
}

/**
 * Judges what a session is to start with. Stores nothing. `check` throws for a payload, JSON text, that must not be
 * stored. @throws InvalidDataError
 */
export async function prepareSession<Payload extends object, Info extends object>(
  internals: Foundation & Codecs<Payload, Info> & { readonly keys: KeyKeeper },
  session: NewSession<Payload, Info>,
  check?: (subject: Pick<SessionRecord, 'userId' | 'tenantId'>, payload: string) => void,
): Promise<PreparedSession> {
  const { crypto, entropy, policy, payloads, infos } = internals
  const { options = {} } = session
  const userId = requireCoreUserId(session.userId)
  const tenantId = requireTenantId(options.tenantId ?? 'public')
  const jwtPayload = session.jwtPayload === undefined ? payloads.empty() : payloads.write(session.jwtPayload)
  const sessionInfo = session.sessionInfo === undefined ? infos.empty() : infos.write(session.sessionInfo)

  const now = await internals.now()
  const handle = createHandle(session.mode, entropy)
  const anchor = encodeBase64url(entropy(32))
  const secret = encodeBase64url(entropy(32))
  const lifetimes = lifetimesOf(options, policy, now)
  const [payload, info] = [await jwtPayload, await sessionInfo]
  check?.({ userId, tenantId }, payload)
  const key = (await internals.keys.current()).refreshKeyAt(now)
  const record: SessionRecord = {
    format: RECORD_FORMAT,
    handle,
    userId,
    tenantId,
    createdAt: now,
    authenticatedAt: now,
    refreshHash: await hashSecret(crypto, secret),
    anchorHash: await hashAnchor(crypto, anchor),
    refreshKeyId: key.kid,
    generation: 0,
    branch: 0,
    confirmed: true,
    rotatedAt: now,
    servedAt: now,
    ...lifetimes,
    expiresAt: expiryOf(now, lifetimes),
    persistent: options.persistent ?? true,
    jwtPayload: payload,
    payloadVersion: 0,
    sessionInfo: info,
    infoVersion: 0,
    client: session.client,
  }
  return { record, refreshToken: await key.write({ handle, generation: 0, branch: 0, anchor, secret }) }
}

/**
 * Stores a prepared session, makes room for it and tells of it.
 * @throws UnauthorizedError if all sessions of the user have been revoked since it was begun.
 */
export async function admitSession(internals: Foundation, record: SessionRecord): Promise<void> {
  const { store, policy, emit } = internals
  if (!await store.insert(record)) {
    throw new UnauthorizedError('all sessions of the user were revoked while this one was being started')
  }
  if (policy.maxSessionsPerUser !== null) await evictOldest(internals, record.userId, policy.maxSessionsPerUser)
  emit('onSessionCreated', { userId: record.userId, handle: record.handle })
}

/**
 * Ends a user's oldest sessions beyond the limit. Every login looks after its own insert, so that of parallel
 * logins the last one sees all of them (REV-06).
 */
async function evictOldest(internals: Foundation, userId: string, limit: number): Promise<void> {
  const bounds = livenessAt(internals.clock(), internals.policy)
  let kept = 0
  let after: string | null = null
  do {
    const page: SessionPage = await internals.store.listByUser(userId, { limit: 1000, after })
    const live = page.sessions.filter(record => isAlive(record, bounds))
    const surplus = live.slice(Math.max(0, limit - kept)).map(record => record.handle)
    if (surplus.length > 0) await end(internals, surplus, 'evicted')
    kept += live.length
    after = page.next
  } while (after !== null)
}
