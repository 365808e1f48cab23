import { InvalidDataError } from '../base/errors.ts'
import type { Entropy } from '../base/entropy.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { Engine } from './engine.ts'
import type { EventKind, EventLogPage, PageRequest, SessionStore, StoredEvent } from './store.ts'

/** How long an event is kept. */
export const EVENT_RETENTION: Milliseconds = 30 * 86_400_000

/** The longest detail of an event, in UTF-16 code units of its JSON. */
const MAX_DETAIL_LENGTH = 16_384

/** An event to append. */
export interface NewEvent extends Pick<StoredEvent, 'kind' | 'userId' | 'handle'> {
  readonly at: EpochMilliseconds
  /** What happened, as JSON without secrets: at most 16,384 characters. */
  readonly detail: object
}

/**
 * Appends an event to the event log, where it is kept for 30 days. Durable before it resolves. 1 store call.
 * @throws InvalidDataError if the detail is too long.
 */
export async function appendEvent(
  { store, entropy }: { readonly store: Pick<SessionStore, 'appendEvent'>; readonly entropy: Entropy },
  { kind, at, userId, handle, detail }: NewEvent,
): Promise<void> {
  const text = JSON.stringify(detail)
  if (text.length > MAX_DETAIL_LENGTH) {
    throw new InvalidDataError(
      `the detail of an event must have at most ${MAX_DETAIL_LENGTH} characters; it has ${text.length}`,
    )
  }
  await store.appendEvent({
    id: createEventId(at, entropy), kind, at, until: at + EVENT_RETENTION, userId, handle, detail: text,
  })
}

/**
 * Whether a theft has ended the session, as far as the event log knows: so that the party that refreshes after the end
 * learns why. Never rejects. 1 store call.
 */
export async function wasStolen(store: Pick<SessionStore, 'pageEvents'>, handle: SessionHandle): Promise<boolean> {
  try {
    const { events: [newest] } = await store.pageEvents(
      { kinds: ['theft', 'shared'], userId: null, handle }, { after: null, limit: 1 })
    return newest !== undefined && parseJsonObject(newest.detail)?.['revoked'] === true
  } catch {
    return false
  }
}

/** Creates a UUID of version 7 (RFC 9562): ids of later milliseconds are greater. */
export function createEventId(at: EpochMilliseconds, entropy: Entropy): string {
  const bytes = entropy(10)
  const random = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  const time = Math.max(0, at).toString(16).padStart(12, '0').slice(-12)
  const variant = ((bytes[2] ?? 0) & 0x3f | 0x80).toString(16)
  const low = `7${random.slice(1, 4)}-${variant}${random.slice(6, 8)}-${random.slice(8, 20)}`
  return `${time.slice(0, 8)}-${time.slice(8)}-${low}`
}

/** Selects events. */
export interface EventSelection {
  /** Events of these kinds. */
  readonly kinds: readonly EventKind[]
  /** Events that are about this user; null: all. */
  readonly userId: string | null
  /** Events that are about the session with this handle; null: all. */
  readonly handle: string | null
}

/** An event of the event log. */
export interface LoggedEvent extends Pick<StoredEvent, 'id' | 'kind' | 'at' | 'userId'> {
  readonly handle: string | null
  readonly detail: JsonObject
}

/** A page of the event log, newest first. */
export interface LoggedEvents {
  readonly events: readonly LoggedEvent[]
  /** Pass it as `after` for the next page; null on the last page. */
  readonly next: string | null
}

/**
 * Returns a page of the event log, newest first. A page may be shorter than its limit where events that are too old
 * have not been deleted yet. 1 store call.
 * @throws InvalidDataError if `after` is not the `next` of a page.
 */
export async function pageOfEvents(
  { store, now }: Pick<Engine, 'store' | 'now'>,
  { kinds, userId, handle }: EventSelection,
  page: PageRequest,
): Promise<LoggedEvents> {
  const session = handle === null ? null : parseHandle(handle)
  if (handle !== null && session === null) return { events: [], next: null }
  const [{ events, next }, time]: readonly [EventLogPage, EpochMilliseconds] = await Promise.all([
    store.pageEvents({ kinds: [...new Set(kinds)], userId, handle: session }, page), now(),
  ])
  return { events: events.filter(({ until }) => until > time).map(loggedEvent), next }
}

function loggedEvent({ id, kind, at, userId, handle, detail }: StoredEvent): LoggedEvent {
  return { id, kind, at, userId, handle, detail: parseJsonObject(detail) ?? {} }
}
