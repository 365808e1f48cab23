import { beforeEach, describe, expect, inject, test } from 'vitest'
import { encodePosition } from '../../src/stores/page-position.ts'
import type { IoredisClient } from '../../src/stores/redis.ts'
import { expiryShardOf, keyNames, userTagOf } from '../../src/stores/redis/key-names.ts'
import type { RemovedOfUser, SessionStore } from '../../src/session/store.ts'
import {
  minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import {
  connectCluster, connectIoredis, insertMany, openStore, recordCommands, sizeOf,
} from '../support/redis-store.ts'

const url = inject('redisUrl') ?? ''
const nodes = inject('redisClusterNodes') ?? []
const missing = url === '' || nodes.length === 0
let prefix = ''
let count = 0

beforeEach(() => {
  prefix = `bounds-${count++}:`
})

describe.skipIf(missing)('Redis, in bounded steps', () => {
  test('P-07: revoking a user takes commands of at most 100 sessions, also among entries without one', async () => {
    const { client, sent } = recordCommands(connectIoredis(url))
    const store = openStore(client, { prefix })
    // Many sessions of the same millisecond: a position is inside of them.
    const handles = await insertMany(store, 250, number => ({ createdAt: sampleNow - Math.floor(number / 120) }))
    const index = userIndex()
    const orphans = Array.from({ length: 220 }, (_, number) => [`${sampleNow - 1}`, sampleHandle(1000 + number)]).flat()
    await client.call('ZADD', [index, ...orphans])
    sent.length = 0
    const parts = await removeInParts(store)
    expect(parts.flatMap(part => part.handles).toSorted()).toEqual(handles.toSorted())
    expect(parts.map(part => part.handles.length)).toEqual([100, 20, 0, 60, 70])
    for (const { name, args } of sent) {
      if (name.startsWith('EVAL')) expect(Number(args[1]), 'keys of a script').toBeLessThanOrEqual(103)
      expect(args.length, `arguments of ${name}`).toBeLessThan(250)
    }
    for (const { reply } of sent) expect(sizeOf(reply), 'bytes of a reply').toBeLessThan(10_000)
    expect((await store.changesSince(null, 10)).changes).toHaveLength(4)
  })

  test('P-07: a position continues by the bytes of the handles, also after its entry is gone', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    // Handles whose letters some locales sort differently.
    const handles = [0, 26, 52, 53, 61, 62, 63].map(letter => sampleHandle(letter * 2 ** 26)).toSorted().toReversed()
    for (const handle of handles) await store.insert(sampleRecord({ handle, createdAt: sampleNow }))
    const [first, second] = handles
    if (first === undefined || second === undefined) throw new Error('there are seven')
    for (const gone of [false, true]) {
      if (gone) await client.zrem(userIndex(), second)
      const after = encodePosition({ createdAt: sampleNow, handle: second })
      const { sessions } = await store.listByUser('user-1', { limit: 10, after })
      expect(sessions.map(({ handle }) => handle)).toEqual(handles.slice(2))
    }
    const after = encodePosition({ createdAt: sampleNow, handle: second })
    const part = await store.removeByUser(sampleUserRemoval({ limit: 3, after }))
    expect([...part.handles]).toEqual(handles.slice(2, 5))
    expect(await store.find(first)).not.toBeNull()
  })

  test('P-07: an interrupted part in a cluster is completed by repeating the whole, also after a cleanup', async () => {
    const client = await connectCluster('ioredis', nodes) as IoredisClient
    const other = openStore(client, { prefix })
    // Older than any login in progress, so that their index entries are repaired.
    const created = Date.now() - 120 * minute
    const handles = await insertMany(other, 6, number => ({ createdAt: created - number }))
    // So that the cleanup removes no change.
    const from = Date.now() + 200 * minute
    let isBroken = false
    const announced = `${prefix}{shared}:announced`
    const broken = openStore(failing(client, args => isBroken && args.includes(announced)), { prefix })
    const first = await broken.removeByUser(sampleUserRemoval({ limit: 3, from }))
    expect(first.handles).toHaveLength(3)
    isBroken = true
    const second = broken.removeByUser(sampleUserRemoval({ limit: 3, from, after: first.next }))
    await expect(second).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await other.find(sampleHandle(4)), 'it is gone, and no process knows').toBeNull()

    // Both find index entries without a session.
    const repairing = openStore(client, { prefix })
    expect((await repairing.listByUser('user-1', { limit: 10, after: null })).sessions).toEqual([])
    await repairing.close()
    expect(await other.removeExpired(Date.now() + 100 * minute, 100)).toEqual({ removed: 0, more: false })

    const again = await removeInParts(other, 3, from)
    expect(again.flatMap(part => part.handles).toSorted()).toEqual(handles.slice(3).toSorted())
    const { changes } = await other.changesSince(null, 10)
    const revoked = changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])
    expect(revoked.toSorted(), 'each is announced once').toEqual(handles.toSorted())
    await other.close()
    expect(await client.call('EXISTS', [userIndex()]), 'no index entry is left').toBe(0)
  })

  test('P-03, P-11: a cleanup looks at no more than its limit of each kind, also at what it only moves', async () => {
    const { client, sent } = recordCommands(connectIoredis(url))
    const store = openStore(client, { prefix })
    const handles = await insertMany(store, 60, () => ({ accessTokenLifetime: 0 }))
    for (const handle of handles.slice(0, 30)) {
      await store.rotate(sampleRotation({ handle, next: sampleNext({ rotatedAt: sampleNow + 90 * minute }) }))
    }
    for (const handle of handles.slice(50)) await store.remove([handle], sampleNow)
    // What a cluster remembers of its removals.
    const announced = Array.from({ length: 20 }, (_, number) => [`${sampleNow}`, `name-${number}`]).flat()
    await client.call('ZADD', [`${prefix}{shared}:announced`, ...announced])
    await store.removeExpired(0, 1)
    const later = sampleNow + 100 * minute
    const left = async (): Promise<unknown[]> => [
      await client.call('XLEN', [`${prefix}{shared}:changes`]),
      await client.call('ZCARD', [`${prefix}{shared}:announced`]),
    ]
    sent.length = 0
    const first = await store.removeExpired(later, 7)
    const looks = sent.filter(({ args }) => args[2]?.startsWith(`${prefix}session:`))
    expect(new Set(looks.map(({ args }) => args[2])).size).toBe(7)
    expect(first.removed).toBeLessThanOrEqual(7)
    expect([first.more, ...await left()]).toEqual([true, 3, 13])
    let removed = first.removed
    for (let more = true, calls = 0; more; calls++) {
      const part = await store.removeExpired(later, 7)
      removed += part.removed
      more = part.more
      expect(calls).toBeLessThan(30)
    }
    expect([removed, ...await left()]).toEqual([20, 0, 0])
    expect((await store.listByUser('user-1', { limit: 100, after: null })).sessions).toHaveLength(30)
  })

  test('P-03: what a cleanup cannot read stops neither other sessions nor other kinds; the error is thrown', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    const handles = await insertMany(store, 40, () => ({ accessTokenLifetime: 0 }))
    const [revoked, hash] = handles
    if (revoked === undefined || hash === undefined) throw new Error('there are forty')
    await store.remove([revoked], sampleNow)
    await store.removeExpired(0, 1)
    await client.call('DEL', [`${prefix}session:{${hash}}`])
    await client.call('HSET', [`${prefix}session:{${hash}}`, 'not', 'a session'])
    const later = sampleNow + 100 * minute
    const shard = expiryShardOf(sampleHandle(5))
    const inShard = handles.slice(2).filter(handle => expiryShardOf(handle) === shard)
    const [ends, part] = [`${prefix}{shared}:change-ends`, `${prefix}expiry:{expiry-${shard}}`]

    // The log cannot be read, nor can one part of the index of sessions.
    for (const key of [ends, part]) {
      await client.rename(key, `${key}:kept`)
      await client.set(key, 'of another type')
    }
    await expect(store.removeExpired(later, 1000)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const found = await Promise.all(handles.slice(2).map(handle => store.find(handle)))
    expect(found.filter(record => record !== null).map(record => record.handle)).toEqual(inShard)
    // The log can be read again; the index not yet.
    await client.rename(`${ends}:kept`, ends)
    await expect(store.removeExpired(later, 1000)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await store.changesSince(null, 10)).changes).toEqual([])
    await client.rename(`${part}:kept`, part)
    expect(await store.removeExpired(later, 1000)).toEqual({ removed: inShard.length, more: false })
    expect(await client.call('TYPE', [`${prefix}session:{${hash}}`]), 'it is kept').toBe('hash')
  })
})

async function removeInParts(store: SessionStore, limit = 100, from = sampleNow): Promise<RemovedOfUser[]> {
  const parts: RemovedOfUser[] = []
  let after: string | null = null
  do {
    const part: RemovedOfUser = await store.removeByUser(sampleUserRemoval({ limit, from, after }))
    parts.push(part)
    after = part.next
    expect(parts.length).toBeLessThan(20)
  } while (after !== null)
  return parts
}

const userIndex = (): string => keyNames(prefix).user(userTagOf('user-1'))

/** A client whose commands fail without being sent, where `fails` says so. */
function failing(client: IoredisClient, fails: (args: readonly string[]) => boolean): IoredisClient {
  const call = (name: string, args: string[]): Promise<unknown> => (
    fails(args) ? Promise.reject(new Error('Connection is closed.')) : client.call(name, args)
  )
  return new Proxy(client, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
