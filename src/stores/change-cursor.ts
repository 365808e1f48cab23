import type { Change, ChangePage } from '../session/store.ts'

/**
 * A position in the change log. The random `id` distinguishes two histories: a reader never mistakes the entries of a
 * log that was emptied, restored or failed over for entries that it knows. It names the entry, because a database can
 * be restored without its readers noticing. In a store that nothing restores, it may name the log, and is new whenever
 * the log starts again.
 */
export interface ChangeCursor {
  /** Letters, digits, `_` and `-`. */
  readonly id: string
  /** The number of the entry, starting at 1, in the order of the commits. */
  readonly sequence: number
}

/** The place before the first entry: where reading starts without a cursor, and the head of an empty log. */
export const beginning: ChangeCursor = { id: '', sequence: 0 }

/** An entry of the change log. */
export interface ChangeEntry extends ChangeCursor {
  /** The change. */
  readonly change: Change
}

/** Encodes a cursor. */
export function encodeCursor(cursor: ChangeCursor): string {
  return `${cursor.id}.${cursor.sequence}`
}

/** Decodes a cursor. Returns null for null, and for text that `encodeCursor` did not produce. */
export function decodeCursor(text: string | null): ChangeCursor | null {
  const match = /^([\w-]+)\.(\d{1,15})$/.exec(text ?? '')
  if (match?.[1] === undefined || match[2] === undefined) return null
  return { id: match[1], sequence: Number(match[2]) }
}

/**
 * The number of the entry after which reading continues in the log that this `id` names. It is 0, the beginning, if the
 * cursor is of another log or beyond the log's head. To read an entry twice is harmless; to skip one is not.
 */
export function resumeAfter(text: string | null, head: ChangeCursor): number {
  const cursor = decodeCursor(text)
  return cursor !== null && cursor.id === head.id && cursor.sequence <= head.sequence ? cursor.sequence : 0
}

/**
 * Makes the result of `changesSince` from the entries after the cursor; `read` holds one more than `limit` if there
 * are that many. If there are no entries, the cursor is at `head`: the newest entry, read before them or with them, or
 * the place from which they were read. The `sequence` of an empty log's head is 0.
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
