import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { allowEviction, createRedisStore } from '../../src/stores/redis.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import {
  connectClient, connectCluster, connectIoredis, libraries, openStore, temporary,
} from '../support/redis-store.ts'
import { runStoreContract } from '../support/run-contract.ts'
import { startRedis, startRedisReplica } from '../support/servers/redis.ts'
import { startRedisCluster } from '../support/servers/redis-cluster.ts'
import type { TestServer } from '../support/servers/server.ts'

const missing = inject('redisUrl') === null
/** The line of docs/stores.md. */
const documented = ['~keyturn:*', '&keyturn:*', '+@all', '-@dangerous', '+info']

/** Before Redis 7, all of CLUSTER counts as dangerous. */
async function clusterRights(server: TestServer): Promise<readonly string[]> {
  const isOld = /redis_version:6/.test(await connectIoredis(server.url).info('server'))
  return isOld ? [...documented, '+cluster|slots', '+cluster|info'] : documented
}

/** Creates a user with these rights and no others, and returns the URL that logs in as this user. */
async function urlOf(server: TestServer, rights: readonly string[]): Promise<string> {
  await connectIoredis(server.url).call('ACL', ['SETUSER', 'app', 'reset', 'on', '>pw', 'resetchannels', ...rights])
  return server.url.replace('//', '//app:pw@')
}

describe.skipIf(missing)('a Redis user with the documented rights', () => {
  let server: TestServer | null = null
  let url = ''
  let cases = 0

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.remove())

  runStoreContract('Redis as the documented user', async () => {
    if (server !== null && url === '') url = await urlOf(server, documented)
    const prefix = `keyturn:${cases++}:`
    return { open: async () => createRedisStore(url, { prefix, requestTimeout: 60 }), discard: async () => undefined }
  })
})

describe.skipIf(missing)('E-09', () => {
  test.each(libraries)('E-09: the documented rights are enough, also to wait for replicas (%s)', async library => {
    const server = temporary(await startRedis())
    temporary(await startRedisReplica(server))
    const client = await connectClient(library, await urlOf(server, documented))
    const store = openStore(client, { replicas: 1, requestTimeout: '60s' })
    expect(await store.insert(sampleRecord())).toBe(true)
    let woken = 0
    await store.follow(() => { woken += 1 })
    await openStore(connectIoredis(server.url)).remove([sampleHandle(1)], sampleNow + minute)
    await expect.poll(() => woken).toBeGreaterThan(0)
    expect(await store.time()).toBeGreaterThan(0)
  })

  test.each(libraries)('E-09: the documented rights are enough in a cluster (%s)', async library => {
    const cluster = temporary(await startRedisCluster())
    for (const primary of cluster.primaries) await urlOf(primary, await clusterRights(primary))
    const store = openStore(await connectCluster(library, cluster.nodes, { username: 'app', password: 'pw' }))
    expect(await store.insert(sampleRecord())).toBe(true)
    let woken = 0
    await store.follow(() => { woken += 1 })
    expect((await store.remove([sampleHandle(1)], sampleNow + minute)).handles).toEqual([sampleHandle(1)])
    await expect.poll(() => woken).toBeGreaterThan(0)
    expect(await store.time()).toBeGreaterThan(0)
    expect(await store.removeExpired(sampleNow, 10)).toEqual({ removed: 0, more: false })
  })

  const without = [
    ['-info', '+info'], ['-xadd', '+xadd'], ['-publish', '+publish'], ['-hsetnx', '+hsetnx'],
    ['-setrange -zrank', '+setrange +zrank'], ['-eval -evalsha', '+evalsha'], ['-eval', '+eval'],
    ['resetchannels', '&keyturn:*'], ['resetkeys', '~keyturn:*'], ['resetkeys ~keyturn:session:*', '~keyturn:*'],
  ] as const
  test.each(without)('E-09: without a right (%s) the first use fails, and says which', async (taken, named) => {
    const server = temporary(await startRedis())
    const store = openStore(await urlOf(server, [...documented, ...taken.split(' ')]))
    const refusal = { code: 'MISUSE', message: expect.stringContaining(named) }
    await expect(store.find(sampleHandle(1))).rejects.toMatchObject(refusal)
    await expect(store.insert(sampleRecord())).rejects.toMatchObject(refusal)
    expect(await connectIoredis(server.url).dbsize()).toBe(0)
    await urlOf(server, documented)
    const login = (): Promise<boolean> => store.insert(sampleRecord()).catch(() => false)
    await expect.poll(login, { message: 'once it has the right' }).toBe(true)
  })

  const single = [['-subscribe', '+subscribe'], ['-wait', '+wait']] as const
  test.each(single)('E-09: a right of one function only (%s) is named by it', async (taken, named) => {
    const server = temporary(await startRedis())
    const store = openStore(await urlOf(server, [...documented, taken]), { replicas: 1 })
    const call = taken === '-wait' ? store.insert(sampleRecord()) : store.follow(() => undefined)
    await expect(call).rejects.toMatchObject({ code: 'MISUSE', message: expect.stringContaining(named) })
  })

  test('E-09: the check of the rights changes nothing, and its error names no user and no key', async () => {
    const server = temporary(await startRedis())
    const store = openStore(await urlOf(server, [...documented, '-zadd']), { prefix: 'keyturn:secret-name:' })
    const error: unknown = await store.find(sampleHandle(1)).catch((caught: unknown) => caught)
    expect(error instanceof Error ? `${error.message} ${error.cause}` : '').not.toMatch(/\bapp\b|secret-name/)
    const admin = connectIoredis(server.url)
    await openStore(admin).time()
    expect(await admin.dbsize()).toBe(0)
  })

  test('E-09: an eviction policy that changes later is reported when the store next reads the clock', async () => {
    const server = temporary(await startRedis())
    const admin = connectIoredis(server.url)
    const [store, accepting] = [openStore(server.url), openStore(server.url, { [allowEviction]: true })]
    expect(await store.time()).toBeGreaterThan(0)
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const refusal = { code: 'MISUSE', message: expect.stringMatching(/allkeys-lru.*noeviction/s) }
    await expect(store.time()).rejects.toMatchObject(refusal)
    expect(await store.insert(sampleRecord()), 'users are not logged out for that').toBe(true)
    expect(await accepting.time()).toBeGreaterThan(0)
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    expect(await store.time()).toBeGreaterThan(0)
  })
})
