// `health()`: the rules of the status, and what a process reports.
import { describe, expect, test } from 'vitest'
import { createSessions } from '../../src/create-sessions.ts'
import { judgeFeed, judgeHealth, signingAt } from '../../src/session/health.ts'
import type { HealthFacts } from '../../src/session/health.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { inMemory } from '../../src/testing/index.ts'
import { DAY, HOUR, login, SECOND, settle } from '../support/test-core.ts'
import { createTimedCore } from '../support/timed-core.ts'

const now = Date.UTC(2026, 0, 1)
const well: HealthFacts = {
  now,
  storeFailure: null,
  feed: { state: 'following', readAt: now - SECOND, failure: null },
  keys: { signing: [{ kid: 'first', activeFrom: now - DAY }], lifetime: 7 * DAY, count: 2, areEncrypted: true },
  keyFailure: null,
  hasRing: true,
  policy: { blacklisting: 'feed', maxStaleness: 5 * SECOND, onStoreFailure: 'failOpen' },
}
const old = { ...well.feed, readAt: now - 6 * SECOND }
const closed = { ...well.policy, onStoreFailure: 'failClosed' } as const
const strict = { ...well.policy, blacklisting: 'strict' } as const
const off = { ...well.policy, blacklisting: 'off' } as const
const away = { storeFailure: 'store-unreachable' } as const

describe('L-36: the status', () => {
  test.each<
    readonly [title: string, facts: Partial<HealthFacts>, status: string, reasons: readonly string[], fallback: string]
  >([
    ['everything works', {}, 'ok', [], 'none'],
    ['nothing was read yet', { feed: { state: 'stopped', readAt: null, failure: null }, keys: null, hasRing: false },
      'ok', [], 'none'],
    ['the store is away, the feed is fresh', away, 'degraded', ['store-unreachable'], 'none'],
    ['the store is away, and no keys were read', { ...away, keys: null, hasRing: false }, 'failing',
      ['store-unreachable', 'keys-missing'], 'none'],
    ['the feed is stale, the store answers', { feed: old }, 'degraded', ['feed-stale'], 'store'],
    ['the feed was never read', { feed: { ...old, readAt: null } }, 'degraded', ['feed-stale'], 'store'],
    ['the feed sleeps: the next verification reads it', { feed: { ...old, state: 'asleep' } }, 'ok', [], 'none'],
    ['the feed was read by a clock that has been set back', { feed: { ...old, readAt: now + 1 } }, 'degraded',
      ['feed-stale'], 'store'],
    ['feed and store fail, failOpen', { ...away, feed: old }, 'degraded',
      ['store-unreachable', 'feed-stale', 'revocations-unchecked'], 'failOpen'],
    ['feed and store fail, failClosed', { ...away, feed: old, policy: closed }, 'failing',
      ['store-unreachable', 'feed-stale'], 'failClosed'],
    ['strict, the store answers', { policy: strict }, 'ok', [], 'store'],
    ['strict, the store is away', { ...away, policy: strict }, 'failing', ['store-unreachable'], 'failClosed'],
    ['off: an old feed does not matter', { feed: old, policy: off }, 'ok', [], 'none'],
    ['keys cannot be decrypted', { keys: null, hasRing: false, keyFailure: 'keys-undecryptable' }, 'failing',
      ['keys-undecryptable', 'keys-missing'], 'none'],
    ['a key was added that must not be used', { keyFailure: 'keys-unencrypted' }, 'degraded', ['keys-unencrypted'],
      'none'],
    ['one failure is named once', { ...away, keyFailure: 'store-unreachable' }, 'degraded', ['store-unreachable'],
      'none'],
    ['the tables are missing', { storeFailure: 'tables-missing' }, 'degraded', ['tables-missing'], 'none'],
  ])('%s', (_, facts, status, reasons, fallback) => {
    expect({ ...judgeHealth({ ...well, ...facts }), fallback: judgeFeed({ ...well, ...facts }).fallback })
      .toEqual({ status, reasons, fallback })
  })

  test('a signing key that is an hour late is named; the pending key is the next one', () => {
    const aged = (age: number): HealthFacts => ({
      ...well,
      keys: { signing: [{ kid: 'first', activeFrom: now - age }], lifetime: 7 * DAY, count: 1, areEncrypted: false },
    })
    expect(judgeHealth(aged(7 * DAY + HOUR)).status).toBe('ok')
    expect(judgeHealth(aged(7 * DAY + HOUR + 1))).toEqual({ status: 'degraded', reasons: ['key-rotation-overdue'] })
    const signing = [{ kid: 'second', activeFrom: now + HOUR }, { kid: 'first', activeFrom: now - DAY }]
    expect(signingAt({ signing, lifetime: 7 * DAY, count: 2, areEncrypted: true }, now))
      .toEqual({ current: signing[1], nextAt: now + HOUR })
    expect(signingAt({ signing: [], lifetime: DAY, count: 0, areEncrypted: true }, now)).toBeNull()
  })
})

describe('L-36: health()', () => {
  test('L-36: describes store, feed, keys and cache, with one store call that calls at the same time share', async () => {
    const { core, takeCalls } = createTimedCore(createMemoryStore())
    const before = await core.health()
    expect(before).toMatchObject({ status: 'ok', reasons: [], keys: null, feed: { state: 'stopped', age: null } })
    await core.ready()
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    await core.verify(accessToken)
    takeCalls()
    const [health, other] = await Promise.all([core.health(), core.health()])
    expect(takeCalls()).toEqual({ find: 1 })
    expect(other).toBe(health)
    expect(health).toEqual({
      status: 'ok', since: before.since, reasons: [],
      store: { isReachable: true, latency: expect.any(Number), lastFailure: null },
      feed: { mode: 'feed', state: 'following', age: 0, isStale: false, fallback: 'none' },
      keys: { current: expect.any(String), age: 0, nextRotation: now + 7 * DAY, areEncrypted: false, count: 2 },
      cache: { entries: 1, hits: 1, misses: 1 },
    })
    expect(health.keys?.current).toBe((await core.rotateKeys(), (await core.health()).keys?.current))
    expect((await core.health()).keys?.nextRotation).toBe(now + HOUR)
  })

  test('L-36: a store that is silent is waited for 2 seconds; the status has since when, and the last failure stays', async () => {
    const inner = createMemoryStore()
    let isSilent = false
    const { core, pass } = createTimedCore({
      ...inner,
      find: handle => isSilent ? new Promise(() => undefined) : inner.find(handle),
    })
    await core.ready()
    isSilent = true
    let health: unknown = null
    void core.health().then(found => {
      health = found
    })
    await pass(1_999)
    expect(health).toBeNull()
    await pass(1)
    await settle()
    expect(health).toMatchObject({
      status: 'degraded', since: now + 2_000, reasons: ['store-unreachable'],
      store: { isReachable: false, latency: null },
    })
    isSilent = false
    // Until then, there is no second call beside the one that is not answered.
    await pass(8_000)
    expect(await core.health()).toMatchObject({ status: 'ok', since: now + 10_000 })
  })

  test('L-36: a process that cannot decrypt the keys is failing, as soon as it has tried', async () => {
    const store = createMemoryStore()
    const shared = { origin: 'https://app.example.com', ...inMemory(), store }
    await createSessions({ ...shared, secret: 'a secret of at least thirty-two characters' }).ready()
    const other = createSessions(shared)
    await expect(other.getJwks()).rejects.toMatchObject({ code: 'MISUSE' })
    expect(await other.health()).toMatchObject({ status: 'failing', reasons: ['keys-undecryptable', 'keys-missing'] })
  })

  test('L-36: never rejects, and shows no message, key or secret', async () => {
    const inner = createMemoryStore()
    let isDown = false
    const secret = 'a secret of at least thirty-two characters'
    const sessions = createSessions({ origin: 'https://app.example.com', ...inMemory(), secret, store: {
      ...inner,
      find: handle =>
        isDown ? Promise.reject(new Error('connect to postgres://app:hunter2@db failed')) : inner.find(handle),
    } })
    await sessions.ready()
    isDown = true
    const health = await sessions.health()
    expect(health).toMatchObject({
      status: 'degraded', reasons: ['store-failed'], keys: { areEncrypted: true },
      store: { lastFailure: { reason: 'store-failed', at: expect.any(Number) } },
    })
    isDown = false
    expect(await sessions.health()).toMatchObject({ status: 'ok', store: { lastFailure: { reason: 'store-failed' } } })
    const text = JSON.stringify([health, await sessions.health()])
    expect(text).not.toMatch(/hunter2|postgres/)
    for (const { material } of await inner.listKeys()) expect(text).not.toContain(material)
    await sessions.close()
  })
})
