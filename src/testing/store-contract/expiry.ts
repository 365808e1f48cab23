import type { EpochMilliseconds } from '../../base/time.ts'
import { removeAllExpired } from '../../session/removals.ts'
import type { SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** Cleanup of expired sessions. */
export const expiryCases: readonly ContractCase[] = [
  {
    name: 'removeExpired: removes sessions whose expiresAt has passed, and no others',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const ends = [sampleNow - 90 * minute, sampleNow - 1, sampleNow, sampleNow + 1, sampleNow + 90 * minute]
      for (const [number, expiresAt] of ends.entries()) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), expiresAt }))
      }
      ensureEqual(await removeDue(store, sampleNow, 100), 3, 'three have expired')
      const left = (await reader.listByUser('user-1', { limit: 10, after: null })).sessions
      const kept = left.map(record => record.expiresAt).toSorted((one, other) => one - other)
      ensureEqual(kept, [sampleNow + 1, sampleNow + 90 * minute], 'two remain')
      ensureEqual(await removeDue(store, sampleNow, 100), 0, 'nothing is left to do')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'expiry is no revocation')
    },
  },
  {
    name: 'removeExpired: at most limit at a time',
    async run({ open }) {
      const store = await open()
      for (let number = 0; number < 5; number++) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), expiresAt: sampleNow - number }))
      }
      ensureEqual((await store.removeExpired(sampleNow, 2)).removed <= 2, true, 'two at most')
      ensure((await store.listByUser('user-1', { limit: 10, after: null })).sessions.length >= 3, 'three are left')
      await removeDue(store, sampleNow, 2)
      ensureEqual((await store.listByUser('user-1', { limit: 10, after: null })).sessions, [],
        'in the end none is left')
    },
  },
  {
    name: 'removeExpired: uses the expiry that rotation gave a session',
    async run({ open }) {
      const store = await open()
      for (let number = 0; number < 4; number++) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      for (const number of [0, 1, 2]) {
        const next = sampleNext({ rotatedAt: sampleNow + number * minute })
        await store.rotate(sampleRotation({ handle: sampleHandle(number), next }))
      }
      ensureEqual(await removeDue(store, sampleNow + 55 * minute, 1), 1, 'the one that was never rotated')
      ensureEqual(await store.find(sampleHandle(3)), null, 'it is gone')
      ensureEqual(await removeDue(store, sampleNow + 60 * minute, 10), 1, 'the first')
      ensure(await store.find(sampleHandle(1)) !== null, 'the second lives a minute longer')
      ensureEqual(await removeDue(store, sampleNow + 62 * minute, 10), 2, 'the other two')
    },
  },
  {
    name: 'removeExpired: of a concurrent cleanup and refresh, the refreshed session is kept or the refresh fails',
    async run({ open }) {
      const [cleaning, refreshing] = [await open(), await open()]
      const bounds = { now: sampleNow - 1, rotatedAfter: 0, createdAfter: 0 }
      for (let round = 0; round < 10; round++) {
        const handles = Array.from({ length: 5 }, (_, index) => sampleHandle(round * 10 + index))
        for (const handle of handles) await cleaning.insert(sampleRecord({ handle, expiresAt: sampleNow }))
        const refreshes = handles.map(handle => () => refreshing.rotate(sampleRotation({ handle, bounds })))
        const cleanup = async (): Promise<null> => {
          await removeDue(cleaning, sampleNow, 100)
          return null
        }
        const calls = [...refreshes.slice(0, round % 6), cleanup, ...refreshes.slice(round % 6)]
        const refreshed = (await Promise.all(calls.map(call => call()))).filter(record => record !== null)
        const found = await Promise.all(refreshed.map(({ handle }) => cleaning.find(handle)))
        ensureEqual(found, refreshed, 'a refreshed session exists')
      }
    },
  },
  {
    name: 'removeExpired: removes changes whose until has passed, and keeps the others',
    async run({ open }) {
      const store = await open()
      for (const number of [1, 2, 3]) {
        await store.insert(sampleRecord({ handle: sampleHandle(number), accessTokenLifetime: 0 }))
        await store.remove([sampleHandle(number)], sampleNow + number * minute)
      }
      await removeDue(store, sampleNow + 2 * minute - 1, 10)
      const { changes, cursor } = await store.changesSince(null, 10)
      ensureEqual(changes.map(change => change.until - sampleNow), [2 * minute, 3 * minute], 'one has passed')
      await removeDue(store, sampleNow + 10 * minute, 10)
      const later = await store.changesSince(null, 10)
      ensureEqual([later.changes, later.more], [[], false], 'all have passed')
      await store.insert(sampleRecord({ accessTokenLifetime: 0 }))
      await store.remove([sampleHandle(1)], sampleNow + 20 * minute)
      for (const position of [cursor, later.cursor]) {
        const added = (await store.changesSince(position, 10)).changes
        ensureEqual(added.map(change => change.until - sampleNow), [20 * minute], 'later changes are read')
      }
    },
  },
  {
    name:
      'removeExpired: a backlog of every kind is removed in bounded parts, and so are sessions that were kept alive',
    async run({ open }) {
      const store = await open()
      const count = 25
      for (let number = 0; number < count; number++) {
        const userId = `gone-${number}`
        await store.insert(sampleRecord({ handle: sampleHandle(number), userId, accessTokenLifetime: 0 }))
        await store.removeByUser(sampleUserRemoval({ userId, notBefore: { time: sampleNow, until: sampleNow + 1 } }))
        await store.insert(sampleRecord({ handle: sampleHandle(100 + number), expiresAt: sampleNow + number }))
        await store.insert(sampleRecord({ handle: sampleHandle(200 + number) }))
        await store.rotate(sampleRotation({
          handle: sampleHandle(200 + number), next: sampleNext({ rotatedAt: sampleNow + 30 * minute }),
        }))
      }
      const later = sampleNow + 61 * minute
      let parts = 0
      for (let more = true; more; parts++) {
        const part = await store.removeExpired(later, 4)
        ensure(part.removed <= 4, 'no part is larger than the limit')
        ensure(parts < 200, 'it comes to an end')
        more = part.more
      }
      ensure(parts > 5, 'in several parts')
      ensureEqual((await store.changesSince(null, 100)).changes, [], 'no change is left')
      const left = (await store.listByUser('user-1', { limit: 100, after: null })).sessions
      ensureEqual(left.length, count, 'those that were refreshed live')
      ensure(left.every(({ expiresAt }) => expiresAt > later), 'and no other')
    },
  },
]

/** Removes what is due in parts of `limit`, until no more is. Returns how many sessions. */
export async function removeDue(store: SessionStore, now: EpochMilliseconds, limit: number): Promise<number> {
  let removed = 0
  for await (const part of removeAllExpired(store, () => now, limit)) removed += part
  return removed
}
