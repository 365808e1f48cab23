import { GeneralError, SessionNotFoundError } from '../base/errors.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { isAlwaysWritable, requireWritable } from './access-token-length.ts'
import type { Subject } from './access-token-length.ts'
import type { RevokeOptions, SessionList, SessionSummary } from './core.ts'
import type { Foundation } from './foundation.ts'
import type { Codecs } from './internals.ts'
import type { TokenIdentity } from './issue.ts'
import { changeStart, isAlive, livenessAt, notBeforeAt } from './policy.ts'
import type { SessionRecord } from './record.ts'
import type { Removal, RemovedPage, SessionStore } from './store.ts'

type Ending = 'revoked' | 'evicted'

/** How often an update is tried while others change the same session info. */
const INFO_ATTEMPTS = 50

/** How many sessions one store call removes when all are. */
const REMOVAL_PAGE = 1000

const DAY = 86_400_000

/**
 * Ends sessions; the handles that were really ended. This process refuses them from here on, the others within the
 * feed's delay.
 */
export async function end(
  internals: Foundation,
  handles: readonly SessionHandle[],
  reason: Ending,
): Promise<readonly SessionHandle[]> {
  if (handles.length === 0) return []
  return announce(internals, await internals.store.remove(handles, changeStart(await internals.now())), reason)
}

/** Ends the sessions of a user, and those that are being started. */
export async function endAllOfUser(
  internals: Foundation,
  userId: string,
  { except, tenantId = null }: Omit<RevokeOptions, 'tenantId'> & { readonly tenantId?: string | null } = {},
): Promise<readonly SessionHandle[]> {
  const now = await internals.now()
  return announce(internals, await internals.store.removeByUser({
    userId,
    tenantId,
    except: except === undefined ? null : parseHandle(except),
    from: changeStart(now),
    notBefore: notBeforeAt(now),
  }), 'revoked')
}

/** Removes the sessions of everybody that did not begin after `now`, when their keys are gone already. */
export async function removeEverySession(
  store: Pick<SessionStore, 'removeAll'>,
  now: EpochMilliseconds,
): Promise<void> {
  const notBefore = notBeforeAt(now)
  let after: string | null = null
  do {
    const page: RemovedPage = await store.removeAll({ notBefore, limit: REMOVAL_PAGE, after })
    after = page.next
  } while (after !== null)
}

function announce(
  internals: Foundation,
  { handles, until }: Removal,
  reason: Ending,
): readonly SessionHandle[] {
  if (handles.length === 0) return handles
  internals.feed.note({ kind: 'revoked', handles, until })
  internals.emit('onSessionRevoked', { handles, reason })
  return handles
}

/** Reads a live session. @throws SessionNotFoundError if it is gone. */
export async function findLive(
  internals: Foundation,
  text: string,
): Promise<SessionRecord> {
  const record = await internals.store.find(handleOf(text))
  if (record === null || !isAlive(record, livenessAt(await internals.now(), internals.policy))) throw new SessionNotFoundError()
  return record
}

/** Replaces the session info, or derives it from the current without losing an update of somebody else. */
export async function updateInfo<Info extends object>(
  internals: Foundation & Pick<Codecs<object, Info>, 'infos'>,
  text: string,
  info: Info | ((current: Info) => Awaitable<Info>),
): Promise<void> {
  const { store, infos, now } = internals
  if (typeof info !== 'function') {
    const sessionInfo = await infos.write(info)
    const update = { handle: handleOf(text), sessionInfo, expectedVersion: null, now: await now() }
    if (!await store.updateInfo(update)) throw new SessionNotFoundError()
    return
  }
  for (let attempt = 0; attempt < INFO_ATTEMPTS; attempt++) {
    const record = await findLive(internals, text)
    const sessionInfo = await infos.write(await info(infos.read(record.sessionInfo)))
    const update = { handle: record.handle, sessionInfo, expectedVersion: record.infoVersion, now: await now() }
    if (await store.updateInfo(update)) return
  }
  throw new GeneralError('STORE_UNAVAILABLE', 'the session info was being changed by too many others at once')
}

/**
 * Replaces the JWT payload and tells every process. The new version. With `tokens`, what the session's tokens say, a
 * payload is refused that none of them could carry (S-12); the subject is looked for only if the payload is long.
 * @throws SessionNotFoundError if the session is gone.
 */
export async function updatePayload<Payload extends object>(
  internals: Foundation & Pick<Codecs<Payload, object>, 'payloads'>,
  text: string,
  payload: Payload,
  tokens?: { readonly identity: TokenIdentity; readonly subject: Subject | (() => Promise<Subject>) },
): Promise<{ readonly json: string; readonly version: number }> {
  const json = await internals.payloads.write(payload)
  if (tokens !== undefined && !isAlwaysWritable(tokens.identity, json)) {
    const { identity, subject } = tokens
    requireWritable(identity, typeof subject === 'function' ? await subject() : subject, json)
  }
  const handle = handleOf(text)
  const now = await internals.now()
  const updated = await internals.store.updatePayload({ handle, jwtPayload: json, now, from: changeStart(now) })
  if (updated === null) throw new SessionNotFoundError()
  internals.feed.note({ kind: 'payload', handle, ...updated })
  return { json, version: updated.version }
}

/** A page of the live sessions of a user. */
export async function list(
  internals: Foundation,
  userId: string,
  page: { readonly limit?: number; readonly after?: string | null },
): Promise<SessionList> {
  const limit = Math.min(1000, Math.max(1, Math.floor(page.limit ?? 100)))
  const { sessions, next } = await internals.store.listByUser(userId, { limit, after: page.after ?? null })
  const bounds = livenessAt(await internals.now(), internals.policy)
  return { sessions: sessions.filter(record => isAlive(record, bounds)).map(summarize), next }
}

/** The handles of a user's live sessions, newest first. */
export async function listHandles(internals: Foundation, userId: string): Promise<readonly string[]> {
  const handles: string[] = []
  let after: string | null = null
  do {
    const page: SessionList = await list(internals, userId, { limit: 1000, after })
    handles.push(...page.sessions.map(session => session.handle))
    after = page.next
  } while (after !== null)
  return handles
}

/** An allowlist of fields: nothing that is hashed or derived leaves (REV-03), nor when the session was refreshed. */
export function summarize(record: SessionRecord): SessionSummary {
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
