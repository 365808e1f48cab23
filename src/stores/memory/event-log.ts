import type { EpochMilliseconds } from '../../base/time.ts'
import type { RemovedExpired, SessionStore, StoredEvent } from '../../session/store.ts'
import { decodeEventPosition, eventPageOf, isEventAfter, isSelected } from '../event-page.ts'
import type { EventPosition } from '../event-page.ts'
import { createOrderedList } from './ordered-list.ts'
import { createSweep } from './sweep.ts'

/** The events of a memory store. */
export interface EventLog extends Pick<SessionStore, 'appendEvent' | 'pageEvents'> {
  /** Removes the events whose `until` has passed, among the next `limit`. */
  prune(now: EpochMilliseconds, limit: number): RemovedExpired
}

/** How many events are read at once, in case the query does not select them. */
const READ = 1000

/** Creates an empty log. */
export function createEventLog(): EventLog {
  const events = new Map<string, StoredEvent>()
  const order = createOrderedList<EventPosition, StoredEvent>(isEventAfter)
  return {
    async appendEvent(event) {
      if (events.has(event.id)) return
      const copy = { ...event }
      events.set(event.id, copy)
      order.add(copy)
    },
    async pageEvents(query, { limit, after }) {
      const found: StoredEvent[] = []
      let position = decodeEventPosition(after)
      for (;;) {
        const read = order.before(position, READ)
        found.push(...read.filter(event => isSelected(query, event)))
        const last = read.at(-1)
        if (found.length > limit || last === undefined) break
        position = last
      }
      return eventPageOf(found.map(event => ({ ...event })), { limit, after })
    },
    prune: createSweep(events, (id, event, now) => {
      if (event.until > now) return false
      order.remove(event)
      return events.delete(id)
    }),
  }
}
