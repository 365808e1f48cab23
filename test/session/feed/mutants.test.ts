import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type * as Feed from '../../../src/session/feed.ts'
import type * as List from '../../../src/session/revocation-list.ts'
import type { Change, SessionStore } from '../../../src/session/store.ts'
import type * as Ring from '../../../src/tokens/key-ring.ts'
import type * as Cache from '../../../src/session/token-cache.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { follow, life } from './life.ts'
import type { CreateCore } from './world.ts'

/** Mutations of the code, each without one precaution. Each must make the property of laws.test.ts fail. */
interface Mutant {
  readonly name: string
  readonly wrong: string
  readonly feed?: (create: typeof Feed.createRevocationFeed) => typeof Feed.createRevocationFeed
  readonly list?: (real: typeof List.RevocationList) => typeof List.RevocationList
  readonly ring?: (create: typeof Ring.createKeyRing) => typeof Ring.createKeyRing
  readonly cache?: (real: typeof Cache.TokenCache) => typeof Cache.TokenCache
  readonly store?: (store: SessionStore) => SessionStore
}

const alive = 'a revoked session is alive'

const mutants: readonly Mutant[] = [
  {
    name: 'the cache ignores the expiry',
    wrong: 'an expired token is accepted',
    cache: real => class<Value extends { readonly expiresAt: number }> extends real<Value> {
      override set(key: string, value: Value, now: number): void {
        super.set(key, { ...value, expiresAt: Number.POSITIVE_INFINITY }, now)
      }
    },
  },
  {
    name: 'the cache is not cleared when the keys change',
    wrong: 'a token of a removed key is accepted',
    ring: create => (crypto, keys) => create(crypto, keys, 1),
  },
  {
    name: 'a stale feed is trusted',
    wrong: alive,
    feed: create => dependencies => ({ ...create(dependencies), isFresh: () => true }),
  },
  {
    name: 'a process serves before it has read the log',
    wrong: alive,
    feed: create => dependencies => {
      const feed = create(dependencies)
      return { ...feed, start: async () => void feed.start(), isFresh: () => true }
    },
  },
  {
    name: 'the log is not read again after the clock was set back',
    wrong: alive,
    feed: create => dependencies => {
      let last: string | null = null
      return create({
        ...dependencies,
        store: {
          ...dependencies.store,
          async changesSince(cursor, limit) {
            const page = await dependencies.store.changesSince(cursor ?? last, limit)
            last = page.cursor
            return page
          },
        },
      })
    },
  },
  {
    name: 'revocations are forgotten before their tokens expire',
    wrong: alive,
    list: real => class extends real {
      override apply(change: Change): void {
        super.apply({ ...change, until: change.until - 3_600_000 })
      }
    },
  },
  {
    name: 'of several revoked sessions, only the first is applied',
    wrong: alive,
    list: real => class extends real {
      override apply(change: Change): void {
        super.apply(change.kind === 'revoked' ? { ...change, handles: change.handles.slice(0, 1) } : change)
      }
    },
  },
  {
    name: 'the log has a gap',
    wrong: alive,
    store: store => ({
      ...store,
      async changesSince(cursor, limit) {
        const page = await store.changesSince(cursor, limit)
        return { ...page, changes: page.changes.slice(1) }
      },
    }),
  },
  {
    name: 'updated payloads are ignored',
    wrong: 'an old payload is served',
    list: real => class extends real {
      override payloadVersion(): number {
        return 0
      }
    },
  },
]

const modules = [
  '../../../src/session/feed.ts', '../../../src/session/revocation-list.ts', '../../../src/tokens/key-ring.ts',
  '../../../src/session/token-cache.ts',
]

/** The core with the mutated part instead of the real one. */
async function mutate({ feed, list, ring, cache }: Mutant): Promise<CreateCore> {
  vi.resetModules()
  if (feed !== undefined) {
    vi.doMock('../../../src/session/feed.ts', async original => {
      const real = await original<typeof Feed>()
      return { ...real, createRevocationFeed: feed(real.createRevocationFeed) }
    })
  }
  if (list !== undefined) {
    vi.doMock('../../../src/session/revocation-list.ts', async original => {
      const real = await original<typeof List>()
      return { ...real, RevocationList: list(real.RevocationList) }
    })
  }
  if (ring !== undefined) {
    vi.doMock('../../../src/tokens/key-ring.ts', async original => {
      const real = await original<typeof Ring>()
      return { ...real, createKeyRing: ring(real.createKeyRing) }
    })
  }
  if (cache !== undefined) {
    vi.doMock('../../../src/session/token-cache.ts', async original => {
      const real = await original<typeof Cache>()
      return { ...real, TokenCache: cache(real.TokenCache) }
    })
  }
  return (await import('../../support/create-core.ts')).createCore
}

afterEach(() => {
  for (const module of modules) vi.doUnmock(module)
  vi.resetModules()
})

test.each(mutants)('the property fails if $name', async mutant => {
  const create = await mutate(mutant)
  const wrongs = new Set<string>()
  await fc.check(fc.asyncProperty(life, async steps => {
    const store = createMemoryStore()
    const wrong = await follow(create, steps, {}, mutant.store?.(store) ?? store)
    if (wrong !== null) wrongs.add(wrong)
    return wrong === null
  }), { numRuns: 3000, seed: 11, endOnFailure: true })
  expect([...wrongs].join()).toContain(mutant.wrong)
})
