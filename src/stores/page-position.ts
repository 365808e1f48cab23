import { InvalidDataError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { ListedSession, PageRequest, SessionPage } from '../session/store.ts'

/** Where a page of sessions ended. Keyset pagination neither skips nor repeats while sessions come and go. */
export interface PagePosition {
  /** When the last session of the page was created, in milliseconds since 1970. */
  readonly createdAt: EpochMilliseconds
  /** Its handle. */
  readonly handle: string
}

/** The position before every session. The order is newest first, so it is later than any point in time. */
const firstPosition: PagePosition = { createdAt: Number.MAX_SAFE_INTEGER, handle: '' }

/** The format of a position. */
export const PAGE_POSITION: RegExp = /^([0-9]{1,16})\.([A-Za-z0-9_-]+)$/

/** Encodes the position of the last session of a page. */
export function encodePosition({ createdAt, handle }: PagePosition): string {
  return `${createdAt}.${handle}`
}

/**
 * Decodes the position in `PageRequest.after`; null is the first position.
 * @throws InvalidDataError if the text is not the `next` of a page: an error of the caller, not of the store.
 */
export function decodePosition(after: string | null): PagePosition {
  if (after === null) return firstPosition
  const match = PAGE_POSITION.exec(after)
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new InvalidDataError('after must be the `next` of a page of sessions')
  }
  return { createdAt: Number(match[1]), handle: match[2] }
}

/** Whether a session comes after the position: it is older, or equally old with a smaller handle. Pure. */
export function isAfter(record: PagePosition, position: PagePosition): boolean {
  if (record.createdAt !== position.createdAt) return record.createdAt < position.createdAt
  return record.handle < position.handle
}

/**
 * Cuts sorted sessions, one more than `limit` if there are that many, into a page and the start of the next. Of
 * records, it keeps what a list contains. Pure.
 */
export function toPage(read: readonly ListedSession[], limit: number): SessionPage {
  const sessions = read.slice(0, limit).map(listedSession)
  if (read.length <= limit) return { sessions, next: null }
  const last = sessions.at(-1)
  return { sessions, next: last === undefined ? null : encodePosition(last) }
}

/**
 * The page of `listByUser`, for a store that has all sessions of the user at hand, in any order. Pure.
 * @throws InvalidDataError as {@link decodePosition}.
 */
export function pageOf(records: readonly ListedSession[], { limit, after }: PageRequest): SessionPage {
  const position = decodePosition(after)
  const rest = records.filter(record => isAfter(record, position)).sort(newestSessionFirst)
  return toPage(rest.slice(0, limit + 1), limit)
}

/** The order of lists, for `sort`. */
export function newestSessionFirst(left: PagePosition, right: PagePosition): number {
  return isAfter(left, right) ? 1 : -1
}

/** Copies what a list contains of a session. */
export function listedSession(session: ListedSession): ListedSession {
  const { handle, userId, tenantId, createdAt, rotatedAt, expiresAt, client } = session
  return { handle, userId, tenantId, createdAt, rotatedAt, expiresAt, client: { ...client } }
}
