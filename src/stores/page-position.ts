import { InvalidDataError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionRecord } from '../session/record.ts'

/** Where a page of a user's sessions ended: keyset paging neither skips nor repeats while sessions come and go. */
export interface PagePosition {
  readonly createdAt: EpochMilliseconds
  readonly handle: string
}

/** Comes before every session: newest first, so later than any point in time. */
export const firstPosition: PagePosition = { createdAt: Number.MAX_SAFE_INTEGER, handle: '' }

/** Writes the position of the last session of a page. */
export function encodePosition(last: SessionRecord): string {
  return `${last.createdAt}.${last.handle}`
}

/** Reads a position, or the first for null. @throws InvalidDataError if {@link encodePosition} never wrote it. */
export function decodePosition(after: string | null): PagePosition {
  if (after === null) return firstPosition
  const match = /^(\d{1,16})\.([\w-]+)$/.exec(after)
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new InvalidDataError('after must be the `next` of a page of sessions')
  }
  return { createdAt: Number(match[1]), handle: match[2] }
}

/** Whether a session comes after the position: older, or equally old with a smaller handle. */
export function isAfter(record: SessionRecord, position: PagePosition): boolean {
  if (record.createdAt !== position.createdAt) return record.createdAt < position.createdAt
  return record.handle < position.handle
}

/** Cuts what was read for a page, one more than its limit, into the page and where the next begins. */
export function toPage(
  read: readonly SessionRecord[],
  limit: number,
): { readonly sessions: readonly SessionRecord[]; readonly next: string | null } {
  if (read.length <= limit) return { sessions: read, next: null }
  const sessions = read.slice(0, limit)
  const last = sessions.at(-1)
  return { sessions, next: last === undefined ? null : encodePosition(last) }
}
