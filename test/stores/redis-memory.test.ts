import { describe, expect, inject, test } from 'vitest'
import { createCore } from '../support/create-core.ts'
import { allowEviction } from '../../src/stores/redis.ts'
import {
  minute, sampleHandle, sampleNow, sampleRecord, sampleRotation, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { rightClocks, World } from '../session/laws/world.ts'
import type { Jar } from '../session/laws/world.ts'
import { connectIoredis, openStore, temporary } from '../support/redis-store.ts'
import { startRedis } from '../support/servers/redis.ts'

const until = sampleNow + minute

function handleOf(jar: Jar): string {
  return jar.refreshToken.split('.')[2] ?? ''
}

describe.skipIf(inject('redisUrl') === null)('lost data in Redis', () => {
  test('a server that evicts is refused at the first use, unless the option accepts it', async () => {
    const server = temporary(await startRedis({ maxmemory: '100mb', 'maxmemory-policy': 'volatile-lru' }))
    const client = connectIoredis(server.url)
    const refusing = openStore(client)
    const refusal = { code: 'MISUSE', message: expect.stringMatching(/volatile-lru.*noeviction/s) }
    const { insert, find, listKeys } = refusing
    for (const call of [() => insert(sampleRecord()), () => find(sampleHandle(1)), listKeys]) {
      await expect(call()).rejects.toMatchObject(refusal)
    }
    expect(await client.dbsize()).toBe(0)
    const accepting = openStore(client, { [allowEviction]: true })
    await accepting.insert(sampleRecord())
    expect(await accepting.find(sampleHandle(1))).toEqual(sampleRecord())
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect(await refusing.find(sampleHandle(1)), 'checked again until the setting is right').toEqual(sampleRecord())
  })

  test('memory is full: logins fail with a clear error; sessions refresh, are revoked and cleaned up as before', async () => {
    const server = temporary(await startRedis({ 'maxmemory-policy': 'noeviction' }))
    const client = connectIoredis(server.url)
    const store = openStore(client)
    const sessionInfo = JSON.stringify('x'.repeat(20_000))
    const insert = (number: number): Promise<boolean> => store.insert(sampleRecord({
      handle: sampleHandle(number), userId: number === 3 ? 'user-3' : 'user-1', sessionInfo,
      idleTimeout: minute * (number + 60),
    }))
    await insert(0)
    await store.rotate(sampleRotation({ handle: sampleHandle(0) }))
    const used = /used_memory:(\d+)/.exec(await client.info('memory'))?.[1]
    await client.config('SET', 'maxmemory', `${Number(used) + 1_000_000}`)

    let count = 1
    const full: unknown = await (async () => {
      for (; count < 500; count++) await insert(count)
    })().catch((error: unknown) => error)
    expect(full).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('maxmemory') })
    expect(count).toBeGreaterThan(10)
    for (let number = 1; number < count; number++) {
      const rotated = await store.rotate(sampleRotation({ handle: sampleHandle(number) }))
      expect(rotated, `session ${number}`).toMatchObject({ refreshHash: 'hash-1' })
      expect(await store.find(sampleHandle(number)), `session ${number}`).toEqual(rotated)
    }
    const update = {
      handle: sampleHandle(1),
      jwtPayload: sessionInfo,
      expectedVersion: null,
      now: sampleNow,
      from: until,
    }
    // The server counts buffers of connections too, which may have shrunk since.
    const updates = Array.from({ length: count - 1 }, (_, index) => (
      store.updatePayload({ ...update, handle: sampleHandle(index + 1) })))
    expect(await Promise.allSettled(updates)).toContainEqual(
      { status: 'rejected', reason: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }) })

    expect((await store.remove([sampleHandle(1)], until)).handles).toEqual([sampleHandle(1)])
    await client.config('SET', 'maxmemory', '1mb')
    expect((await store.remove([sampleHandle(2)], until)).handles).toEqual([sampleHandle(2)])
    const removal = await store.removeByUser(sampleUserRemoval({ userId: 'user-3' }))
    expect(removal.handles).toEqual([sampleHandle(3)])
    const page = await store.removeAll({ notBefore: { time: 1, until }, limit: 1000, after: null })
    expect(page.removed, 'no session is that old').toBe(0)
    const { changes } = await store.changesSince(null, 1000)
    expect(changes.filter(({ kind }) => kind === 'revoked')).toHaveLength(3)
    expect(await store.acquireLease('cleanup', 'a', sampleNow, until)).toBe(true)
    expect((await store.removeExpired(sampleNow + 1000 * minute, 1000)).removed).toBe(count - 3)
    expect((await store.changesSince(null, 10)).changes).toHaveLength(0)
  })

  test('FLUSHALL: all users log in again, with new keys; no user gets a session of another; cursors recover', async () => {
    const server = temporary(await startRedis())
    const client = connectIoredis(server.url)
    const store = openStore(client)
    const world = new World(createCore, store, 5, rightClocks(2))
    const old = await Promise.all(Array.from({ length: 10 }, (_, index) => world.login(index)))
    await world.core().revokeSession(handleOf(await world.login()))
    const keys = (await store.listKeys()).map(key => key.kid)
    const { cursor } = await store.changesSince(null, 10)
    await client.flushall()

    for (const [index, jar] of old.entries()) expect((await world.refresh(jar, index)).kind).toBe('unauthorized')
    expect((await world.core().listSessions('honest')).sessions).toEqual([])
    world.restart(0)
    const fresh = await Promise.all(Array.from({ length: 10 }, () => world.login(0)))
    const newKeys = (await store.listKeys()).map(key => key.kid)
    expect(newKeys).toHaveLength(keys.length)
    expect(keys.filter(kid => newKeys.includes(kid))).toEqual([])
    const handles = new Set(fresh.map(handleOf))
    for (const jar of old) {
      expect(handles).not.toContain(handleOf(jar))
      expect((await world.refresh(jar, 0)).kind).toBe('unauthorized')
    }
    for (const jar of fresh) expect((await world.refresh(jar, 0)).kind).toBe('refreshed')

    const last = fresh.at(-1)
    if (last === undefined) throw new Error('there are ten')
    await world.core(0).revokeSession(handleOf(last))
    const { changes } = await store.changesSince(cursor, 10)
    expect(changes).toMatchObject([{ kind: 'revoked', handles: [handleOf(last)] }])
    expect(world.events.filter(({ name }) => name === 'theft')).toEqual([])
  })

  test('FLUSHALL under running processes: logins never fail, and within a minute all share new keys', async () => {
    const server = temporary(await startRedis())
    const client = connectIoredis(server.url)
    const store = openStore(client)
    const world = new World(createCore, store, 6, rightClocks(2))
    const old = [await world.login(0), await world.login(1)]
    for (const [index, jar] of old.entries()) await world.use(jar, 1 - index)
    const before = (await store.listKeys()).map(key => key.kid)
    await client.flushall()

    // The processes still have their keys in memory.
    const between = [await world.login(0), await world.login(1)]
    for (const index of [0, 1]) {
      for (const jar of old) expect((await world.refresh(jar, index)).kind).toBe('unauthorized')
    }
    expect(new Set([...old, ...between].map(handleOf)).size).toBe(4)
    expect((await world.core().listSessions('honest')).sessions.map(({ handle }) => handle).toSorted())
      .toEqual(between.map(handleOf).toSorted())
    await world.advanceTo(world.now + minute)
    for (const index of [0, 1]) await world.login(index)
    await expect.poll(async () => (await store.listKeys()).length).toBe(before.length)
    await world.advanceTo(world.now + minute)
    for (const index of [0, 1]) await world.login(index)

    const after = (await store.listKeys()).map(key => key.kid)
    expect(after).toHaveLength(before.length)
    expect(after.filter(kid => before.includes(kid))).toEqual([])
    for (const [index, jar] of [await world.login(0), await world.login(1)].entries()) {
      expect((await world.core(1 - index).verify(jar.accessToken)).kind).toBe('active')
      expect((await world.refresh(jar, 1 - index)).kind).toBe('refreshed')
    }
    for (const jar of old) expect((await world.refresh(jar, 0)).kind).toBe('unauthorized')
    expect(world.events.filter(({ name }) => name === 'theft')).toEqual([])
  })
})
