import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, inject, test } from 'vitest'
import { isSessionError } from '../../src/base/errors.ts'
import { createCore } from '../support/create-core.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { IoredisCluster } from '../../src/stores/redis.ts'
import { keyNames, userTagOf } from '../../src/stores/redis/key-names.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleUserRemoval } from '../../src/testing/samples.ts'
import { World } from '../session/laws/world.ts'
import type { Jar } from '../session/laws/world.ts'
import { connectCluster, connectIoredis, libraries, openStore, temporary } from '../support/redis-store.ts'
import { startRedisCluster } from '../support/servers/redis-cluster.ts'

const nodes = inject('redisClusterNodes') ?? []
const missing = nodes.length === 0
const until = sampleNow + minute

/** Tries again until the test's time is up, as clients do when the store is unavailable. */
async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'STORE_UNAVAILABLE') throw error
      await turn()
    }
  }
}

/** A cluster client that fails as `spoil` says; null lets a command pass. */
function spoiled(client: object, spoil: (args: readonly string[]) => Error | null): IoredisCluster {
  const call = (name: string, args: string[]): Promise<unknown> => {
    const error = spoil([name, ...args])
    return error === null ? (client as IoredisCluster).call(name, args) : Promise.reject(error)
  }
  return new Proxy(client as IoredisCluster, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe.skipIf(missing)('a Redis Cluster', () => {
  test.each(libraries)('a failover loses the newest rotations, and no user is logged out (law 6, %s)',
    async library => {
      const cluster = temporary(await startRedisCluster({ replicas: true }))
      const [primary, replica] = [cluster.primaries[0], cluster.replicas[0]]
      if (primary === undefined || replica === undefined) {
        throw new Error('the cluster has three primaries and replicas')
      }
      const client = await connectCluster(library, cluster.nodes)
      const store = openStore(client, { replicas: 1, requestTimeout: '2s' })
      const world = new World(createCore, store, 4)
      const refreshAll = (jars: readonly Jar[]): Promise<{ how: string; jar: Jar | null }[]> =>
        Promise.all(jars.map(jar => retrying(() => world.refresh(jar))))
      const held = (outcomes: readonly { jar: Jar | null }[]): Jar[] =>
        outcomes.flatMap(({ jar }) => jar === null ? [] : [jar])

      const logins = Array.from({ length: 60 }, () => retrying(() => world.login()))
      const jars = held(await refreshAll(await Promise.all(logins)))
      const revoked = jars.splice(0, 10)
      for (const { refreshToken } of revoked) {
        await retrying(() => world.core().revokeSession(refreshToken.split('.')[2] ?? ''))
      }
      world.now += 5 * minute

      // From here on the replica gets no more updates: it may no longer read from its primary.
      const admin = connectIoredis(primary.url)
      await admin.call('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
      const newest = held(await refreshAll(jars))
      expect(newest).toHaveLength(50)
      await primary.kill9()
      await connectIoredis(replica.url).call('CLUSTER', 'FAILOVER', 'TAKEOVER')

      const generations = await Promise.all(newest.map(jar => retrying(() => world.record(jar))))
      expect(generations.filter(record => record?.generation === 1).length, 'rotations were lost').toBeGreaterThan(3)
      world.now += 5 * minute
      const after = await refreshAll(newest)
      expect(new Set(after.map(({ how }) => how))).toEqual(new Set(['adopt', 'rotate']))
      world.now += 5 * minute
      expect(new Set((await refreshAll(held(after))).map(({ how }) => how))).toEqual(new Set(['rotate']))
      for (const jar of revoked) expect((await world.refresh(jar)).kind, 'revoked stays revoked').toBe('unauthorized')
      expect(world.events.filter(({ name }) => name === 'theft')).toEqual([])
    })

  test.each([
    'before', 'after',
  ] as const)('a removal that is interrupted %s the change is written is completed by the next try', async when => {
    const client = await connectCluster('ioredis', nodes)
    const prefix = `broken-${when}:`
    let broken = false
    const store = openStore(spoiled(client, args => {
      const breaks = !broken && args.includes(`${prefix}{shared}:announced`)
      if (!breaks) return null
      broken = true
      if (when === 'after') void (client as IoredisCluster).call(args[0] ?? '', args.slice(1)).catch(() => undefined)
      return new Error('Connection is closed.')
    }), { prefix })
    const other = openStore(client, { prefix })
    // So that the server knows the script, and the failing call does its work.
    await other.insert(sampleRecord({ handle: sampleHandle(7) }))
    await other.remove([sampleHandle(7)], until)

    for (const number of [1, 2]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    await expect(store.removeByUser(sampleUserRemoval({ from: until })))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await other.find(sampleHandle(1)), 'it is gone already').toBeNull()
    const again = (await other.removeByUser(sampleUserRemoval({ from: until }))).handles
    expect([...again].sort()).toEqual(when === 'before' ? [sampleHandle(1), sampleHandle(2)] : [])
    const { changes } = await other.changesSince(null, 10)
    const announced = changes.slice(1).map(change => change.kind === 'revoked' ? [...change.handles].sort() : [])
    expect(announced, 'announced once').toEqual([[sampleHandle(1), sampleHandle(2)]])
    await other.close()
    const index = keyNames(prefix).user(userTagOf('user-1'))
    expect(await (client as IoredisCluster).call('EXISTS', [index]), 'no index entry is left').toBe(0)
  })

  test('a client for one server gets an error that says that the server is part of a cluster', async () => {
    const store = openStore(connectIoredis(`redis://127.0.0.1:${nodes[0]?.port}`))
    const calls = Array.from({ length: 20 }, (_, number) => store.find(sampleHandle(number)))
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'fulfilled') continue
      expect(result.reason).toMatchObject({ code: 'MISUSE', message: expect.stringContaining('cluster client') })
    }
    await expect(Promise.all(calls)).rejects.toThrow()
  })

  test('a cluster client that reads from replicas is refused: they may not have a revocation yet', () => {
    const options = { scaleReads: 'slave' }
    const client = { isCluster: true, options } as IoredisCluster
    expect(() => createRedisStore(Object.assign(client, { call: () => Promise.resolve() }))).toThrow(/scaleReads/)
  })
})
