import { createHandle } from '../../src/base/handle.ts'
import { platform } from '../../src/platform/node.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleRecord } from '../../src/testing/samples.ts'
import type { StoreContender } from './contender.ts'
import { median, rate } from './rounds.ts'
import type { Pace } from './rounds.ts'

/** How many sessions each user has, however many users there are. */
export const SESSIONS_PER_USER = 10

/** How many expired sessions a cleanup has to remove, and how many at once. */
export const EXPIRED = 5000
export const CLEANUP_BATCH = 500

const DAY = 86_400_000

/** Operations per second of a store that contains a given number of sessions. */
export interface Loaded {
  readonly load: number
  readonly listings: number
  readonly cleanup: number
}

function recordOf(index: number): SessionRecord {
  const now = Date.now()
  return sampleRecord({
    handle: createHandle('cookie', platform.crypto.randomBytes),
    userId: `user-${Math.floor(index / SESSIONS_PER_USER)}`,
    createdAt: now, authenticatedAt: now, rotatedAt: now, servedAt: now,
    idleTimeout: 100 * DAY, absoluteExpiry: null, expiresAt: now + 100 * DAY,
  })
}

/** Adds the sessions from one number to another. Returns how many per second. */
async function insertAll(store: SessionStore, records: Iterator<SessionRecord>): Promise<number> {
  const start = performance.now()
  let count = 0
  await Promise.all(Array.from({ length: 64 }, async () => {
    for (let next = records.next(); next.done !== true; next = records.next()) {
      await store.insert(next.value)
      count++
    }
  }))
  return count / (performance.now() - start) * 1000
}

function* numbered(from: number, to: number, make: (index: number) => SessionRecord): Generator<SessionRecord> {
  for (let index = from; index < to; index++) yield make(index)
}

/** Fills the store to each of the sizes, and measures listings and cleanup at each. */
export async function measureReads(
  { store, bulk }: StoreContender,
  sizes: readonly number[],
  { milliseconds, rounds }: Pace,
): Promise<Record<string, Loaded>> {
  const results: Record<string, Loaded> = {}
  let count = 0
  for (const size of sizes) {
    let load = Number.NaN
    const fill = async (): Promise<void> => { load = await insertAll(store, numbered(count, size, recordOf)) }
    await (bulk === null ? fill() : bulk(fill))
    count = size
    const users = Math.floor(size / SESSIONS_PER_USER)
    const listings: number[] = []
    const cleanups: number[] = []
    for (let round = 0; round < rounds; round++) {
      listings.push(await rate(16, milliseconds, (_, call) => (
        store.listByUser(`user-${(call * 7919 + round) % users}`, { limit: 100, after: null })
      )))
      cleanups.push(await cleanUp(store))
    }
    results[String(size)] = { load, listings: median(listings), cleanup: median(cleanups) }
    console.log(`${size.toLocaleString('en')} sessions`.padStart(20), results[String(size)])
  }
  return results
}

/** Expired sessions removed per second. */
async function cleanUp(store: SessionStore): Promise<number> {
  const past = Date.now() - DAY
  await insertAll(store, numbered(0, EXPIRED, index => ({
    ...recordOf(index), createdAt: past, rotatedAt: past, servedAt: past, idleTimeout: 1000, expiresAt: past + 1000,
  })))
  const start = performance.now()
  let removed = 0
  for (let more = true; more;) {
    const part = await store.removeExpired(Date.now(), CLEANUP_BATCH)
    removed += part.removed
    more = part.more
  }
  return removed / (performance.now() - start) * 1000
}
