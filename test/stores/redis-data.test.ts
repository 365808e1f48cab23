import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, inject, test } from 'vitest'
import type { SessionRecord } from '../../src/session/record.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { IoredisClient, RedisClient } from '../../src/stores/redis.ts'
import { expiryShardOf } from '../../src/stores/redis/key-names.ts'
import {
  minute, sampleHandle, sampleKey, sampleNext, sampleNow, samplePresented, sampleReauthentication, sampleRecord,
  sampleRotation, sampleState, sampleUserRemoval,
} from '../../src/testing/samples.ts'
import { connectCluster, connectIoredis, openStore } from '../support/redis-store.ts'

const url = inject('redisUrl') ?? ''
const nodes = inject('redisClusterNodes') ?? []
const missing = url === '' || nodes.length === 0
const until = sampleNow + minute
let prefix = ''
let count = 0

beforeEach(() => {
  prefix = `data-${count++}:`
})

interface Counted {
  readonly client: IoredisClient
  /** How many round trips the work takes. */
  readonly during: (work: () => Promise<unknown>) => Promise<number>
  /** How many commands the work takes, concurrent or not. */
  readonly commandsOf: (work: () => Promise<unknown>) => Promise<number>
}

/** Commands that are sent for cleanup after the work is done, and that no call waits for. */
const afterwards = ['ZREM', 'DEL']

/** Counts how often a store waits for the server: concurrent commands are one round trip. */
function counted(client: IoredisClient): Counted {
  let [trips, commands, underWay] = [0, 0, 0]
  const call = async (name: string, args: string[]): Promise<unknown> => {
    if (afterwards.includes(name)) return client.call(name, args)
    commands += 1
    if (underWay === 0) trips += 1
    underWay += 1
    try {
      return await client.call(name, args)
    } finally {
      underWay -= 1
    }
  }
  const proxy = new Proxy(client, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    client: proxy,
    async during(work) {
      const before = trips
      await work()
      return trips - before
    },
    async commandsOf(work) {
      const before = commands
      await work()
      return commands - before
    },
  }
}

async function roundTrips(client: IoredisClient): Promise<Record<string, number>> {
  const line = counted(client)
  const store = openStore(line.client, { prefix })
  const handle = sampleHandle(1)
  const late = { handle, now: sampleNow, from: until }
  const work = {
    insert: () => store.insert(sampleRecord()),
    find: () => store.find(handle),
    rotate: () => store.rotate(sampleRotation()),
    reauthenticate: () =>
      store.reauthenticate(sampleReauthentication(sampleRecord({ ...sampleNext(), confirmed: true }))),
    confirm: () => store.confirm([{ handle, generation: 1, branch: 0 }]),
    updateInfo: () => store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: null }),
    updatePayload: () => store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null }),
    removeUnchanged: () => store.removeUnchanged(handle, sampleState(sampleRecord()), until),
    remove: () => store.remove([handle], until),
    removeByUser: () => store.removeByUser(sampleUserRemoval()),
  }
  const trips: Record<string, number> = {}
  // In the first round the server learns the scripts.
  for (const round of [1, 2]) {
    for (const [name, each] of Object.entries(work)) trips[name] = await line.during(each)
    expect(await store.find(handle), `round ${round}`).toBeNull()
  }
  return trips
}

describe.skipIf(missing)('Redis', () => {
  test('one round trip for each hot operation; in a cluster two for logins, and where the change log is written', async () => {
    const one = {
      insert: 1, find: 1, rotate: 1, reauthenticate: 1, confirm: 1, updateInfo: 1, updatePayload: 1, removeUnchanged: 1,
      remove: 1, removeByUser: 1,
    }
    expect(await roundTrips(connectIoredis(url))).toEqual(one)
    const cluster = await connectCluster('ioredis', nodes) as IoredisClient
    expect(await roundTrips(cluster)).toEqual({ ...one, insert: 2, updatePayload: 2, remove: 2 })
  })

  test('rotations of one tick share commands on one server, eight at a time', async () => {
    const line = counted(connectIoredis(url))
    const store = openStore(line.client, { prefix })
    const numbers = Array.from({ length: 16 }, (_, index) => index)
    for (const number of numbers) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    await store.rotate(sampleRotation({ handle: sampleHandle(0) }))
    await setImmediate()
    const rotated: (SessionRecord | null)[] = []
    const rotateAll = async (): Promise<void> => {
      const rotations = numbers.map(number => store.rotate(sampleRotation({ handle: sampleHandle(number) })))
      rotated.push(...await Promise.all(rotations))
    }
    expect(await line.commandsOf(rotateAll)).toBe(1 + Math.ceil(15 / 8))
    // The first one had already been rotated: whatever its result, the others get their own.
    expect(rotated)
      .toEqual([null, ...await Promise.all(numbers.slice(1).map(number => store.find(sampleHandle(number))))])
  })

  test('P-10: revocations of one tick share a round trip, each with its own result and change', async () => {
    const line = counted(connectIoredis(url))
    const store = openStore(line.client, { prefix })
    const handles = Array.from({ length: 50 }, (_, number) => sampleHandle(number))
    for (const handle of handles) await store.insert(sampleRecord({ handle }))
    await store.remove([sampleHandle(99)], until)
    const removed: (readonly string[])[] = []
    const trips = await line.during(async () => {
      const removals = await Promise.all(handles.map(handle => store.remove([handle], until)))
      removed.push(...removals.map(removal => removal.handles))
    })
    expect([trips, removed]).toEqual([1, handles.map(handle => [handle])])
    expect((await store.changesSince(null, 100)).changes).toHaveLength(50)
  })

  test('REV-11: a value that is not a session throws for itself, not for others that rotate with it', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    for (const number of [1, 2, 4]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    await client.hset(`${prefix}session:{${sampleHandle(3)}}`, 'another', 'thing')
    await client.set(`${prefix}session:{${sampleHandle(4)}}`, 'no session')
    const rotate = (number: number) => store.rotate(sampleRotation({ handle: sampleHandle(number) }))
    const rotated = await Promise.all([1, 2, 3, 4].map(rotate))
    expect(rotated.map(record => record?.handle ?? null)).toEqual([sampleHandle(1), sampleHandle(2), null, null])
    for (const number of [3, 4]) {
      await expect(store.find(sampleHandle(number))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }

    // With the expected hash in its position, so that the error is found only when the answer is read.
    const key = `${prefix}session:{${sampleHandle(5)}}`
    for (const number of [5, 6, 7]) await store.insert(sampleRecord({ handle: sampleHandle(number) }))
    await client.set(key, `${await client.get(key)}`.replace('"infoVersion":0', '"infoVersion":"many"'))
    const settled = await Promise.allSettled([6, 5, 7].map(rotate))
    expect(settled).toMatchObject([
      { value: { refreshHash: 'hash-1' } }, { reason: { code: 'STORE_UNAVAILABLE' } },
      { value: { refreshHash: 'hash-1' } },
    ])
  })

  test('REV-11: a session of another format throws an error that names it: it is not changed, nor are the others', async () => {
    for (const client of [connectIoredis(url), await connectCluster('ioredis', nodes) as IoredisClient]) {
      const store = openStore(client, { prefix })
      const own = sampleHandle(1)
      const newer = sampleHandle(2)
      for (const handle of [own, newer]) await store.insert(sampleRecord({ handle }))
      const key = `${prefix}session:{${newer}}`
      const changed = `${await client.call('GET', [key])}`.replace('{"format":1,', '{"format":2,')
      await client.call('SET', [key, changed])

      expect(await store.rotate(sampleRotation({ handle: newer })),
        'as if another rotation came first; it is read next').toBeNull()
      await store.confirm([{ handle: newer, generation: 0, branch: 0 }])
      const late = { handle: newer, now: sampleNow, from: until }
      const notBefore = { time: sampleNow, until }
      for (const work of [
        () => store.find(newer),
        () => store.updateInfo({ ...late, sessionInfo: '{}', expectedVersion: null }),
        () => store.updatePayload({ ...late, jwtPayload: '{}', expectedVersion: null }),
        () => store.removeUnchanged(newer, sampleState(sampleRecord()), until),
        () => store.remove([newer], until),
        () => store.listByUser('user-1', { limit: 10, after: null }),
        () => store.removeAll({ notBefore, limit: 1000, after: `${expiryShardOf(newer)}` }),
      ]) {
        await expect(work(), `${work}`).rejects.toMatchObject({
          code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/session of format 2, .* reads format 1 only/),
        })
      }
      expect(await store.removeExpired(sampleNow + 100 * minute, 10), 'its own session only')
        .toMatchObject({ removed: 1 })
      expect(await client.call('GET', [key])).toBe(changed)
      expect((await store.changesSince(null, 10)).changes).toEqual([])
    }
  })

  test('REV-11: a removal that meets a session it cannot read removes no other session', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    const handles = [1, 2, 3].map(sampleHandle)
    for (const handle of handles) await store.insert(sampleRecord({ handle }))
    await client.set(`${prefix}session:{${sampleHandle(2)}}`, 'no session')
    await expect(store.remove(handles, until)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    for (const number of [1, 3]) {
      expect(await store.find(sampleHandle(number)), 'not removed without a change').not.toBeNull()
    }
    await client.del(`${prefix}session:{${sampleHandle(2)}}`)
    expect((await store.remove(handles, until)).handles).toHaveLength(2)
    expect(await handlesAfter(store, null)).toEqual([sampleHandle(1), sampleHandle(3)])
  })

  test('rotations are done before a store on a URL is closed', async () => {
    const after = openStore(url, { prefix })
    const handles = Array.from({ length: 20 }, (_, index) => sampleHandle(index))
    for (const handle of handles) await after.insert(sampleRecord({ handle }))
    const store = createRedisStore(url, { prefix })
    await store.find(sampleHandle(1))
    const rotations = handles.map(handle => store.rotate(sampleRotation({ handle })))
    await store.close()
    expect(await Promise.all(rotations)).toEqual(await Promise.all(handles.map(handle => after.find(handle))))
  })

  test('ST-05: Redis deletes sessions that no cleanup removed, about a day after their expiry', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    const key = `${prefix}session:{${sampleHandle(1)}}`
    const hour = 60 * minute
    const record = sampleRecord({ idleTimeout: 100 * hour, absoluteExpiry: sampleNow + 120 * hour, reuseInterval: 0 })
    await store.insert({ ...record, expiresAt: record.createdAt + 100 * hour })
    let token = samplePresented()
    for (let now = record.createdAt; now < sampleNow + 119 * hour; now += 37 * minute) {
      const kept = await client.pttl(key)
      const expiresAt = (await store.find(sampleHandle(1)))?.expiresAt ?? 0
      expect(kept).toBeGreaterThan(expiresAt - now + 21 * hour)
      expect(kept).toBeLessThanOrEqual(expiresAt - now + 24 * hour)
      const next = sampleNext({
        refreshHash: `hash-${now}`, generation: token.generation + 1, rotatedAt: now, servedAt: now,
      })
      const bounds = { now, rotatedAfter: 0, createdAfter: 0 }
      expect(await store.rotate({ handle: sampleHandle(1), expected: token, bounds, next })).not.toBeNull()
      token = samplePresented({ refreshHash: next.refreshHash, generation: next.generation })
      // Redis has its own clock, which must advance as well.
      await client.pexpire(key, await client.pttl(key) - 37 * minute)
    }

    await client.del(key)
    expect((await store.removeExpired(sampleNow + 121 * hour, 10)).removed, 'dropped by Redis, not by this call')
      .toBe(0)
    expect(await client.keys(`${prefix}*`), 'nothing is left').toEqual([])
  })

  test('nothing of a session is left after its removal or expiry', async () => {
    const client = connectIoredis(url)
    const store = createRedisStore(client, { prefix })
    for (const number of [1, 2, 3]) {
      await store.insert(sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))
    }
    await store.remove([sampleHandle(1)], until)
    const notBefore = { time: sampleNow, until: sampleNow + minute }
    await store.removeByUser(sampleUserRemoval({ userId: 'user-2', notBefore }))
    expect(await store.insert(sampleRecord({ handle: sampleHandle(4), userId: 'user-2' })), 'it began before')
      .toBe(false)
    expect((await store.removeExpired(sampleNow + 100 * minute, 10)).removed).toBe(1)
    await store.close()
    const left = (await client.keys(`${prefix}*`)).filter(key => !key.includes('{shared}'))
    expect(left).toEqual([expect.stringContaining(':not-before:')])
    const kept = await client.pttl(left[0] ?? '')
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThanOrEqual(minute)
    expect(await client.ping(), 'the application\'s client stays open').toBe('PONG')
  })

  test('the user\'s index is repaired, and the record decides, not the index', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    const old = Date.now() - 120 * minute
    const young = Date.now()
    await store.insert(sampleRecord({ handle: sampleHandle(1), createdAt: old }))
    await store.insert(sampleRecord({ handle: sampleHandle(2), createdAt: young }))
    await store.insert(sampleRecord({ handle: sampleHandle(3), userId: 'user-2' }))
    const indexes = await client.keys(`${prefix}user:*`)
    expect(indexes).toHaveLength(2)
    const own = await indexOf(client, indexes, sampleHandle(1))
    await client.zadd(own, `${old}`, sampleHandle(3))
    await client.del(`${prefix}session:{${sampleHandle(1)}}`, `${prefix}session:{${sampleHandle(2)}}`)

    const { sessions } = await store.listByUser('user-1', { limit: 10, after: null })
    expect(sessions, 'a session of another user is not listed').toEqual([])
    // A young entry may belong to a login whose record is still being written.
    await expect.poll(() => client.zrange(own, '0', '-1')).toEqual([sampleHandle(2)])
    await client.zadd(own, `${old}`, sampleHandle(3))
    expect((await store.removeByUser(sampleUserRemoval({ from: until }))).handles, 'nor removed').toEqual([])
    expect(await store.find(sampleHandle(3))).not.toBeNull()
  })

  test('a log that has lost its newest entries is read again: later entries are not skipped', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    const revoke = async (number: number): Promise<void> => {
      await store.insert(sampleRecord({ handle: sampleHandle(number) }))
      await store.remove([sampleHandle(number)], until)
    }
    const keys = ['changes', 'change-ends', 'change-state'].map(name => `${prefix}{shared}:${name}`)
    await revoke(1)
    for (const key of keys) await client.copy(key, `${key}:backup`)
    await revoke(2)
    const { cursor } = await store.changesSince(null, 10)
    for (const key of keys) await client.rename(`${key}:backup`, key)
    expect(await handlesAfter(store, cursor), 'read from the beginning').toEqual([sampleHandle(1)])
    await revoke(3)
    expect(await handlesAfter(store, cursor)).toEqual([sampleHandle(1), sampleHandle(3)])
  })

  test('a command that a client sends twice is harmless', async () => {
    const client = connectIoredis(url)
    const twice = new Proxy(client, {
      get(target, name) {
        if (name === 'call') {
          return async (command: string, args: string[]) => {
            await target.call(command, args).catch(() => undefined)
            return target.call(command, args)
          }
        }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const store = openStore(twice, { prefix })
    await store.insert(sampleRecord())
    await expect(openStore(client, { prefix }).insert(sampleRecord()), 'another login has the same handle').rejects
      .toMatchObject({ code: 'MISUSE' })
    expect(await store.rotate(sampleRotation()), 'as if another rotation came first').toBeNull()
    expect((await store.find(sampleHandle(1)))?.refreshHash).toBe('hash-1')
    await store.remove([sampleHandle(1)], until)
    expect((await store.changesSince(null, 10)).changes).toHaveLength(1)
  })

  test('a store on a URL opens its own client and closes it', async () => {
    const store = createRedisStore(url, { prefix })
    await store.insert(sampleRecord())
    expect(await store.find(sampleHandle(1))).toEqual(sampleRecord())
    await store.close()
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject({ code: 'MISUSE' })
  })

  test('ST-07: no argument, key or URL in an error', async () => {
    const client = connectIoredis(url)
    const store = openStore(client, { prefix })
    await client.set(`${prefix}{shared}:keys`, 'not a hash')
    const secret = 'do-not-tell'
    const adding = store.addKeyIfNewest(sampleKey('k', { material: secret }), null)
    const error: unknown = await adding.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret)
    const dead = openStore(`redis://user:${secret}@127.0.0.1:1`, { requestTimeout: '200ms' })
    const refused: unknown = await dead.listKeys().catch((thrown: unknown) => thrown)
    expect(refused).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain(secret)
  })
})

test('invalid options and clients are refused at once, without naming the URL', () => {
  for (const wrong of ['', 'a{b}', '1a', 'a b', 'x'.repeat(64), 'ä:']) {
    expect(() => createRedisStore('redis://127.0.0.1', { prefix: wrong }), `prefix "${wrong}"`).toThrow(/prefix/)
  }
  for (const wrong of [-1, 1.5, NaN]) {
    expect(() => createRedisStore('redis://127.0.0.1', { replicas: wrong })).toThrow(/replicas/)
  }
  for (const wrong of [-1, 0, NaN] as const) {
    expect(() => createRedisStore('redis://127.0.0.1', { requestTimeout: wrong })).toThrow(/requestTimeout/)
  }
  expect(() => createRedisStore('http://user:secret@127.0.0.1'))
    .toThrow(/^clientOrUrl must be [^@]+; received a string of 28 characters$/)
  expect(() => createRedisStore({} as RedisClient)).toThrow(/ioredis/)
})

test.each([
  [['ioredis']], [['ioredis', 'redis']],
])('without %s a URL is opened with the library that is installed, or the error names the package', absent => {
  const module = join(import.meta.dirname, '..', '..', 'src', 'stores', 'redis.ts')
  const program = `
    const { registerHooks } = await import('node:module')
    const absent = ${JSON.stringify(absent)}
    registerHooks({ resolve(specifier, context, next) {
      if (absent.includes(specifier)) throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(specifier, context)
    } })
    const { createRedisStore } = await import(${JSON.stringify(module)})
    const store = createRedisStore(${JSON.stringify(url)}, { prefix: 'absent:', requestTimeout: '60s' })
    console.log(await store.listKeys().then(keys => keys.length, error => error.code + ': ' + error.message))
    await store.close()`
  const options = ['--conditions=keyturn-source', '--input-type=module', '--eval', program]
  const { stdout } = spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 150_000 })
  if (absent.length === 2) expect(stdout).toMatch(/^MISUSE: .*npm install ioredis/)
  else if (!missing) expect(stdout).toBe('0\n')
})

async function handlesAfter(store: ReturnType<typeof openStore>, cursor: string | null): Promise<readonly string[]> {
  const { changes } = await store.changesSince(cursor, 10)
  return changes.flatMap(change => change.kind === 'revoked' ? change.handles : [])
}

async function indexOf(
  client: ReturnType<typeof connectIoredis>,
  indexes: readonly string[],
  handle: string,
): Promise<string> {
  for (const index of indexes) if (await client.zscore(index, handle) !== null) return index
  throw new Error('every session is in its user\'s index')
}
