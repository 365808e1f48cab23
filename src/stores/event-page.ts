import { InvalidDataError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { EventLogPage, EventQuery, PageRequest, StoredEvent } from '../session/store.ts'
import { PAGE_POSITION } from './page-position.ts'

/** Where a page of the event log ended. */
export interface EventPosition {
  /** When the last event of the page happened, in milliseconds since 1970. */
  readonly at: EpochMilliseconds
  /** Its id. */
  readonly id: string
}

/** The position before every event. The order is newest first, so it is later than any point in time. */
const firstPosition: EventPosition = { at: Number.MAX_SAFE_INTEGER, id: '' }

/**
 * Decodes the position in `PageRequest.after`; null is the first position.
 * @throws InvalidDataError if the text is not the `next` of a page: an error of the caller, not of the store.
 */
export function decodeEventPosition(after: string | null): EventPosition {
  if (after === null) return firstPosition
  const [, at, id] = PAGE_POSITION.exec(after) ?? []
  if (at === undefined || id === undefined) throw new InvalidDataError('after must be the `next` of a page of events')
  return { at: Number(at), id }
}

/** Whether an event comes after the position: it is older, or equally old with a smaller id. Pure. */
export function isEventAfter(event: EventPosition, position: EventPosition): boolean {
  return event.at === position.at ? event.id < position.id : event.at < position.at
}

/** Whether a query selects the event. Pure. */
export function isSelected({ kinds, userId, handle }: EventQuery, event: StoredEvent): boolean {
  return kinds.includes(event.kind) && (userId === null || event.userId === userId)
    && (handle === null || event.handle === handle)
}

/**
 * The page of `pageEvents`, from events that the query selects, in any order. Of each kind, they must contain the
 * newest ones after the position, one more than `limit` if there are that many. Pure.
 * @throws InvalidDataError as {@link decodeEventPosition}.
 */
export function eventPageOf(events: readonly StoredEvent[], { limit, after }: PageRequest): EventLogPage {
  const position = decodeEventPosition(after)
  const rest = events.filter(event => isEventAfter(event, position)).sort((left, right) =>
    isEventAfter(left, right) ? 1 : -1
  )
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return { events: page, next: rest.length > limit && last !== undefined ? `${last.at}.${last.id}` : null }
}
