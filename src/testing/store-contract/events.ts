import { eventKinds } from '../../session/stored-event.ts'
import type { EventLogPage, EventQuery, SessionStore, StoredEvent } from '../../session/store.ts'
import { errorCodeOf, ensure, ensureEqual } from '../assert.ts'
import { minute, sampleEvent, sampleHandle, sampleNow, sampleRecord } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'
import { removeDue } from './expiry.ts'
import { hostileTexts } from './hostile.ts'

/** All events of any kind. */
const all: EventQuery = { kinds: eventKinds, userId: null, handle: null }

/** The event log. */
export const eventCases: readonly ContractCase[] = [
  {
    name: 'EV-01: appendEvent, pageEvents: events come back as they were, newest first, by at and then by id',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      ensureEqual(await reader.pageEvents(all, { limit: 10, after: null }), { events: [], next: null }, 'none at first')
      const events = [
        sampleEvent(3, { kind: 'audit', userId: null, handle: null }),
        sampleEvent(1, { kind: 'shared', userId: null }),
        sampleEvent(2, { id: 'A', kind: 'rejected', handle: null }),
        sampleEvent(2, { id: 'a' }),
        sampleEvent(2, { id: '_', at: sampleNow + 2 * minute - 1 }),
      ]
      for (const event of events) await store.appendEvent(event)
      const page = await reader.pageEvents(all, { limit: 10, after: null })
      ensureEqual(page, { events: events.toSorted(newestFirst), next: null }, 'in order, by the bytes of the id')
      await store.insert(sampleRecord())
      await store.remove([sampleHandle(1)], sampleNow)
      ensureEqual((await reader.pageEvents(all, { limit: 10, after: null })).events.length, 5,
        'they outlive the session')
    },
  },
  {
    name: 'EV-01: appendEvent: an id that is in the log changes nothing, also where calls run at once',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const event = sampleEvent(1)
      await Promise.all([store, other, store, other].map(each => each.appendEvent(event)))
      await other.appendEvent(sampleEvent(2, { id: event.id, kind: 'audit', detail: '{}' }))
      ensureEqual((await store.pageEvents(all, { limit: 10, after: null })).events, [event], 'the first one, once')
    },
  },
  {
    name: 'EV-01: pageEvents: selects kinds, users and sessions, and every combination of them',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const users = [null, 'user-1', 'user-2', 'USER-1']
      const events = eventKinds.flatMap((kind, place) => users.flatMap((userId, user) => (
        [null, sampleHandle(1), sampleHandle(2)].map((handle, session) => (
          sampleEvent(place * 100 + user * 10 + session, { kind, userId, handle })
        ))
      )))
      for (const event of events) await store.appendEvent(event)
      for (const kinds of [eventKinds, ['theft'], ['audit', 'shared'], []] as const) {
        for (const userId of [null, 'user-1', 'USER-1', 'nobody']) {
          for (const handle of [null, sampleHandle(1), sampleHandle(9)]) {
            const query = { kinds, userId, handle }
            const expected = events.filter(event => isExpected(event, query)).toSorted(newestFirst)
            ensureEqual(await readAll(reader, query, 1000), expected, JSON.stringify(query))
            ensureEqual(await readAll(reader, query, 3), expected, `${JSON.stringify(query)} in pages`)
          }
        }
      }
    },
  },
  {
    name: 'EV-02: pageEvents: paging continues at its position while events come and go',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      for (let number = 0; number < 7; number++) {
        const at = sampleNow + Math.floor(number / 3)
        await store.appendEvent(
          sampleEvent(number, { at, kind: number % 2 === 0 ? 'theft' : 'audit', until: at + number }),
        )
      }
      const first = await store.pageEvents(all, { limit: 3, after: null })
      ensureEqual(first.events.map(({ id }) => id), [6, 5, 4].map(number => sampleEvent(number).id), 'the newest three')
      await other.appendEvent(sampleEvent(20))
      const second = await other.pageEvents(all, { limit: 3, after: first.next })
      ensureEqual(second.events.map(({ id }) => id), [3, 2, 1].map(number => sampleEvent(number).id), 'the next three')
      await removeDue(other, sampleNow + 3, 100)
      const third = await other.pageEvents(all, { limit: 3, after: first.next })
      ensureEqual(third.events.map(({ id }) => id), [sampleEvent(3).id], 'those that are left')
      ensureEqual(third.next, null, 'and the end')
      for (const limit of [1, 2, 4, 5]) {
        const ids = (await readAll(other, all, limit)).map(({ id }) => id)
        ensureEqual(ids, [20, 6, 5, 4, 3].map(number => sampleEvent(number).id), `pages of ${limit}`)
      }
      for (const after of ['', 'x', '1;--', '\0', '{}']) {
        const read = async (): Promise<unknown> => store.pageEvents(all, { limit: 3, after })
        ensureEqual(await errorCodeOf(read), 'INVALID_DATA', 'no page ended there')
      }
    },
  },
  {
    name: 'EV-03: removeExpired: removes events whose until has passed in bounded parts, and keeps the others',
    async run({ open }) {
      const store = await open()
      const count = 30
      for (let number = 0; number < count; number++) {
        await store.appendEvent(sampleEvent(number, { at: sampleNow - number, until: sampleNow + number }))
      }
      let parts = 0
      for (let more = true; more; parts++) {
        const part = await store.removeExpired(sampleNow + 20, 4)
        ensureEqual(part.removed, 0, 'no session is removed')
        if (parts === 0) {
          ensure((await readAll(store, all, 100)).length >= count - 4, 'no part is larger than the limit')
        }
        ensure(parts < 200, 'it comes to an end')
        more = part.more
      }
      const left = await readAll(store, all, 100)
      const ends = left.map(({ until }) => until - sampleNow).toSorted((one, other) => one - other)
      ensureEqual(ends, [21, 22, 23, 24, 25, 26, 27, 28, 29], 'nine are left')
      ensureEqual(await readAll(store, { ...all, userId: 'user-1' }, 100), left, 'also of the user')
      await store.appendEvent(sampleEvent(0))
      ensureEqual((await readAll(store, all, 100)).length, 10, 'an id that is gone can be used again')
    },
  },
  {
    name: 'ST-03: any text in an event is returned unchanged, and selects its own user',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const texts = ['', ...hostileTexts, 'USER', 'user', 'user ', '\u4f60'.repeat(255), '\u{1f511}'.repeat(255)]
      const detail = JSON.stringify({ text: hostileTexts, nul: '\0', half: '\ud800', long: '\u4f60'.repeat(16_000) })
      const events = texts.map((userId, number) =>
        sampleEvent(number, { userId, detail: number === 0 ? detail : userId })
      )
      for (const event of events) await store.appendEvent(event)
      for (const event of events) {
        ensureEqual(await readAll(reader, { ...all, userId: event.userId }, 10), [event], 'it alone')
      }
    },
  },
]

/** Reads all pages. */
async function readAll(store: SessionStore, query: EventQuery, limit: number): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  let after: string | null = null
  for (let pages = 0; pages === 0 || after !== null; pages++) {
    const page: EventLogPage = await store.pageEvents(query, { limit, after })
    ensure(page.events.length <= limit, 'no page is longer than its limit')
    ensure(pages < 100, 'paging comes to an end')
    events.push(...page.events)
    after = page.next
  }
  return events
}

function isExpected(event: StoredEvent, { kinds, userId, handle }: EventQuery): boolean {
  return kinds.includes(event.kind) && [null, event.userId].includes(userId) && [null, event.handle].includes(handle)
}

function newestFirst(left: StoredEvent, right: StoredEvent): number {
  if (left.at !== right.at) return right.at - left.at
  return left.id < right.id ? 1 : -1
}
