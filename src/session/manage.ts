import { SessionNotFoundError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { RevokeOptions } from './core.ts'
import type { Engine } from './engine.ts'
import { activeBounds, changeStart, isActive, notBeforeAt } from './policy.ts'
import type { SessionRecord } from './record.ts'
import { removeInParts, removeOfUser } from './removals.ts'
import type { ListedSession, LoginFilter, PageRequest, Removal, SessionPage } from './store.ts'
import type { SessionList, SessionSummary } from './summary.ts'

type Ending = 'revoked' | 'signed-out' | 'evicted'

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
 * Revokes the sessions of a user, newest first, including those that are being created. If it fails, some may be
 * revoked already: call it again.
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
  if (record === null || !isActive(record, activeBounds(await engine.now(), engine.policy))) {
    throw new SessionNotFoundError()
  }
  return record
}

/** Which sessions of a user a list contains. */
export interface ListedUser {
  readonly userId: string
  /** The id of the tenant; null: all tenants. */
  readonly tenantId: string | null
}

/** How many pages of the store a page of a part of a user's sessions may take. */
const PARTIAL_PAGES = 10

/**
 * Returns a page of the active sessions of a user. With a tenant, it is filled from further pages of the store where
 * sessions of other tenants leave gaps.
 */
export async function list(
  engine: Engine,
  { userId, tenantId }: ListedUser,
  page: PageRequest,
): Promise<SessionList> {
  const { sessions, next } = await listActive(
    engine, userId, tenantId === null ? null : session => isOfTenant(session, tenantId), page)
  return { sessions: sessions.map(summarize), next }
}

/**
 * Returns a page of the active sessions of a user for which `belongs` is true; null: of all. It is filled from further
 * pages of the store where others leave gaps.
 */
export async function listActive(
  { store, now, policy }: Engine,
  userId: string,
  belongs: ((session: ListedSession) => boolean) | null,
  page: PageRequest,
): Promise<SessionPage> {
  const found: ListedSession[] = []
  let { after } = page
  for (let reads = 0; reads < PARTIAL_PAGES; reads++) {
    const { sessions, next }: SessionPage = await store.listByUser(userId, { limit: page.limit - found.length, after })
    const bounds = activeBounds(await now(), policy)
    found.push(...sessions.filter(session => isActive(session, bounds) && (belongs === null || belongs(session))))
    after = next
    if (after === null || found.length === page.limit || belongs === null) break
  }
  return { sessions: found, next: after }
}

/**
 * Returns a page of the active sessions of all users that pass the filter, newest first. It may be shorter than its
 * limit, and even empty, although there is a next one: a call looks at no more than 1,000 sessions. 1 store call.
 * @throws InvalidDataError if `after` is not the `next` of a page.
 */
export async function newestLogins(
  { store, now, policy }: Pick<Engine, 'store' | 'now' | 'policy'>,
  filter: LoginFilter,
  page: PageRequest,
): Promise<SessionPage> {
  const { sessions, next } = await store.listNewest(filter, page)
  const bounds = activeBounds(await now(), policy)
  return { sessions: sessions.filter(session => isActive(session, bounds)), next }
}

/** Yields the active sessions of a user in pages, newest first. */
export async function* listInPages(
  engine: Engine,
  user: ListedUser,
  limit: number,
): AsyncGenerator<readonly SessionSummary[]> {
  let after: string | null = null
  do {
    const page: SessionList = await list(engine, user, { limit, after })
    yield page.sessions
    after = page.next
  } while (after !== null)
}

/** Returns the handles of a user's active sessions, newest first. */
export async function listHandles(engine: Engine, user: ListedUser): Promise<readonly string[]> {
  const handles: string[] = []
  for await (const sessions of listInPages(engine, user, 1000)) handles.push(...sessions.map(({ handle }) => handle))
  return handles
}

/** Whether a session belongs to the tenant; null: to any. */
export function isOfTenant(session: Pick<SessionRecord, 'tenantId'>, tenantId: string | null): boolean {
  return tenantId === null || session.tenantId === tenantId
}

/** Copies an allowlist of fields: no hashes (REV-03), and not the time of the last refresh. */
export function summarize(record: ListedSession): SessionSummary {
  const { handle, userId, tenantId, createdAt, expiresAt, client } = record
  return {
    handle, userId, tenantId, createdAt, expiresAt: Math.ceil(expiresAt / DAY) * DAY,
    ip: client.ip, userAgent: client.userAgent,
  }
}

/** Parses a handle that a caller passed. @throws SessionNotFoundError if it is none. */
export function handleOf(text: string): SessionHandle {
  const handle = parseHandle(text)
  if (handle === null) throw new SessionNotFoundError()
  return handle
}
