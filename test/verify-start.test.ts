import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { nodeCrypto } from '../src/platform/node-crypto.ts'
import { createChangeView } from '../src/session/change-view.ts'
import { createSessions } from '../src/index.ts'
import { createMemoryStore } from '../src/stores/memory.ts'
import { createFakeClock, signIn } from '../src/testing/index.ts'
import { createRemoteKeys } from '../src/tokens/remote-keys.ts'
import { createVerifier } from '../src/verify.ts'
import type { Verifier } from '../src/verify.ts'

const origin = 'https://app.example.com'
const requests = new AsyncLocalStorage<number>()

interface Service {
  readonly verifier: Verifier<object>
  readonly clock: ReturnType<typeof createFakeClock>
  /** The requests in whose context the key set was fetched; null for none. */
  readonly fetches: (number | null)[]
  readonly reads: (number | null)[]
  isDown: boolean
  /** Verifies a token of its own in each of 200 requests. */
  verifyMany(): Promise<readonly PromiseSettledResult<string>[]>
}

async function start(withFeed = false): Promise<Service> {
  const clock = createFakeClock(Date.now())
  const store = createMemoryStore()
  const sessions = createSessions({ origin, store, clock })
  onTestFinished(() => sessions.close())
  const keys = await sessions.getJwks()
  const { accessToken } = await signIn(sessions, 'alice', { mode: 'header' })
  const service: Service = {
    clock,
    fetches: [],
    reads: [],
    isDown: false,
    verifier: createVerifier({
      issuer: `${origin}/auth`,
      clock,
      async fetch() {
        service.fetches.push(requests.getStore() ?? null)
        await new Promise(resolve => setImmediate(resolve))
        if (service.isDown) throw new Error('the network is down')
        return Response.json(keys)
      },
      ...withFeed ? {
        feed: {
          changesSince: async (cursor: string | null, limit: number) => {
            service.reads.push(requests.getStore() ?? null)
            await new Promise(resolve => setImmediate(resolve))
            return store.changesSince(cursor, limit)
          },
        },
      } : {},
    }),
    verifyMany: () => Promise.allSettled(Array.from({ length: 200 }, (_, request) => (
      requests.run(request, async () => (await service.verifier.verify(accessToken)).kind)
    ))),
  }
  return service
}

const active = Array.from({ length: 200 }, () => ({ status: 'fulfilled', value: 'active' }))

test('L-38: 200 first verifications fetch the key set once, and read the feed once, outside of any request', async () => {
  const service = await start(true)
  expect(await service.verifyMany()).toEqual(active)
  expect(service.fetches).toEqual([null])
  expect(service.reads).toEqual([null])
})

test('L-38: if that fetch fails, all of them fail, and the next ones fetch again', async () => {
  const service = await start()
  service.isDown = true
  for (const outcome of await service.verifyMany()) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
  }
  expect(service.fetches).toEqual([null])
  service.isDown = false
  service.clock.advance(1_000)
  expect(await service.verifyMany()).toEqual(active)
  expect(service.fetches).toEqual([null, null])
})

test('L-38: a caller that no longer waits takes nothing from the others', async () => {
  const service = await start()
  const impatient = new AbortController()
  const first = Promise.race([
    service.verifyMany(),
    new Promise((_, reject) => impatient.signal.addEventListener('abort', () => reject(new Error('gone')))),
  ])
  const others = service.verifyMany()
  impatient.abort()
  await expect(first).rejects.toThrow('gone')
  expect(await others).toEqual(active)
  expect(service.fetches).toEqual([null])
})

test('L-38: where requests must not wait for each other, each fetches the key set and reads the feed itself', async () => {
  const clock = createFakeClock()
  const sessions = createSessions({ origin, store: createMemoryStore(), clock })
  onTestFinished(() => sessions.close())
  const set = await sessions.getJwks()
  const fetches: unknown[] = []
  const reads: unknown[] = []
  const keys = createRemoteKeys({
    crypto: nodeCrypto, clock, isShared: false,
    async read() {
      fetches.push(requests.getStore())
      return set
    },
  })
  const changes = createChangeView({
    clock, pollInterval: 1_000, maxStaleness: 5_000, isShared: false,
    source: {
      async changesSince() {
        reads.push(requests.getStore())
        return { changes: [], cursor: null, more: false }
      },
    },
  })
  await Promise.all(
    [1, 2, 3].map(request => requests.run(request, () => Promise.all([keys.current(), changes.current()]))),
  )
  expect([fetches, reads]).toEqual([[1, 2, 3], [1, 2, 3]])
})
