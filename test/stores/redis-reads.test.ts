import { beforeEach, describe, expect, inject, test, vi } from 'vitest'
import type { SessionHandle } from '../../src/base/handle.ts'
import { keyNames, userTagOf } from '../../src/stores/redis/key-names.ts'
import { reconnectDelay } from '../../src/stores/redis/open-url.ts'
import {
  minute, sampleHandle, sampleListed, sampleNow, sampleRecord, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { connectIoredis, insertMany, openStore, recordCommands, sizeOf, temporary } from '../support/redis-store.ts'
import { startRedis } from '../support/servers/redis.ts'

const url = inject('redisUrl') ?? ''
const until = sampleNow + minute
let prefix = ''
let count = 0

beforeEach(() => {
  prefix = `reads-${count++}:`
})

describe.skipIf(url === '')('Redis, in bounded replies', () => {
  test('P-01: 500 confirmations share ten commands, and the second time they write nothing', async () => {
    const server = temporary(await startRedis())
    const plain = connectIoredis(server.url)
    const { client, sent } = recordCommands(plain)
    const store = openStore(client, { prefix })
    const handles = await insertMany(store, 500, number => (
      number % 100 === 0 ? { client: { ip: null, userAgent: '\u0001'.repeat(512) }, sessionInfo: 'x'.repeat(5000) } : {}
    ))
    const confirmations = handles.map((handle, number) => ({ handle, generation: number === 7 ? 1 : 0, branch: 0 }))
    const writes = async (): Promise<number> => (
      Number(/rdb_changes_since_last_save:(\d+)/.exec(await plain.info('persistence'))?.[1])
    )
    await plain.hset(`${prefix}session:{${sampleHandle(9999)}}`, 'not', 'a session')
    const strange = [9998, 9999].map(number => ({ handle: sampleHandle(number), generation: 0, branch: 0 }))
    await store.confirm(strange)
    let before = await writes()
    sent.length = 0
    await store.confirm(confirmations)
    expect(sent).toHaveLength(10)
    expect(await writes() - before).toBe(499)
    const confirmed = await Promise.all(handles.map(async handle => (await store.find(handle))?.confirmed))
    const unconfirmed = confirmed.flatMap((value, number) => value === true ? [] : [number])
    expect(unconfirmed, 'the one of another generation').toEqual([7])
    before = await writes()
    await store.confirm(confirmations)
    expect(await writes() - before).toBe(0)
  })

  test('P-12: a page of the change log ends at 256 KiB of handles, and the pages have no gap', async () => {
    const { client, sent } = recordCommands(connectIoredis(url))
    const store = openStore(client, { prefix })
    await store.insert(sampleRecord())
    await store.remove([sampleHandle(1)], until)
    const [changes, state] = [`${prefix}{shared}:changes`, `${prefix}{shared}:change-state`]
    const expected: SessionHandle[] = [sampleHandle(1)]
    for (let number = 0; number < 300; number++) {
      const handles = Array.from({ length: 100 }, (_, index) => sampleHandle(100 + 100 * number + index))
      const fields = ['kind', 'revoked', 'until', `${until}`, 'version', '0', 'handles', handles.join(',')]
      const id = await client.call('XADD', [changes, '*', ...fields])
      await client.call('HSET', [state, 'head', `${id}`])
      expected.push(...handles)
    }
    sent.length = 0
    const read: SessionHandle[] = []
    let [cursor, pages, more]: [string | null, number, boolean] = [null, 0, true]
    for (; more; pages++) {
      const page = await store.changesSince(cursor, 1000)
      read.push(...page.changes.flatMap(change => change.kind === 'revoked' ? change.handles : []))
      ;({ cursor, more } = page)
      expect(pages).toBeLessThan(10)
    }
    expect(read).toEqual(expected)
    expect(pages).toBe(3)
    for (const { reply } of sent) expect(sizeOf(reply)).toBeLessThan(450 * 1024)
    const exact = await store.changesSince(null, 301 - 192)
    expect([exact.changes.length, exact.more]).toEqual([109, true])
    expect(await store.changesSince(cursor, 10)).toEqual({ changes: [], cursor, more: false })
  })

  test('P-14: a list transfers neither JWT payload nor session data, and every other text unchanged', async () => {
    const { client, sent } = recordCommands(connectIoredis(url))
    const store = openStore(client, { prefix })
    const long = JSON.stringify('\u00e9'.repeat(32 * 1024))
    const agents = [
      'Sample/1.0', '","payloadVersion":1,"', '\\","payloadVersion":', '\u4f60'.repeat(512), '\u0001'.repeat(512),
      '\ud83d\ude00'.repeat(256),
    ]
    const records = [
      ...Array.from({ length: 40 }, (_, number) => sampleRecord({
        handle: sampleHandle(100 + number), jwtPayload: long, sessionInfo: long,
      })),
      // The head ends at every byte of a character.
      ...agents.flatMap((userAgent, row) => [0, 1, 2, 3].map(shift => sampleRecord({
        handle: sampleHandle(10 * row + shift), userId: 'user-2', tenantId: 'x'.repeat(shift + 1),
        client: { ip: null, userAgent }, sessionInfo: `,"payloadVersion":${'\u4f60'.repeat(500)}`,
      }))),
    ]
    await Promise.all(records.map(record => store.insert(record)))
    sent.length = 0
    for (const userId of ['user-1', 'user-2']) {
      const { sessions } = await store.listByUser(userId, { limit: 100, after: null })
      const expected = records.filter(record => record.userId === userId).map(sampleListed)
      expect(sessions.toSorted(byHandle)).toEqual(expected.toSorted(byHandle))
      if (userId === 'user-1') expect(sizeOf(sent.map(({ reply }) => reply))).toBeLessThan(40 * 2500)
      const removed = (await store.removeByUser(sampleUserRemoval({ userId }))).handles
      expect(removed.toSorted(), 'removals read as much').toEqual(expected.map(({ handle }) => handle).toSorted())
    }
  })

  test('a list reads at most ten windows of the index: it goes on behind entries without a session', async () => {
    const { client, sent } = recordCommands(connectIoredis(url))
    const store = openStore(client, { prefix })
    const handles = await insertMany(store, 3, () => ({ createdAt: sampleNow - 1 }))
    // Newer than the sessions, and too young to be repaired.
    const orphans = Array.from({ length: 300 }, (_, number) => [`${sampleNow}`, sampleHandle(1000 + number)])
    await client.call('ZADD', [keyNames(prefix).user(userTagOf('user-1')), ...orphans.flat()])
    sent.length = 0
    const first = await store.listByUser('user-1', { limit: 10, after: null })
    expect(sent.filter(({ name }) => name === 'GETRANGE').length).toBe(10 * (10 + 1 + 16))
    expect([first.sessions, first.next]).toEqual([[], expect.any(String)])
    const second = await store.listByUser('user-1', { limit: 10, after: first.next })
    expect(second.sessions.map(({ handle }) => handle)).toEqual(handles.toSorted().toReversed())
    expect(second.next).toBeNull()
  })
})

test('P-16: a store on a URL reconnects after at most two seconds, at a random moment', () => {
  const random = vi.spyOn(Math, 'random')
  const delays = [0, 1].map(value => {
    random.mockReturnValue(value)
    return [0, 1, 5, 6, 2000].map(reconnectDelay)
  })
  random.mockRestore()
  expect(delays).toEqual([[50, 100, 1600, 2000, 2000], [40, 80, 1280, 1600, 1600]])
})

function byHandle(left: { readonly handle: string }, right: { readonly handle: string }): number {
  return left.handle < right.handle ? -1 : 1
}
