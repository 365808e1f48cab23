import { Redis } from 'ioredis'
import { createSentinel } from 'redis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { RedisClient } from '../../src/stores/redis.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { connectIoredis, openStore, temporary } from '../support/redis-store.ts'
import { startRedis, startRedisReplica } from '../support/servers/redis.ts'
import { startSentinel } from '../support/servers/redis-sentinel.ts'

const missing = inject('redisUrl') === null
const from = sampleNow + 60 * minute

describe.skipIf(missing)('Redis with Sentinel', () => {
  test('a failover: service again, without what was not replicated; the log is read anew (ioredis)', async () => {
    const primary = temporary(await startRedis())
    const replica = temporary(await startRedisReplica(primary))
    const sentinels = await Promise.all([1, 2, 3].map(async () => temporary(await startSentinel(primary, 2))))
    const watchers = sentinels.map(({ url }) => connectIoredis(url))
    await expect.poll(async () => {
      const states = await Promise.all(watchers.map(watcher => watcher.call('SENTINEL', 'MASTER', 'main')))
      return states.map(state => `${state}`).every(state => /num-slaves,1,num-other-sentinels,2/.test(state))
    }).toBe(true)

    const client = new Redis({
      name: 'main',
      sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      sentinelRetryStrategy: () => 100,
      retryStrategy: () => 50,
    })
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    const store = openStore(client, { requestTimeout: '2s' })
    for (const each of [0, 1, 2, 3]) await store.insert(sampleRecord({ handle: sampleHandle(each) }))
    let woken = 0
    await store.follow(() => { woken += 1 })
    await store.remove([sampleHandle(0)], from)
    await client.wait(1, 0)

    // The replica can no longer log in at the primary, and so gets nothing more.
    const admin = connectIoredis(primary.url)
    await admin.call('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
    expect(await store.rotate(sampleRotation({ handle: sampleHandle(1) }))).not.toBeNull()
    expect((await store.remove([sampleHandle(2)], from)).handles).toEqual([sampleHandle(2)])
    const { cursor } = await store.changesSince(null, 10)
    await primary.kill9()

    let number = 90
    // Each with a handle of its own: a login that failed may have been written late.
    const login = (): Promise<boolean> =>
      store.insert(sampleRecord({ handle: sampleHandle(++number) })).catch(() => false)
    await expect.poll(login, { timeout: 120_000 }).toBe(true)
    expect(await connectIoredis(replica.url).exists(`keyturn:session:{${sampleHandle(number)}}`)).toBe(1)
    const rotated = await store.rotate(sampleRotation({ handle: sampleHandle(1) }))
    expect(rotated, 'a lost rotation is repeated').not.toBeNull()
    expect(await store.find(sampleHandle(2)), 'a lost revocation is undone').not.toBeNull()
    expect(await store.find(sampleHandle(0)), 'a replicated one is not').toBeNull()
    const { changes } = await store.changesSince(cursor, 10)
    expect(changes, 'from the beginning').toMatchObject([{ kind: 'revoked', handles: [sampleHandle(0)] }])
    // A follower is also woken when it connects again, so once is not enough.
    for (let round = 0; round < 3; round++) {
      const before = woken
      await expect.poll(async () => {
        await store.updatePayload({
          expectedVersion: null,
          handle: sampleHandle(3),
          jwtPayload: '{}',
          now: sampleNow,
          from,
        })
        return woken > before
      }).toBe(true)
    }
  })

  test('a Sentinel client of node-redis is refused', () => {
    const client = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    expect(() => createRedisStore(client as unknown as RedisClient)).toThrow(/^clientOrUrl must be a client or cluster/)
  })
})
