import type { EpochMilliseconds } from '../../base/time.ts'
import { parseJsonObject } from '../../base/json.ts'
import type { EventKind, EventQuery, SessionStore, StoredEvent } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf } from '../event-page.ts'
import { eventFromRow } from '../sql/event-row.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { appendEventScript, eventPageScript } from './event-scripts.ts'
import { byKey } from './index-entries.ts'
import { userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toList, toText, toTexts, unreadable } from './reply.ts'

/** The event log in Redis. Events are rare, so that all of it is in the slot of the shared keys. */
export function createEventLog(
  connection: RedisConnection,
  names: KeyNames,
): Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  return {
    appendEvent: event => connection.useDurably(() => [names.events], async ({ run }) => {
      await run(appendEventScript, [names.events, names.eventEnds, ...ordersOf(names, event)],
        [event.id, eventJson(event), event.at, event.until])
    }),

    async pageEvents({ kinds, userId, handle }, page) {
      const { at, id } = decodeEventPosition(page.after)
      const orders = kinds.map(kind => orderOf(names, kind, { userId, handle }))
      return connection.use(async ({ run }) => {
        const texts = toTexts(await run(eventPageScript, [names.events, ...orders], [at, id, page.limit + 1]))
        return eventPageOf(texts.map(eventOf), page)
      })
    },
  }
}

/** Removes at most `limit` events whose `until` has passed. Returns whether there may be more of them. */
export async function pruneEvents(
  { send }: Commands,
  names: KeyNames,
  now: EpochMilliseconds,
  limit: number,
): Promise<boolean> {
  const { events, eventEnds } = names
  const ids = toTexts(await send(eventEnds, ['ZRANGEBYSCORE', eventEnds, '-inf', `${now}`, 'LIMIT', '0', `${limit}`]))
  if (ids.length === 0) return false
  const texts = toList(await send(events, ['HMGET', events, ...ids])).filter(reply => reply !== null)
  const entries = texts.map(text => eventOf(toText(text)))
    .flatMap(event => ordersOf(names, event).map(order => [order, event.id] as const))
  await byKey(entries, (key, members) => send(key, ['ZREM', key, ...members]))
  await send(events, ['HDEL', events, ...ids])
  // Last: as long as an event has its end, the next cleanup finds it again.
  await send(eventEnds, ['ZREM', eventEnds, ...ids])
  return ids.length === limit
}

/** What an event is about, or a query asks for. */
type About = Pick<EventQuery, 'userId' | 'handle'>

/** The sorted set of the events of a kind that are about a user and a session. */
function orderOf(names: KeyNames, kind: EventKind, { userId, handle }: About): string {
  return names.eventOrder(kind, userId === null ? null : userTagOf(userId), handle)
}

/** The sorted sets that an event is in: one for each query that selects it. */
function ordersOf(names: KeyNames, { kind, userId, handle }: StoredEvent): readonly string[] {
  const users = userId === null ? [null] : [null, userId]
  const handles = handle === null ? [null] : [null, handle]
  return users.flatMap(user => handles.map(each => orderOf(names, kind, { userId: user, handle: each })))
}

function eventJson({ id, kind, at, until, userId, handle, detail }: StoredEvent): string {
  return JSON.stringify({ id, kind, at, until, userId, handle, detail })
}

function eventOf(text: string): StoredEvent {
  const stored = parseJsonObject(text)
  if (stored === null) throw unreadable('an event')
  const { at, userId, ...rest } = stored
  return eventFromRow({ ...rest, occurred_at: at, user_id: userId })
}
