import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { SessionHandle } from '../../src/base/handle.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import type { NotBefore, RemovedPage, SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { expiryShardOf } from '../../src/stores/redis/key-names.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { opened } from '../support/mysql-pools.ts'
import { mariadbAt, mysqlAt, postgresAt, realStores } from '../support/real-stores.ts'
import type { RealStore } from '../support/real-stores.ts'
import { createDirectory } from '../support/servers/workspace.ts'

const notBefore: NotBefore = { time: sampleNow, until: sampleNow + 60 * minute }
let count = 0

/** A login that began a moment before the not-before. */
function earlier(number: number, userId: string): SessionRecord {
  return sampleRecord({ handle: sampleHandle(number), userId, createdAt: sampleNow - 1 - number % 7 })
}

async function turns(number: number): Promise<void> {
  for (let passed = 0; passed < number; passed++) await turn()
}

const stricter = [
  postgresAt('repeatable read'), postgresAt('serializable'), mariadbAt('READ COMMITTED'), mariadbAt('SERIALIZABLE'),
  mysqlAt('READ COMMITTED'), mysqlAt('SERIALIZABLE'),
]

for (const { name, available, open } of [...realStores, ...stricter]) describe.skipIf(!available)(name, () => {
  test('S-19: of logins over several connections, concurrent with the removal of their user, none is left', async () => {
    const data = `race_${++count}`
    const stores = await Promise.all([1, 2, 3, 4].map(() => open(data)))
    const [reader] = stores
    const rounds = process.env['CI'] === 'true' ? 120 : 40
    for (let round = 0; round < rounds; round++) {
      const [userId, other] = [`user-${round}`, `other-${round}`]
      const first = earlier(100 * round + 90, userId)
      expect(await reader?.insert(first)).toBe(true)
      // In three waves over each connection. Logins of another user share their statements.
      const logins = Array.from({ length: 36 }, (_, index) => (
        { index, record: earlier(100 * round + index, index % 4 === 3 ? other : userId) }
      ))
      const answering = logins.map(async ({ index, record }) => {
        await turns(2 * Math.floor(index / 12))
        return { record, accepted: await stores[index % 3]?.insert(record) }
      })
      await turns(round % 8)
      const removal = await stores[3]?.removeByUser(sampleUserRemoval({ userId, notBefore }))
      const answers = await Promise.all(answering)
      const accepted = answers.filter(each => each.accepted === true && each.record.userId === userId)
      expect(removal?.handles, 'accepted logins were removed')
        .toEqual(expect.arrayContaining([first, ...accepted.map(({ record }) => record)].map(({ handle }) => handle)))
      expect(await reader?.insert(earlier(100 * round + 91, userId)), 'it comes too late').toBe(false)
      expect(await reader?.listByUser(userId, { limit: 100, after: null })).toEqual({ sessions: [], next: null })
      for (const { record } of answers.filter(each => each.record.userId === userId)) {
        expect(await reader?.find(record.handle)).toBeNull()
      }
      expect((await reader?.listByUser(other, { limit: 100, after: null }))?.sessions, 'all logins of the other user')
        .toHaveLength(9)
    }
  })
})

const memories = new Map<string, SessionStore>()
const local: readonly Omit<RealStore, 'connect'>[] = [
  {
    name: 'memory',
    available: true,
    async open(data) {
      const store = memories.get(data) ?? createMemoryStore()
      memories.set(data, store)
      return store
    },
  },
  { name: 'SQLite', available: true, open: async data => opened(openSqliteStore(join(directory, data))) },
]
const directory = createDirectory()

for (const { name, available, open } of [...local, ...realStores]) describe.skipIf(!available)(name, () => {
  test('S-13: removeAll over 5,000 sessions with concurrent logins and refreshes removes all older and no newer ones', async () => {
    const data = `all_${++count}`
    const [store, busy] = [await open(data), await open(data)]
    const old: SessionHandle[] = []
    const kept = new Set<SessionHandle>()
    const insert = async (number: number): Promise<void> => {
      const handle = sampleHandle(number)
      const isOld = number % 13 !== 0
      const accepted = await busy.insert(sampleRecord({
        handle,
        userId: `user-${number % 400}`,
        createdAt: isOld ? sampleNow - 1 - number % 600_000 : sampleNow + 1 + number % 1000,
        // Old and new sessions are also mixed in the order of their expiry.
        idleTimeout: (isOld ? 30 : 60) * minute + number % 97 * minute,
        reuseInterval: 0,
      }))
      if (isOld) old.push(handle)
      else if (accepted) kept.add(handle)
    }
    const numbers = Array.from({ length: 5420 }, (_, number) => number)
    for (let from = 0; from < numbers.length; from += 300) await Promise.all(numbers.slice(from,
      from + 300).map(insert))
    expect(old.length).toBeGreaterThan(5000)

    let number = numbers.length
    const traffic = async (round: number): Promise<void> => {
      const ending = [...kept][round * 7 % kept.size]
      const rotating = Array.from({ length: 16 }, (_, index) => sampleHandle((round * 16 + index) * 17 % 5420))
      await Promise.all([
        ...rotating.map(handle => busy.rotate(sampleRotation({ handle }))),
        ...Array.from({ length: 13 }, () => insert(number++)),
        ...ending === undefined ? [] : [busy.remove([ending], sampleNow)],
        busy.removeExpired(sampleNow + 25 * minute, 20),
      ])
      if (ending !== undefined) kept.delete(ending)
    }

    let [pages, after]: [number, string | null] = [0, null]
    do {
      const [page]: [RemovedPage, void] = await Promise.all([
        store.removeAll({ notBefore, limit: 200, after }), traffic(pages),
      ])
      expect(page.removed).toBeLessThanOrEqual(200)
      after = page.next
      expect(++pages).toBeLessThan(400)
    } while (after !== null)
    expect(pages).toBeGreaterThan(20)
    // A login after the removal is refused.
    await insert(numbers.length + 1_000_001)
    await expectAll(store, old, 0)
    await expectAll(store, [...kept], kept.size)
  })
})

for (const { name, available, open } of [...local, ...realStores]) describe.skipIf(!available)(name, () => {
  test('S-13: sessions that expire or are refreshed between two pages of removeAll hide no other', async () => {
    const store = await open(`hidden_${++count}`)
    // All are in one part of Redis' index, the new ones first.
    const handles = Array.from({ length: 900 }, (_, number) => sampleHandle(number))
      .filter(handle => expiryShardOf(handle) === 3).slice(0, 40)
    const [young, old] = [handles.slice(0, 20), handles.slice(20)]
    for (const [index, handle] of young.entries()) {
      await store.insert(sampleRecord({ handle, createdAt: sampleNow + 1, idleTimeout: (60 + index) * minute }))
    }
    for (const handle of old) await store.insert(sampleRecord({ handle, idleTimeout: 200 * minute }))

    const kept = new Set(young)
    let after: string | null = null
    for (let pages = 0; pages === 0 || after !== null; pages++) {
      const page: RemovedPage = await store.removeAll({ notBefore, limit: 4, after })
      after = page.next
      expect(pages).toBeLessThan(100)
      const [refreshed, ending] = young.slice(2 * pages)
      if (refreshed === undefined || ending === undefined) continue
      const next = sampleNext({ rotatedAt: sampleNow + 59 * minute, servedAt: sampleNow + 59 * minute })
      expect(await store.rotate(sampleRotation({ handle: refreshed, next }))).not.toBeNull()
      await store.remove([ending], sampleNow)
      kept.delete(ending)
      // Moves the refreshed session to the position of its new expiry.
      expect((await store.removeExpired(sampleNow + (60 + 2 * pages) * minute, 100)).removed).toBe(0)
    }
    await expectAll(store, old, 0)
    await expectAll(store, young, kept.size)
  })
})

/** Expects this number of the sessions to exist. */
async function expectAll(store: SessionStore, handles: readonly SessionHandle[], there: number): Promise<void> {
  let found = 0
  for (let from = 0; from < handles.length; from += 500) {
    const records = await Promise.all(handles.slice(from, from + 500).map(handle => store.find(handle)))
    found += records.filter(record => record !== null).length
  }
  expect(found).toBe(there)
}
