import type { Change, ChangePage } from '../../../session/store.ts'

/** A page of the change log as server-sent events. */
export interface EventPage {
  /** The events in UTF-8. They are made once, and all streams write these same bytes. */
  readonly bytes: Buffer
  /** The cursor after the page. */
  readonly cursor: string | null
  /** Whether the log contains more changes. */
  readonly more: boolean
}

/** The most changes of a page. A change names 100 handles at most, so that a page has some 40 kB, and 2 MB at most. */
export const PAGE = 500

/** Writes a page of the change log as server-sent events. */
export function createEventPage({ changes, cursor, more }: ChangePage): EventPage {
  const last = changes.length - 1
  const text = changes.map((change, index) => eventOf(change, index === last ? cursor : null)).join('')
  return { bytes: Buffer.from(text), cursor, more }
}

/** Only the last event of a page has an id, so that a client which reconnects with it has received the whole page. */
function eventOf(change: Change, id: string | null): string {
  const { kind, ...data } = change
  return `${id === null ? '' : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}
