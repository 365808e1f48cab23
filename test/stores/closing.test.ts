import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { sampleHandle, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'
import { proxied } from '../support/sql-store-faults.ts'

const requestTimeout = '2s'

const stores: readonly (readonly [name: string, url: string | null, open: (url: string) => SessionStore])[] = [
  ['PostgreSQL', inject('postgresUrl'), url => (
    createPostgresStore(url, { schema: 'closing', migrate: 'auto', requestTimeout })
  )],
  ['MariaDB', inject('mariadbUrl'),
    url => createMysqlStore(url, { prefix: 'closing_', migrate: 'auto', requestTimeout })],
  ['MySQL', inject('mysqlUrl'), url => createMysqlStore(url, { prefix: 'closing_', migrate: 'auto', requestTimeout })],
  ['Redis', inject('redisUrl'), url => createRedisStore(url, { prefix: 'closing:', requestTimeout })],
]

/** Calls of all kinds: alone, in batches that wait, and a subscription. */
function useAll(store: SessionStore): Promise<readonly PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    store.find(sampleHandle(1)),
    ...Array.from({ length: 20 }, (_, number) => store.insert(sampleRecord({ handle: sampleHandle(number) }))),
    ...Array.from({ length: 20 }, (_, number) => store.rotate(sampleRotation({ handle: sampleHandle(number) }))),
    ...Array.from({ length: 5 }, (_, number) => store.remove([sampleHandle(number)], Date.now())),
    store.follow(() => undefined),
  ])
}

/** Waits until the store is in use: a busy machine may need longer to connect than a call may wait. */
async function expectUse(store: SessionStore): Promise<void> {
  await expect.poll(() => store.find(sampleHandle(70))).toBeNull()
}

/** Closes a store as two signals at once would. Both calls must return one promise, which resolves. */
async function closeTwice(store: SessionStore): Promise<void> {
  const closing = store.close()
  expect(store.close()).toBe(closing)
  await closing
  expect(store.close()).toBe(closing)
}

/** A server that accepts connections and says nothing, until the test is over. Resolves to its port. */
async function startSilentServer(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

function at(url: string, port: number): string {
  const moved = new URL(url)
  moved.host = `127.0.0.1:${port}`
  return moved.href
}

for (const [name, url, open] of stores) describe.skipIf(url === null)(name, () => {
  test('L-33: closed by two at once: one promise, which resolves, unused, in use and afterwards', async () => {
    await closeTwice(open(url ?? ''))
    const store = open(url ?? '')
    await expectUse(store)
    const used = useAll(store)
    await closeTwice(store)
    await used
  })

  test('L-33: closed while the network is silent, in use and idle', async () => {
    for (const isUsed of [true, false]) {
      const { url: through, proxy } = await proxied(url ?? '')
      const store = open(through)
      await useAll(store)
      await expectUse(store)
      proxy.stall()
      const used = isUsed ? useAll(store) : Promise.resolve([])
      await closeTwice(store)
      // The last one was subscribed already.
      for (const { status } of (await used).slice(0, -1)) expect(status).toBe('rejected')
    }
  })

  test('L-33: closed while it connects, to a server that says nothing or to none', async () => {
    for (const port of [await startSilentServer(), 1]) {
      const store = open(at(url ?? '', port))
      const used = useAll(store)
      await closeTwice(store)
      for (const { status } of await used) expect(status).toBe('rejected')
    }
  })

  test('L-33: closed after its server has vanished', async () => {
    const { url: through, proxy } = await proxied(url ?? '')
    const store = open(through)
    await useAll(store)
    await proxy.close()
    const used = useAll(store)
    await closeTwice(store)
    await used
  })
})
