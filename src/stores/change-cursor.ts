import type { Change, ChangePage } from '../session/store.ts'

/**
 * A place in the change log. The random `id` tells two histories apart, so that a reader never takes the entries of a
 * log that was emptied, restored or failed over for those that it knows. It names the log, anew whenever that begins
 * anew; or, where a database may be restored behind the back of its readers, the entry itself.
 */
export interface ChangeCursor {
  /** Letters, digits, `_` and `-`. */
  readonly id: string
  /** The number of the entry, from 1 on, in the order in which the changes were committed. */
  readonly sequence: number
}

/** An entry of the change log. */
export interface ChangeEntry extends ChangeCursor {
  readonly change: Change
}

/** Writes a cursor. */
export function encodeCursor(cursor: ChangeCursor): string {
  return `${cursor.id}.${cursor.sequence}`
}

/** Reads a cursor; null for null, and for text that {@link encodeCursor} never wrote. */
export function decodeCursor(text: string | null): ChangeCursor | null {
  const match = /^([\w-]+)\.(\d{1,15})$/.exec(text ?? '')
  if (match?.[1] === undefined || match[2] === undefined) return null
  return { id: match[1], sequence: Number(match[2]) }
}

/**
 * After which entry reading goes on, where `id` names the log: the cursor's, or the beginning (0) for a cursor of
 * another log or beyond the log's head. To read twice is harmless, to skip is not.
 */
export function resumeAfter(text: string | null, head: ChangeCursor): number {
  const cursor = decodeCursor(text)
  return cursor !== null && cursor.id === head.id && cursor.sequence <= head.sequence ? cursor.sequence : 0
}

/**
 * Makes the answer of `changesSince` of the entries behind the cursor, one more than `limit` if there are so many.
 * `head` is the newest entry, read before them or with them, where the cursor stands if there are none; of an empty log
 * its `sequence` is 0.
 */
export function toChangePage(read: readonly ChangeEntry[], limit: number, head: ChangeCursor): ChangePage {
  const page = read.slice(0, limit)
  const end = page.at(-1) ?? head
  return {
    changes: page.map(({ change }) => change),
    cursor: end.sequence === 0 ? null : encodeCursor(end),
    more: read.length > limit,
  }
}
