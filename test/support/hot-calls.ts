import { SCAN_LIMIT } from '../../src/session/store.ts'
import type { ImportClaim } from '../../src/session/import-claims.ts'
import type { EventQuery, LoginFilter, SessionStore, StoredEvent } from '../../src/session/store.ts'
import {
  minute, sampleClaim, sampleEvent, sampleHandle, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../../src/testing/samples.ts'

/** How many sessions, changes, not-befores, events and import claims a store has whose reading is counted. */
export const MANY = 50_000

/** How many of each are due for removal: the first ones. */
export const DUE = 500

/** How many sessions the user `busy` has: the last ones. Other users have ten each. */
const BUSY = 1000

/** The session with this number, from 0. */
export function sessionNumber(number: number): ReturnType<typeof sampleRecord> {
  return sampleRecord({
    handle: sampleHandle(number),
    userId: number < MANY - BUSY ? `user-${Math.floor(number / 10)}` : 'busy',
    createdAt: sampleNow - 10 * minute + number,
    ...number < DUE ? { expiresAt: sampleNow - minute } : {},
  })
}

/** The event with this number, from 0. One in 500 is of a kind that is rare. */
export function eventNumber(number: number): StoredEvent {
  return sampleEvent(number, {
    kind: number % 500 === 0 ? 'theft' : 'audit', at: sampleNow - MANY + number, until: keptUntilNumber(number),
    userId: `user-${Math.floor(number / 1000)}`, handle: sampleHandle(Math.floor(number / 100)), detail: '{}',
  })
}

/** The import claim with this number, from 0. */
export function claimNumber(number: number): ImportClaim {
  return sampleClaim({ handle: sampleHandle(number), until: keptUntilNumber(number) })
}

/** Until when the change, not-before, event or import claim with this number is kept. */
export function keptUntilNumber(number: number): number {
  return number < DUE ? sampleNow - minute : sampleNow + minute
}

/** A frequent call of a store with that many rows. */
export interface HotCall {
  readonly name: string
  /** How many rows the call is about. It may read each a few times, but not more rows with more in the store. */
  readonly rows: number
  /** Prepares the call, which is not counted, and returns it. */
  of(store: SessionStore): Call | Promise<Call>
}

type Call = () => Promise<unknown>

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

/** A cursor at this entry of the log. */
async function cursorAt(store: SessionStore, entry: number): Promise<string> {
  const { cursor } = await store.changesSince(null, 1)
  return cursor?.replace(/\d+$/, `${entry}`) ?? ''
}

const imported = { handle: sampleHandle(MANY + 1), userId: 'imported' }
const admission = { claim: sampleClaim({ handle: imported.handle }), record: sampleRecord(imported) }

const anyLogin: LoginFilter = { tenantId: null, ip: null, userAgent: null }

const eventsOf = (query: Partial<EventQuery>) => (store: SessionStore): Call => () => (
  store.pageEvents({ kinds: ['theft'], userId: null, handle: null, ...query }, { limit: 10, after: null })
)

/** The calls that a store gets most often, and those that could read a whole table. */
export const hotCalls: readonly HotCall[] = [
  { name: 'removeExpired, nothing due', rows: 1, of: store => () => store.removeExpired(sampleNow - 2 * minute, 1000) },
  { name: 'find', rows: 1, of: store => () => store.find(sampleHandle(20_000)) },
  { name: 'insert', rows: 1,
    of: store => () => store.insert(sampleRecord({ handle: sampleHandle(MANY), userId: 'new' })) },
  { name: 'rotate', rows: 1, of: store => () => store.rotate(sampleRotation({ handle: sampleHandle(20_000) })) },
  { name: 'rotate, of a token that is not current', rows: 1,
    of: store => () => store.rotate(sampleRotation({ handle: sampleHandle(20_000) })) },
  { name: 'rotate, ten in one tick', rows: 10, of: store => () => Promise.all(upTo(10).map(number => (
    store.rotate(sampleRotation({ handle: sampleHandle(30_000 + number) }))))) },
  { name: 'confirm, ten', rows: 10, of: store => () => store.confirm(upTo(10).map(number => (
    { handle: sampleHandle(40_000 + number), generation: 0, branch: 0 }))) },
  { name: 'updateInfo', rows: 1,
    of: store => () => store.updateInfo({
      handle: sampleHandle(41_000), sessionInfo: '{}', expectedVersion: 0, now: sampleNow,
    }) },
  { name: 'listByUser, the newest ten of a thousand', rows: 11,
    of: store => () => store.listByUser('busy', { limit: 10, after: null }) },
  { name: 'listByUser, the oldest ten of a thousand', rows: 11,
    async of(store) {
      const { next } = await store.listByUser('busy', { limit: BUSY - 10, after: null })
      return () => store.listByUser('busy', { limit: 10, after: next })
    } },
  { name: 'listNewest, the newest ten', rows: 11,
    of: store => () => store.listNewest(anyLogin, { limit: 10, after: null }) },
  { name: 'listNewest, ten old ones', rows: 11,
    of: store => () => {
      const { createdAt, handle } = sessionNumber(1000)
      return store.listNewest(anyLogin, { limit: 10, after: `${createdAt}.${handle}` })
    } },
  { name: 'listNewest, with a filter', rows: SCAN_LIMIT + 1,
    of: store => () => store.listNewest({ ...anyLogin, ip: 'nowhere' }, { limit: 10, after: null }) },
  { name: 'appendEvent', rows: 1, of: store => () => store.appendEvent(sampleEvent(0, { id: 'new', userId: 'new' })) },
  { name: 'pageEvents, ten of a rare kind', rows: 11, of: eventsOf({}) },
  { name: 'pageEvents, ten of two kinds', rows: 22, of: eventsOf({ kinds: ['theft', 'audit'] }) },
  { name: 'pageEvents, of a kind that there is not', rows: 1, of: eventsOf({ kinds: ['shared'] }) },
  { name: 'pageEvents, ten of a user', rows: 11, of: eventsOf({ kinds: ['audit'], userId: 'user-7' }) },
  { name: 'pageEvents, ten of a session', rows: 11, of: eventsOf({ kinds: ['audit'], handle: sampleHandle(70) }) },
  { name: 'pageEvents, ten old ones', rows: 11,
    of: store => () => {
      const { at, id } = eventNumber(2000)
      const query: EventQuery = { kinds: ['audit'], userId: null, handle: null }
      return store.pageEvents(query, { limit: 10, after: `${at}.${id}` })
    } },
  { name: 'findImport', rows: 1, of: store => () => store.findImport(sampleHandle(20_000)) },
  { name: 'admitImport', rows: 3, of: store => () => store.admitImport(admission) },
  { name: 'admitImport, of what is known', rows: 3, of: store => () => store.admitImport(admission) },
  { name: 'changesSince, ten before the head', rows: 11,
    async of(store) {
      const cursor = await cursorAt(store, MANY - 10)
      return () => store.changesSince(cursor, 100)
    } },
  { name: 'changesSince, far from the head', rows: 101,
    async of(store) {
      const cursor = await cursorAt(store, DUE + 10)
      return () => store.changesSince(cursor, 100)
    } },
  { name: 'changesSince, at the head', rows: 1,
    async of(store) {
      const cursor = await cursorAt(store, MANY)
      return () => store.changesSince(cursor, 100)
    } },
  { name: 'remove', rows: 1, of: store => () => store.remove([sampleHandle(42_000)], sampleNow) },
  { name: 'removeByUser, of ten sessions', rows: 10,
    of: store => () => store.removeByUser(sampleUserRemoval({ userId: 'user-4300' })) },
  { name: 'removeExpired, 100 of each kind', rows: 500, of: store => () => store.removeExpired(sampleNow, 100) },
  { name: 'removeExpired, the rest', rows: 5 * (DUE - 100), of: store => () => store.removeExpired(sampleNow, 1000) },
]
