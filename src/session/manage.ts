import { GeneralError, SessionNotFoundError } from '../base/errors.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { Subject, TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { RevokeOptions, SessionList, SessionSummary } from './core.ts'
import type { Codecs } from './application-data.ts'
import type { CoreParts, Engine } from './engine.ts'
import { MAX_USER_ID_LENGTH } from './identifiers.ts'
import { changeStart, isActive, activeBounds, notBeforeAt } from './policy.ts'
import type { SessionRecord } from './record.ts'
import { removeInParts, removeOfUser } from './removals.ts'
import type { ListedSession, Removal } from './store.ts'

type Ending = 'revoked' | 'evicted'

/** How often an update is attempted while others change the same session data. */
const INFO_ATTEMPTS = 50

const DAY = 86_400_000

/**
 * Revokes sessions, and returns the handles of those that existed. This process rejects their tokens at once, other
 * processes as soon as they have read the feed.
 */
export async function revoke(
  engine: Engine,
  handles: readonly SessionHandle[],
  reason: Ending,
): Promise<readonly SessionHandle[]> {
  if (handles.length === 0) return []
  return announce(engine, removeInParts(engine.store, handles, changeStart(await engine.now())), reason)
}

/**
 * Revokes the sessions of a user, newest first, including those that are being created. If it fails, some may be revoked
 * already: call it again.
 */
export async function revokeByUser(
  engine: Engine,
  userId: string,
  { except, tenantId }: RevokeOptions,
): Promise<readonly SessionHandle[]> {
  const now = await engine.now()
  return announce(engine, removeOfUser(engine.store, {
    userId,
    tenantId: tenantId ?? null,
    except: except === undefined ? null : parseHandle(except),
    from: changeStart(now),
    notBefore: notBeforeAt(now),
  }), 'revoked')
}

/** Makes each part of a removal known as soon as it is written. Returns the handles of all. */
async function announce(
  engine: Engine,
  removals: AsyncIterable<Removal>,
  reason: Ending,
): Promise<readonly SessionHandle[]> {
  const revoked: SessionHandle[] = []
  for await (const { handles, until } of removals) {
    if (handles.length === 0) continue
    engine.feed.applyLocally({ kind: 'revoked', handles, until })
    engine.emit('onSessionRevoked', { handles, reason })
    revoked.push(...handles)
  }
  return revoked
}

/** Reads an active session. @throws SessionNotFoundError if it does not exist, has expired or was revoked. */
export async function getActive(
  engine: Engine,
  text: string,
): Promise<SessionRecord> {
  const record = await engine.store.find(handleOf(text))
  if (record === null || !isActive(record, activeBounds(await engine.now(), engine.policy))) throw new SessionNotFoundError()
  return record
}

/**
 * Replaces the session data. A function computes it from the current data, and no other update is lost. With
 * `expected`, replaces it only if it still has that version. Returns whether it was replaced.
 */
export async function updateInfo<Info extends object>(
  engine: Engine & Pick<Codecs<object, Info>, 'infos'>,
  text: string,
  info: Info | ((current: Info) => Awaitable<Info>),
  expected: number | null = null,
): Promise<boolean> {
  const { store, infos, now } = engine
  if (typeof info !== 'function' && expected === null) {
    const sessionInfo = await infos.write(info)
    const update = { handle: handleOf(text), sessionInfo, expectedVersion: null, now: await now() }
    if (!await store.updateInfo(update)) throw new SessionNotFoundError()
    return true
  }
  for (let attempt = 0; attempt < INFO_ATTEMPTS; attempt++) {
    const { handle, sessionInfo: current, infoVersion: expectedVersion } = await getActive(engine, text)
    if (expected !== null && expected !== expectedVersion) return false
    const sessionInfo = await infos.write(typeof info === 'function' ? await info(infos.read(current)) : info)
    if (await store.updateInfo({ handle, sessionInfo, expectedVersion, now: await now() })) return true
  }
  throw new GeneralError('STORE_UNAVAILABLE', `other updates changed the session info ${INFO_ATTEMPTS} times first`)
}

/** The subject with the longest JSON: each control character takes six characters. */
const longestSubject: Subject = { userId: '\u0001'.repeat(MAX_USER_ID_LENGTH), tenantId: 'x'.repeat(64) }

/**
 * Replaces the JWT payload and appends a change for all processes. Returns the payload as a JSON string, and its new
 * version. A payload with which an access token could become too long is rejected (S-12); the session is read for that
 * only if the payload is long.
 * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
 */
export async function updatePayload<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  text: string,
  payload: Payload,
  subject: Subject | null,
): Promise<{ readonly json: string; readonly version: number }> {
  const { format, payloads, store, feed } = parts
  const json = await payloads.write(payload)
  if (format.refusal(longestSubject, json, null) !== null) {
    const refusal = format.refusal(subject ?? await getActive(parts, text), json, null)
    if (refusal !== null) throw refusal
  }
  const handle = handleOf(text)
  const now = await parts.now()
  const updated = await store.updatePayload({ handle, jwtPayload: json, now, from: changeStart(now) })
  if (updated === null) throw new SessionNotFoundError()
  feed.applyLocally({ kind: 'payload', handle, ...updated })
  return { json, version: updated.version }
}

/** Returns a page of the active sessions of a user. */
export async function list(
  engine: Engine,
  userId: string,
  page: { readonly limit: number; readonly after: string | null },
): Promise<SessionList> {
  const { sessions, next } = await engine.store.listByUser(userId, page)
  const bounds = activeBounds(await engine.now(), engine.policy)
  return { sessions: sessions.filter(record => isActive(record, bounds)).map(summarize), next }
}

/** Returns the handles of a user's active sessions, in one tenant or in all, newest first. */
export async function listHandles(
  engine: Engine,
  userId: string,
  tenantId: string | null = null,
): Promise<readonly string[]> {
  const handles: string[] = []
  let after: string | null = null
  do {
    const page: SessionList = await list(engine, userId, { limit: 1000, after })
    const sessions = page.sessions.filter(session => tenantId === null || session.tenantId === tenantId)
    handles.push(...sessions.map(session => session.handle))
    after = page.next
  } while (after !== null)
  return handles
}

/** Copies an allowlist of fields: no hashes (REV-03), and not the time of the last refresh. */
export function summarize(record: ListedSession): SessionSummary {
  const { handle, userId, tenantId, createdAt, expiresAt, client } = record
  return {
    handle, userId, tenantId, createdAt, expiresAt: Math.ceil(expiresAt / DAY) * DAY,
    ip: client.ip, userAgent: client.userAgent,
  }
}

function handleOf(text: string): SessionHandle {
  const handle = parseHandle(text)
  if (handle === null) throw new SessionNotFoundError()
  return handle
}
