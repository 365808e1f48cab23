import { ensure, ensureEqual } from '../assert.ts'
import { minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation } from '../samples.ts'
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
      ensureEqual(await store.removeExpired(sampleNow, 100), 3, 'three have expired')
      const left = (await reader.listByUser('user-1', { limit: 10, after: null })).sessions
      ensureEqual(left.map(record => record.expiresAt).toSorted(), [sampleNow + 1, sampleNow + 90 * minute], 'two remain')
      ensureEqual(await store.removeExpired(sampleNow, 100), 0, 'nothing is left to do')
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
      const counts = [await store.removeExpired(sampleNow, 2), await store.removeExpired(sampleNow, 2),
        await store.removeExpired(sampleNow, 2)]
      ensureEqual(counts, [2, 2, 1], 'two, two and the last')
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
      ensureEqual(await store.removeExpired(sampleNow + 55 * minute, 1), 1, 'the one that was never rotated')
      ensureEqual(await store.find(sampleHandle(3)), null, 'it is gone')
      ensureEqual(await store.removeExpired(sampleNow + 60 * minute, 10), 1, 'the first')
      ensure(await store.find(sampleHandle(1)) !== null, 'the second lives a minute longer')
      ensureEqual(await store.removeExpired(sampleNow + 62 * minute, 10), 2, 'the other two')
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
          await cleaning.removeExpired(sampleNow, 100)
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
      await store.removeExpired(sampleNow + 2 * minute - 1, 10)
      const { changes, cursor } = await store.changesSince(null, 10)
      ensureEqual(changes.map(change => change.until - sampleNow), [2 * minute, 3 * minute], 'one has passed')
      await store.removeExpired(sampleNow + 10 * minute, 10)
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
]
