/**
 * A place in a log of changes. The log's random identity tells a log that was emptied and begun anew from
 * the one that the reader knew.
 */
export interface ChangeCursor {
  readonly logId: string
  readonly sequence: number
}

/** Writes a cursor. */
export function encodeCursor(cursor: ChangeCursor): string {
  return `${cursor.logId}.${cursor.sequence}`
}

/** Reads a cursor; null for text that {@link encodeCursor} never wrote. */
export function decodeCursor(text: string): ChangeCursor | null {
  const match = /^([\w-]+)\.(\d{1,15})$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return null
  return { logId: match[1], sequence: Number(match[2]) }
}

/**
 * After which entry reading goes on: the cursor's, or the beginning (0) for a cursor of another log or beyond the
 * log's head, which a restored backup leaves behind. To read twice is harmless, to skip is not.
 */
export function resumeAfter(text: string | null, logId: string, head: number): number {
  const cursor = text === null ? null : decodeCursor(text)
  return cursor !== null && cursor.logId === logId && cursor.sequence <= head ? cursor.sequence : 0
}
