import type { Revoked, SessionRow, SessionRows } from '../../../src/console/api-types.ts'
import { ask, change, read, withQuery } from './api.ts'
import { count } from './words.ts'

/** What a list of sessions is narrowed to. Empty: everything. */
export interface SessionFilter {
  readonly user: string
  readonly tenant: string
  readonly ip: string
  readonly device: string
}

/** How many pages without a match are read before the operator is asked whether to go on. */
const PATIENCE = 8
/** The most that the API returns at once. */
const MOST = 200
/** Sessions of a user are counted up to here. */
const COUNTED = 1000

/** A page of sessions. Pages on which nothing matches are skipped, up to a limit: then it is empty, with a `next`. */
export function findSessions(
  { user, tenant, ip, device }: SessionFilter, after: string | null, abort?: AbortSignal, limit = 50,
): Promise<SessionRows> {
  const query = { userId: user || null, tenantId: tenant || null, ip: ip || null, device: device || null }
  return search(query, after, abort, limit)
}

/** A page of the sessions of a user, of whom only the id is known: it may be any text, even an empty one. */
export function sessionsOf(
  userId: string, tenant: string, after: string | null, abort?: AbortSignal, limit = 50,
): Promise<SessionRows> {
  return search({ userId, tenantId: tenant || null }, after, abort, limit)
}

async function search(
  query: Readonly<Record<string, string | null>>, after: string | null, abort: AbortSignal | undefined, limit: number,
): Promise<SessionRows> {
  let next = after
  for (let tries = 0; ; tries++) {
    const page = await read<SessionRows>(withQuery('sessions', { ...query, after: next, limit }), abort)
    if (page.sessions.length > 0 || page.next === null || tries === PATIENCE) return page
    next = page.next
  }
}

/** How many sessions a user has, up to a thousand. */
export interface SessionCount {
  readonly count: number
  readonly isAtLeast: boolean
}

/** Counts the sessions of a user. */
export async function countSessions(userId: string, tenant: string, abort?: AbortSignal): Promise<SessionCount> {
  let found = 0
  let after: string | null = null
  do {
    const page: SessionRows = await sessionsOf(userId, tenant, after, abort, MOST)
    found += page.sessions.length
    after = page.next
  } while (after !== null && found < COUNTED)
  return { count: found, isAtLeast: after !== null }
}

/** "3 sessions", "at least 1,000 sessions". */
export function sessionsIn({ count: number, isAtLeast }: SessionCount, kind = 'session'): string {
  return `${isAtLeast ? 'at least ' : ''}${count(number, kind)}`
}

export function revokeSession(handle: string): Promise<void> {
  return change('DELETE', `sessions/${encodeURIComponent(handle)}`)
}

/** Revokes the sessions of a user, but for one. Resolves to how many. */
export async function revokeSessions(userId: string, tenant: string, except: string | null): Promise<number> {
  const { revoked } = await ask<Revoked>('revocations', {
    userId, ...except === null ? {} : { except }, ...tenant === '' ? {} : { tenantId: tenant },
  })
  return revoked
}

/** "Firefox on Linux", or what else is known of a client. */
export function deviceOf({ client }: Pick<SessionRow, 'client'>): string {
  return client.deviceName ?? (client.userAgent === null ? 'Unknown device' : 'Unrecognized device')
}

/** The same within a sentence: "an unknown device". */
export function deviceInSentence(session: Pick<SessionRow, 'client'>): string {
  return session.client.deviceName ?? `an ${deviceOf(session).toLowerCase()}`
}
