import { setImmediate } from 'node:timers/promises'
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { minute, sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { connectClient, connectIoredis, libraries, openStore, temporary } from '../support/redis-store.ts'
import type { Library } from '../support/redis-store.ts'
import { startRedis, startRedisReplica } from '../support/servers/redis.ts'
import type { TestServer } from '../support/servers/server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

const installed = vi.hoisted(() => ({ ioredis: true }))

vi.mock('../../src/stores/load-driver.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../src/stores/load-driver.ts')>()
  return { ...original, findDriver: async (name: 'ioredis') => installed.ioredis ? original.findDriver(name) : null }
})

const missing = inject('redisUrl') === null

/** A primary and its replica, and an address that leads to the primary. */
interface Pair {
  readonly primary: TestServer
  readonly replica: TestServer
  readonly address: TcpProxy
  /** Makes the replica the primary, and the primary its replica. Connections stay open, as they do in a real one. */
  demote(): Promise<void>
}

async function startPair(): Promise<Pair> {
  const primary = temporary(await startRedis())
  const replica = temporary(await startRedisReplica(primary))
  const address = await startTcpProxy(primary.port)
  onTestFinished(() => address.close())
  return {
    primary,
    replica,
    address,
    async demote() {
      const old = connectIoredis(primary.url)
      // The replica has all that was written before this.
      await old.set('last', 'write')
      await old.wait(1, 0)
      await connectIoredis(replica.url).replicaof('NO', 'ONE')
      await old.replicaof('127.0.0.1', `${replica.port}`)
      await expect.poll(() => old.info('replication')).toContain('master_link_status:up')
    },
  }
}

/** A store that opens its own client with one of the libraries, or gets the application's. */
async function storeAt(
  port: number,
  library: Library,
  how: 'by URL' | 'by client',
  replicas = 0,
): Promise<SessionStore> {
  const url = `redis://127.0.0.1:${port}`
  if (how === 'by client') return openStore(await connectClient(library, url), { replicas })
  installed.ioredis = library === 'ioredis'
  const store = openStore(url, { replicas })
  await store.time()
  installed.ioredis = true
  return store
}

let count = 0
const login = (store: SessionStore): Promise<boolean> => store.insert(sampleRecord({ handle: sampleHandle(count++) }))
const loginOrError = (store: SessionStore): Promise<unknown> => login(store).catch((error: unknown) => error)
const readOnly = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('is a replica') }
const ways = libraries.flatMap(library => (['by URL', 'by client'] as const).map(how => ({ library, how })))

describe.skipIf(missing)('a Redis primary that becomes a replica', () => {
  test.each(ways)('E-02: the store leaves it, and writes once the address leads to a primary ($library, $how)', async (
    { library, how },
  ) => {
    const { replica, address, demote } = await startPair()
    const store = await storeAt(address.port, library, how)
    let woken = 0
    await store.follow(() => { woken += 1 })
    expect(await login(store)).toBe(true)
    await demote()
    for (const _ of [1, 2, 3]) expect(await loginOrError(store), 'it still leads there').toMatchObject(readOnly)
    expect(await store.find(sampleHandle(count - 4)), 'reads go on').not.toBeNull()

    address.leadTo(replica.port)
    await expect.poll(() => loginOrError(store)).toBe(true)
    expect(await connectIoredis(replica.url).exists(`keyturn:session:{${sampleHandle(count - 1)}}`)).toBe(1)
    await expect.poll(() => woken, { message: 'the new subscription is open' }).toBeGreaterThan(0)
    const before = woken
    await openStore(connectIoredis(replica.url)).remove([sampleHandle(count - 1)], sampleNow + minute)
    await expect.poll(() => woken).toBeGreaterThan(before)
  })

  test.each(libraries)('E-02: a store that only reads leaves it at the next look at the clock (%s)', async library => {
    const { primary, replica, address, demote } = await startPair()
    const store = await storeAt(address.port, library, 'by client')
    await login(store)
    const handle = sampleHandle(count - 1)
    expect(await store.find(handle)).not.toBeNull()
    await demote()
    address.leadTo(replica.port)
    // The old primary gets no more changes, and answers as before.
    const old = connectIoredis(primary.url)
    await old.config('SET', 'masteruser', 'nobody')
    await old.config('SET', 'masterauth', 'wrong')
    await connectIoredis(replica.url).call('CLIENT', 'KILL', 'TYPE', 'replica')
    await openStore(connectIoredis(replica.url)).remove([handle], sampleNow + minute)
    expect(await store.find(handle), 'stale').not.toBeNull()
    await store.time()
    await expect.poll(() => store.find(handle)).toBeNull()
  })

  test.each(libraries)('E-02: the connection that waits for replicas moves as well (%s)', async library => {
    const { replica, address, demote } = await startPair()
    await connectIoredis(replica.url).config('SET', 'min-replicas-to-write', '0')
    const store = await storeAt(address.port, library, 'by URL', 1)
    await expect.poll(() => loginOrError(store)).toBe(true)
    await demote()
    expect(await loginOrError(store)).toMatchObject(readOnly)
    address.leadTo(replica.port)
    await expect.poll(() => loginOrError(store)).toBe(true)
  })
})

test.skipIf(missing).each(libraries)('a store closed while it connects leaves no connection (%s)', async library => {
  const server = temporary(await startRedis())
  const admin = connectIoredis(server.url)
  installed.ioredis = library === 'ioredis'
  // So that the library is loaded.
  await openStore(server.url).time()
  for (let steps = 0; steps < 20; steps++) {
    const store = openStore(server.url)
    const call = store.find(sampleHandle(1)).catch(() => null)
    for (let step = 0; step < steps; step++) await setImmediate()
    await store.close()
    await call
  }
  installed.ioredis = true
  const connections = async (): Promise<number> => `${await admin.client('LIST')}`.trim().split('\n').length
  await expect.poll(connections, { message: 'those of the test itself' }).toBeLessThanOrEqual(2)
})
