import { SCAN_LIMIT } from '../session/store.ts'
import type { ListedSession, LoginFilter, PageRequest, SessionPage } from '../session/store.ts'
import { decodePosition, encodePosition, isAfter, listedSession, newestSessionFirst } from './page-position.ts'
import type { PagePosition } from './page-position.ts'

/** An entry of an index by creation time, and the session, unless that is gone. */
export interface IndexedSession {
  readonly position: PagePosition
  readonly session: ListedSession | null
}

/**
 * How many sessions to read for a page of `listNewest`: one more than the call looks at, which tells whether there are
 * further ones. Pure.
 */
export function countForNewest({ tenantId, ip, userAgent }: LoginFilter, limit: number): number {
  return (tenantId === null && ip === null && userAgent === null ? limit : SCAN_LIMIT) + 1
}

/** Whether a session passes the filter. Pure. */
export function passes({ tenantId, ip, userAgent }: LoginFilter, session: ListedSession): boolean {
  return (tenantId === null || session.tenantId === tenantId) && (ip === null || session.client.ip === ip)
    && (userAgent === null || contains(session.client.userAgent ?? '', userAgent))
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase())
}

/**
 * Cuts sorted sessions, {@link countForNewest} of them if there are that many, into a page of those that pass the
 * filter and the start of the next. Of records, it keeps what a list contains. Pure.
 */
export function toNewestPage(read: readonly ListedSession[], filter: LoginFilter, limit: number): SessionPage {
  const looked = read.slice(0, countForNewest(filter, limit) - 1)
  const indexed = looked.map(session => ({ position: session, session }))
  return cutNewest(indexed, read.length > looked.length, filter, limit)
}

/**
 * The page of `listNewest`, for a store that has all sessions at hand, in any order. Pure.
 * @throws InvalidDataError if `after` is not the `next` of a page.
 */
export function newestPageOf(records: readonly ListedSession[], filter: LoginFilter, page: PageRequest): SessionPage {
  const position = decodePosition(page.after)
  const rest = records.filter(record => isAfter(record, position)).sort(newestSessionFirst)
  return toNewestPage(rest.slice(0, countForNewest(filter, page.limit)), filter, page.limit)
}

/** As {@link toNewestPage}, from sorted entries of an index. `more`: whether the index has entries after them. Pure. */
export function cutNewest(
  indexed: readonly IndexedSession[],
  more: boolean,
  filter: LoginFilter,
  limit: number,
): SessionPage {
  const sessions: ListedSession[] = []
  let looked = 0
  for (const { session } of indexed) {
    if (sessions.length === limit) break
    looked += 1
    if (session !== null && passes(filter, session)) sessions.push(listedSession(session))
  }
  const last = indexed[looked - 1]
  const hasMore = more || looked < indexed.length
  return { sessions, next: hasMore && last !== undefined ? encodePosition(last.position) : null }
}
