import { existsSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { GeneralError } from '../../src/base/errors.ts'
import { parseHandle } from '../../src/base/handle.ts'
import type { SessionHandle } from '../../src/base/handle.ts'
import { createCore } from '../support/create-core.ts'
import { minute, sampleHandle, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { World } from '../session/laws/world.ts'
import type { Jar } from '../session/laws/world.ts'
import { connectClient, connectIoredis, libraries, openStore, temporary } from '../support/redis-store.ts'
import { startRedis, startRedisReplica } from '../support/servers/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const missing = inject('redisUrl') === null
const until = sampleNow + minute

function handleOf(jar: Jar): SessionHandle {
  const handle = parseHandle(jar.refreshToken.split('.')[2] ?? '')
  if (handle === null) throw new Error('a refresh token names its session')
  return handle
}

function logins(world: World, count: number): Promise<Jar[]> {
  return Promise.all(Array.from({ length: count }, () => world.login()))
}

interface Refreshed {
  readonly kinds: ReadonlySet<string>
  readonly hows: ReadonlySet<string>
  readonly jars: readonly Jar[]
}

/** Refreshes every session once more; how each was answered. */
async function refreshAll(world: World, jars: readonly Jar[]): Promise<Refreshed> {
  const outcomes = await Promise.all(jars.map(jar => world.refresh(jar)))
  return {
    kinds: new Set(outcomes.map(({ kind }) => kind)),
    hows: new Set(outcomes.map(({ how }) => how)),
    jars: outcomes.flatMap(({ jar }) => jar === null ? [] : [jar]),
  }
}

/** The file to which the server appends its writes. Redis 6.2 has one file instead of a folder. */
function appendOnlyFile(directory: string): string {
  const file = join(directory, 'appendonlydir', 'appendonly.aof.1.incr.aof')
  return existsSync(file) ? file : join(directory, 'appendonly.aof')
}

function thefts(world: World): number {
  return world.events.filter(({ name }) => name === 'theft').length
}

describe.skipIf(missing).each(libraries)('a Redis server and %s', library => {
  test('kill -9 amid 500 refreshes and logins, appendfsync always: what was acknowledged stays', async () => {
    const server = temporary(await startRedis({ appendonly: 'yes', appendfsync: 'always' }))
    const proxy = await startTcpProxy(server.port)
    onTestFinished(() => proxy.close())
    const store = openStore(await connectClient(library, `redis://127.0.0.1:${proxy.port}`))
    const world = new World(createCore, store, 1)
    const living: Jar[] = []
    const gone: Jar[] = []
    let underWay = 0
    /** Resolves to null where the store was down. */
    const watch = async <T>(call: () => Promise<T>): Promise<T | null> => {
      underWay += 1
      try {
        return await call()
      } catch (error) {
        expect(error).toBeInstanceOf(GeneralError)
        return null
      } finally {
        underWay -= 1
      }
    }
    const traffic = (refreshing: readonly Jar[], revoking: readonly Jar[]): Promise<unknown> => Promise.all([
      ...Array.from({ length: 50 }, async () => {
        const jar = await watch(() => world.login())
        if (jar !== null) living.push(jar)
      }),
      ...refreshing.map(async jar => living.push((await watch(() => world.refresh(jar)))?.jar ?? jar)),
      ...revoking.map(async jar => {
        if (await watch(() => world.core().revokeSession(handleOf(jar))) === true) gone.push(jar)
      }),
    ])

    const jars = await logins(world, 450)
    await traffic(jars.slice(0, 200), jars.slice(200, 225))
    expect(gone).toHaveLength(25)
    const held = proxy.holdAnswers()
    const broken = traffic(jars.slice(225, 425), jars.slice(425))
    await held
    expect(underWay).toBe(275)
    await server.kill9()
    proxy.cutAll()
    proxy.resume()
    await server.restart()
    await broken

    expect((await refreshAll(world, living)).kinds).toEqual(new Set(['refreshed']))
    for (const jar of gone) expect((await world.refresh(jar)).kind).toBe('unauthorized')
    const { changes } = await store.changesSince(null, 1000)
    const told = new Set(changes.flatMap(change => change.kind === 'revoked' ? change.handles : []))
    for (const jar of gone) expect(told).toContain(handleOf(jar))
    expect(thefts(world)).toBe(0)
  })

  test('a power cut with appendfsync everysec loses the newest rotations, and no user is logged out (law 6)', async () => {
    const server = temporary(await startRedis({ appendonly: 'yes', appendfsync: 'everysec' }))
    const world = new World(createCore, openStore(await connectClient(library, server.url)), 2)
    const first = await refreshAll(world, await logins(world, 100))
    const file = appendOnlyFile(server.directory)
    const observer = connectIoredis(server.url)
    await expect.poll(() => observer.info('persistence')).toMatch(/aof_buffer_length:0\r/)
    const { size } = statSync(file)

    world.now += 5 * minute
    const second = await refreshAll(world, first.jars)
    world.now += 5 * minute
    const third = await refreshAll(world, second.jars)
    expect(third.hows).toEqual(new Set(['rotate']))
    await server.kill9()
    truncateSync(file, size)
    await server.restart()

    world.now += 5 * minute
    const after = await refreshAll(world, third.jars)
    expect(after.hows).toEqual(new Set(['adopt']))
    expect(after.jars).toHaveLength(100)
    expect(thefts(world)).toBe(0)
    world.now += 5 * minute
    expect((await refreshAll(world, after.jars)).hows).toEqual(new Set(['rotate']))
  })

  test('REV-11: a server that does not answer gives a GeneralError in time, and works again afterwards', async () => {
    const server = temporary(await startRedis())
    const proxy = await startTcpProxy(server.port)
    onTestFinished(() => proxy.close())
    await openStore(connectIoredis(server.url)).insert(sampleRecord())
    const client = await connectClient(library, `redis://127.0.0.1:${proxy.port}`)
    const store = openStore(client, { requestTimeout: '300ms' })
    const expectService = (): Promise<void> => expect.poll(() => store.find(sampleHandle(1))).not.toBeNull()
    await expectService()
    proxy.stall()
    const calls = [
      store.find(sampleHandle(1)), store.rotate(sampleRotation()),
      store.insert(sampleRecord({ handle: sampleHandle(2) })), store.confirm([{ ...sampleRecord() }]),
      store.remove([sampleHandle(3)], until), store.listByUser('user-1', { limit: 1, after: null }),
      store.listKeys(), store.changesSince(null, 1), store.acquireLease('sweep', 'a', 0, 1), store.removeExpired(0, 1),
    ]
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
    }
    proxy.resume()
    await expectService()
  })

  test('the connection is cut between write and reply: an error or the truth, and trying again is safe', async () => {
    const server = temporary(await startRedis())
    const proxy = await startTcpProxy(server.port)
    onTestFinished(() => proxy.close())
    const store = openStore(await connectClient(library, `redis://127.0.0.1:${proxy.port}`))
    const direct = openStore(connectIoredis(server.url))
    const world = new World(createCore, store, 3)
    const honest = async <T>(work: () => Promise<T>): Promise<T | null> => {
      const { cuts } = proxy
      proxy.cutBeforeReply()
      try {
        return await work()
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        return null
      } finally {
        expect(proxy.cuts).toBe(cuts + 1)
      }
    }
    const jar = await world.login()
    const cutLogin = await honest(() => world.login())
    if (cutLogin !== null) expect((await world.refresh(cutLogin)).kind).toBe('refreshed')

    const cutRefresh = await honest(() => world.refresh(jar))
    const current = (cutRefresh ?? await world.refresh(jar)).jar
    if (current === null) throw new Error('the refresh succeeds when it is tried again')
    expect((await world.record(jar))?.generation).toBe(1)

    await honest(() => world.core().revokeSession(handleOf(jar)))
    await world.core().revokeSession(handleOf(jar))
    expect(await direct.find(handleOf(jar))).toBeNull()
    expect((await world.refresh(current)).kind).toBe('unauthorized')
    const { changes } = await direct.changesSince(null, 10)
    expect(changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])).toEqual([handleOf(jar)])
    expect(thefts(world)).toBe(0)
  })

  test('replicas: a login and a revocation wait for one, and the caller gets an error when none answers', async () => {
    const primary = temporary(await startRedis())
    const replica = temporary(await startRedisReplica(primary))
    const client = await connectClient(library, primary.url)
    const store = openStore(client, { replicas: 1, requestTimeout: '1s' })
    // Where a replica is there, it may take its time on a busy machine.
    const patient = openStore(client, { replicas: 1, requestTimeout: '20s' })
    // Blocks until the primary counts the replica, which is up to a second after the first copy.
    await connectIoredis(primary.url).wait(1, 0)
    await patient.insert(sampleRecord())
    expect(await connectIoredis(replica.url).exists(`keyturn:session:{${sampleHandle(1)}}`)).toBe(1)

    await replica.kill9()
    const told = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('primary only') }
    await expect(store.insert(sampleRecord({ handle: sampleHandle(2) }))).rejects.toMatchObject(told)
    expect(await store.find(sampleHandle(2))).not.toBeNull()
    expect(await store.rotate(sampleRotation()), 'rotations do not wait').not.toBeNull()
    await expect(store.remove([sampleHandle(1)], until)).rejects.toMatchObject(told)
    await expect(store.remove([sampleHandle(1)], until), 'nor by trying again').rejects.toMatchObject(told)
    await replica.restart()
    await connectIoredis(primary.url).wait(1, 0)
    expect((await patient.remove([sampleHandle(2)], until)).handles).toEqual([sampleHandle(2)])
  })

  test('followers are woken when the connection is back', async () => {
    const server = temporary(await startRedis())
    const proxy = await startTcpProxy(server.port)
    onTestFinished(() => proxy.close())
    const store = openStore(await connectClient(library, `redis://127.0.0.1:${proxy.port}`))
    let woken = 0
    await store.follow(() => { woken += 1 })
    expect(woken).toBe(0)
    expect(proxy.cutAll()).toBeGreaterThan(0)
    await expect.poll(() => woken).toBeGreaterThan(0)
    const before = woken
    const direct = openStore(connectIoredis(server.url))
    await direct.insert(sampleRecord())
    await expect.poll(async () => {
      // The subscription is renewed a moment after the connection; hints in between are lost.
      await direct.updatePayload({
        handle: sampleHandle(1),
        jwtPayload: '{}',
        expectedVersion: null,
        now: sampleNow,
        from: until,
      })
      return woken
    }).toBeGreaterThan(before)
  })
})
