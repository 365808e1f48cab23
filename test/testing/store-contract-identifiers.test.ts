import { expect, test } from 'vitest'
import type { SessionRecord } from '../../src/session/record.ts'
import { GeneralError } from '../../src/base/errors.ts'
import type { ListedSession, SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { identifierCases } from '../../src/testing/store-contract/identifiers.ts'

/** A store that changes records when they are written, and user ids in queries accordingly. */
function changing(change: (record: SessionRecord) => SessionRecord): SessionStore {
  const sound = createMemoryStore()
  const userIdOf = (userId: string, record: SessionRecord): string => change({ ...record, userId }).userId
  let sample: SessionRecord | null = null
  return {
    ...sound,
    insert: record => sound.insert(change(sample = record)),
    listByUser: (userId, page) => sound.listByUser(sample === null ? userId : userIdOf(userId, sample), page),
    removeByUser: removal => sound.removeByUser(
      sample === null ? removal : { ...removal, userId: userIdOf(removal.userId, sample) }),
    rotate: async rotation => {
      const record = await sound.rotate(rotation)
      return record === null ? null : change(record)
    },
  }
}

async function firstFailure(store: SessionStore): Promise<string | null> {
  for (const { name, run } of identifierCases) {
    try {
      await run({ open: async () => store })
    } catch {
      return name
    }
    for (const { handle } of await all(store)) await store.remove([handle], 0)
  }
  return null
}

async function all(store: SessionStore): Promise<readonly ListedSession[]> {
  return (await store.listByUser('user-1', { limit: 100, after: null })).sessions
}

test('a correct store keeps identifiers', async () => {
  expect(await firstFailure(changing(record => record))).toBeNull()
})

const cutBytes = (text: string, length: number): string => Buffer.from(text).subarray(0, length).toString()

test.for<[string, string, (record: SessionRecord) => SessionRecord]>([
  ['cuts user ids to 254 characters', 'S-14: user ids', record => ({ ...record, userId: record.userId.slice(0, 254) })],
  ['cuts user ids to 512 bytes', 'S-14: user ids', record => ({ ...record, userId: cutBytes(record.userId, 512) })],
  ['stores a blank for an empty user id', 'S-14: user ids', record => ({ ...record, userId: record.userId || ' ' })],
  ['serializes JSON again', 'S-14: escapes', ({ ...record }) => ({
    ...record, sessionInfo: record.sessionInfo.replaceAll('\\ud800', '\ufffd'),
  })],
  ['decodes JSON escapes', 'S-14: escapes', record => ({
    ...record, jwtPayload: record.jwtPayload.replaceAll('\\u0000', '\0'),
  })],
  ['cuts user agents to 511 characters', 'S-19', record => ({
    ...record, client: { ...record.client, userAgent: record.client.userAgent?.slice(0, 511) ?? null },
  })],
  ['cuts addresses to 45 characters', 'S-19', record => ({
    ...record, client: { ...record.client, ip: record.client.ip?.slice(0, 45) ?? null },
  })],
])('the contract catches a store that %s', async ([, name, change]) => {
  expect(await firstFailure(changing(change))).toMatch(new RegExp(`^${name}`))
})

test('the contract catches a store that accepts any position, or answers one with STORE_UNAVAILABLE', async () => {
  const sound = createMemoryStore()
  const first: SessionStore = {
    ...sound,
    listByUser: (userId, page) => sound.listByUser(userId, { ...page, after: null }),
  }
  const failing: SessionStore = {
    ...sound, listByUser: (userId, page) => sound.listByUser(userId, page).catch(() => {
      throw new GeneralError('STORE_UNAVAILABLE', 'the query failed')
    }),
  }
  for (const store of [first, failing]) expect(await firstFailure(store)).toMatch(/^S-15/)
})
