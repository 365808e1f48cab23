import { UnauthorizedError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import type { Subject, TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { IssuedSession, NewSession } from './core.ts'
import type { CoreParts, Engine } from './engine.ts'
import { requireTenantId } from './identifiers.ts'
import { issue } from './issue.ts'
import { isOfTenant, revoke } from './manage.ts'
import { newLineage } from './new-lineage.ts'
import { expiryOf, isActive, lifetimesOf, activeBounds } from './policy.ts'
import { RECORD_FORMAT } from './record.ts'
import type { SessionRecord } from './record.ts'
import { REMOVAL_LIMIT } from './store.ts'
import type { SessionPage } from './store.ts'

/**
 * Creates a session, with a new handle and a new secret; nothing that the client sent is reused (ROT-06).
 * @throws UnauthorizedError if all sessions of the user were revoked while this one was being created.
 */
export async function create<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  session: NewSession<Payload, Info>,
  style: Style,
): Promise<IssuedSession<Payload, Claims>> {
  const { entropy, policy, keys, format, payloads, infos, store, emit } = parts
  const { options = {} } = session
  // All checks come before the store call.
  const userId = parts.requireUserId(session.userId)
  const tenantId = requireTenantId(options.tenantId ?? 'public')
  const [jwtPayload, sessionInfo, now] = await Promise.all([
    session.jwtPayload === undefined ? payloads.empty() : payloads.write(session.jwtPayload),
    session.sessionInfo === undefined ? infos.empty() : infos.write(session.sessionInfo),
    parts.now(),
  ])
  const lifetimes = lifetimesOf(options, policy, now)
  const refusal = format.findLengthProblem({ userId, tenantId }, jwtPayload, style)
  if (refusal !== null) throw refusal
  const handle = createHandle(session.mode, entropy)
  const ring = await keys.current()
  const { refreshToken, fields } = await newLineage(parts, ring, handle, { generation: 0, authenticatedAt: now }, now)
  const record: SessionRecord = {
    format: RECORD_FORMAT,
    handle,
    userId,
    tenantId,
    createdAt: now,
    ...fields,
    ...lifetimes,
    expiresAt: expiryOf(now, lifetimes),
    persistent: options.persistent ?? true,
    jwtPayload,
    payloadVersion: 0,
    sessionInfo,
    infoVersion: 0,
    client: session.client,
  }
  const issued = await issue(parts, ring, record, { refreshToken, presented: null }, style, now)
  if (!await store.insert(record)) {
    throw new UnauthorizedError('all sessions of the user were revoked while this one was being created: log in again')
  }
  if (policy.maxSessionsPerUser !== null) await evictOldest(parts, { userId, tenantId }, policy.maxSessionsPerUser)
  emit('onSessionCreated', { userId, handle })
  return issued
}

/**
 * Revokes a user's oldest sessions beyond the limit, in the tenant of the login: in another tenant, the same user id
 * may be another person's. Each login checks after its own insert, so that the last of parallel logins sees all
 * sessions (REV-06). If there are many, as after the limit was lowered, the next logins go on.
 */
export async function evictOldest(engine: Engine, { userId, tenantId }: Subject, limit: number): Promise<void> {
  const bounds = activeBounds(engine.clock(), engine.policy)
  const pageSize = Math.min(1000, limit + REMOVAL_LIMIT)
  let kept = 0
  let evicted = 0
  let after: string | null = null
  do {
    const page: SessionPage = await engine.store.listByUser(userId, { limit: pageSize, after })
    const live = page.sessions.filter(record => isActive(record, bounds) && isOfTenant(record, tenantId))
    const surplus = live.slice(Math.max(0, limit - kept)).map(record => record.handle)
    if (surplus.length > 0) await revoke(engine, surplus, 'evicted')
    evicted += surplus.length
    kept += live.length
    after = page.next
  } while (after !== null && evicted < REMOVAL_LIMIT)
}
