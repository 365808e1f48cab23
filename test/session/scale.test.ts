import { describe, expect, test } from 'vitest'
import { createHandle } from '../../src/base/handle.ts'
import { createConfirmations } from '../../src/session/confirmations.ts'
import { REMOVAL_LIMIT } from '../../src/session/store.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { sampleHandle, sampleNow, sampleRecord } from '../../src/testing/samples.ts'
import { login, SECOND, settle } from '../support/test-core.ts'
import type { Issued } from '../support/test-core.ts'
import { createTimedCore } from '../support/timed-core.ts'

const MINUTE = 60 * SECOND

/** A promise that never settles: the answer of a store behind a silent network. */
const silence = <Value>(): Promise<Value> => new Promise(() => undefined)

test('P-01: a million sessions in turn are confirmed once each: no write from the second round on', async () => {
  const writes: number[] = []
  const flushes: (() => void)[] = []
  const store: SessionStore = {
    ...createMemoryStore(),
    async confirm(batch) {
      writes.push(batch.length)
    },
  }
  const confirmations = createConfirmations({
    store, onError: error => expect.unreachable(String(error)), schedule: task => {
      flushes.push(task)
      return () => undefined
    },
  })
  const words = new Uint32Array(4)
  const handles = Array.from({ length: 1_000_000 }, (_, number) => {
    for (const index of words.keys()) words[index] = Math.imul(4 * number + index + 1, 0x9e3779b1)
    return createHandle('cookie', () => new Uint8Array(words.buffer))
  })
  const round = async (): Promise<number> => {
    writes.length = 0
    for (const [number, sid] of handles.entries()) {
      const claims = { sid, gen: 1, brn: 0, iat: 0, exp: 3600, ri: 30_000 }
      confirmations.observe(claims, 120_000)
      // A second passes.
      if (number % 10_000 === 9999) await confirmations.flush()
    }
    expect(Math.max(0, ...writes)).toBeLessThanOrEqual(500)
    return writes.reduce((sum, length) => sum + length, 0)
  }
  expect(await round()).toBe(1_000_000)
  expect(await round()).toBe(0)
})

describe('a change log of 20 pages', () => {
  /** A store with that log, whose pages can fail. */
  async function longLog(): Promise<{ store: SessionStore; readonly faults: { failsAtPage: number; pages: number } }> {
    const inner = createMemoryStore()
    for (let entry = 0; entry < 20 * 500; entry++) {
      await inner.insert(sampleRecord({ handle: sampleHandle(entry) }))
      await inner.remove([sampleHandle(entry)], sampleNow)
    }
    const faults = { failsAtPage: Number.POSITIVE_INFINITY, pages: 0 }
    const store: SessionStore = {
      ...inner,
      async changesSince(cursor, limit) {
        if (++faults.pages === faults.failsAtPage) throw new Error('connection reset')
        return inner.changesSince(cursor, limit)
      },
    }
    return { store, faults }
  }

  test('P-02: one failed reading costs one more reading', async () => {
    const { store, faults } = await longLog()
    const { core, pass, errors } = createTimedCore(store)
    faults.failsAtPage = 11
    const ready = core.ready().catch(() => undefined)
    await pass(5 * SECOND)
    await ready
    expect(errors).toHaveLength(1)
    // A poll of the log that has been read is one page.
    const polls = faults.pages - 21
    expect(polls).toBeGreaterThanOrEqual(2)
    expect(polls).toBeLessThanOrEqual(6)
  })

  test('P-12: a verification waits for one page at most, then reads its session; the loop is free between pages', async () => {
    const { store, faults } = await longLog()
    const { core, pass, takeCalls } = createTimedCore(store)
    const { accessToken } = await login(core)
    takeCalls()
    expect(await core.verify(accessToken)).toMatchObject({ kind: 'active' })
    expect(takeCalls()).toMatchObject({ find: 1, changesSince: 1 })
    await core.verify(accessToken)
    expect(takeCalls()).toEqual({ find: 1 })
    await pass(100)
    expect(faults.pages).toBe(20)
    takeCalls()
    await core.verify(accessToken)
    expect(takeCalls()).toEqual({})
  })

  test('P-12: ready() reads the log before the first verification', async () => {
    const { store } = await longLog()
    const { core, pass, takeCalls } = createTimedCore(store)
    const { accessToken } = await login(core)
    const ready = core.ready()
    await pass(100)
    await ready
    takeCalls()
    await core.verify(accessToken)
    expect(takeCalls()).toEqual({})
    await pass(MINUTE)
    await core.ready()
  })

  test('P-12: ready() rejects if the log cannot be read', async () => {
    const { core } = createTimedCore({
      ...createMemoryStore(),
      changesSince: () => Promise.reject(new Error('refused')),
    })
    await expect(core.ready()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('P-04: a silent store', () => {
  /** A store whose network can fall silent. */
  function silenceable(): { readonly store: SessionStore; readonly network: { isSilent: boolean } } {
    const inner = createMemoryStore()
    const network = { isSilent: false }
    return {
      network,
      store: {
        ...inner,
        find: handle => network.isSilent ? silence() : inner.find(handle),
        changesSince: (cursor, limit) => network.isSilent ? silence() : inner.changesSince(cursor, limit),
      },
    }
  }

  test.each([['failOpen', 'active'], ['failClosed', 'STORE_UNAVAILABLE']] as const)('%s', async (policy, answer) => {
    const { store, network } = silenceable()
    const process = createTimedCore(store, { onStoreFailure: policy })
    const { core, pass, takeCalls } = process
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, user) => login(core, `user-${user}`)))
    for (const { accessToken } of tokens) await core.verify(accessToken)
    network.isSilent = true
    // Now the feed is stale.
    await pass(6 * SECOND)
    takeCalls()
    const outcomes: string[] = []
    const verifyAll = (): void => {
      for (const { accessToken } of tokens) {
        core.verify(accessToken).then(({ kind }) => outcomes.push(kind), ({ code }) => outcomes.push(code))
      }
    }
    for (let round = 0; round < 5; round++) {
      verifyAll()
      await settle()
    }
    expect(outcomes, 'nobody has an answer yet').toEqual([])
    expect(takeCalls(), 'one read for each session').toEqual({ find: 20 })
    await pass(SECOND)
    expect(outcomes, 'after a second everybody has').toEqual(Array.from({ length: 100 }, () => answer))
    outcomes.length = 0
    for (let round = 0; round < 20; round++) {
      verifyAll()
      await settle()
      expect(outcomes, 'from now on at once').toEqual(Array.from({ length: 20 }, () => answer))
      outcomes.length = 0
      await pass(100)
    }
    expect(takeCalls()['find'], 'and without the store').toBeUndefined()
    await pass(2 * SECOND)
    verifyAll()
    await settle()
    expect(outcomes, 'one of 20 tries the store').toHaveLength(19)
    expect(takeCalls()['find']).toBe(1)
    network.isSilent = false
    await pass(5 * SECOND)
    verifyAll()
    await settle()
    expect(takeCalls()['find'], 'one tries the store').toBe(1)
    outcomes.length = 0
    verifyAll()
    await settle()
    expect(new Set(outcomes), 'which answers again').toEqual(new Set(['active']))
    expect(takeCalls()['find']).toBe(20)
    await pass(4 * SECOND)
    outcomes.length = 0
    verifyAll()
    await settle()
    expect(outcomes, 'and is asked from then on').toEqual(Array.from({ length: 20 }, () => 'active'))
    expect(takeCalls()['find']).toBe(20)
  })

  test('what the feed knows counts: a payload that was replaced is not served', async () => {
    const { store, network } = silenceable()
    const { core, pass } = createTimedCore(store)
    const { accessToken, claims } = await login(core)
    await core.verify(accessToken)
    await core.updateJwtPayload(claims.sid, { role: 'none' })
    network.isSilent = true
    const outcome = core.verify(accessToken).catch(({ code }) => code)
    await pass(2 * SECOND)
    expect(await outcome).toBe('STORE_UNAVAILABLE')
  })

  test('single failures are no outage', async () => {
    let failures = 0
    const inner = createMemoryStore()
    const { core } = createTimedCore({
      ...inner, find: handle => failures-- > 0 ? Promise.reject(new Error('deadlock')) : inner.find(handle),
    })
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    const strict = { blacklisting: 'strict' } as const
    for (let round = 0; round < 5; round++) {
      failures = 1
      await expect(core.verify(accessToken, strict)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(await core.verify(accessToken, strict)).toMatchObject({ kind: 'active' })
    }
    failures = 3
    for (let round = 0; round < 4; round++) await core.verify(accessToken, strict).catch(() => undefined)
    expect(failures, 'the fourth was not asked').toBe(0)
  })
})

test('P-05, P-11: cleanup goes on until nothing is due, keeps its lease, and leaves time between its parts', async () => {
  const inner = createMemoryStore()
  const count = 20_000
  for (let number = 0; number < count; number++) {
    await inner.insert(sampleRecord({ handle: sampleHandle(number), expiresAt: 1000 }))
  }
  const { core, pass, takeCalls } = createTimedCore({
    ...inner,
    async removeExpired(now, limit) {
      expect(limit).toBeLessThanOrEqual(500)
      return inner.removeExpired(now, limit)
    },
  })
  await login(core)
  takeCalls()
  await pass(MINUTE)
  const { removeExpired = 0, acquireLease = 0 } = takeCalls()
  expect(removeExpired).toBeGreaterThanOrEqual(count / 500)
  expect(acquireLease).toBe(1)
  expect(await inner.find(sampleHandle(count - 1))).toBeNull()
})

test('P-11: a cleanup that lost its lease stops, and so does one that is closed', async () => {
  const inner = createMemoryStore()
  let leases = 0
  const { core, pass, takeCalls } = createTimedCore({
    ...inner,
    acquireLease: async () => ++leases === 1,
    removeExpired: async () => ({ removed: 1, more: true }),
  })
  await login(core)
  await pass(MINUTE)
  expect(leases).toBe(1)
  await pass(10 * MINUTE)
  expect(takeCalls()['removeExpired']).toBeLessThan(2 * MINUTE / 4)
  await core.close()
  takeCalls()
  await pass(MINUTE)
  expect(takeCalls()).toEqual({})
})

describe('P-16: processes do not do the same in the same moment', () => {
  test('every timer is shortened at random', async () => {
    const delays = new Map<number, number>()
    for (let seed = 1; seed <= 20; seed++) {
      const process = createTimedCore(createMemoryStore(), {}, seed * 7919)
      const { accessToken } = await login(process.core)
      await process.core.verify(accessToken)
      await process.pass(3 * MINUTE)
      for (const delay of process.delays) if (delay > 0) delays.set(delay, (delays.get(delay) ?? 0) + 1)
    }
    const rounds = [...delays.keys()].filter(delay => [1000, 5, 20_000, MINUTE].includes(delay))
    for (const round of rounds) expect(delays.get(round), `${round} ms`).toBeLessThan(10)
    expect(delays.size).toBeGreaterThan(200)
  })

  test('an idle process follows nothing, and makes less than 0.3 calls of the store a second', async () => {
    let followers = 0
    const inner = createMemoryStore()
    const store: SessionStore = {
      ...inner,
      async follow(wake) {
        const stop = await inner.follow(wake)
        followers += 1
        return async () => {
          followers -= 1
          await stop()
        }
      },
    }
    const { core, pass, takeCalls } = createTimedCore(store)
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    expect(followers).toBe(1)
    await pass(20 * SECOND)
    takeCalls()
    await pass(10 * MINUTE)
    expect(followers).toBe(0)
    const calls = Object.values(takeCalls()).reduce((sum, count) => sum + count, 0)
    expect(calls / 600).toBeLessThan(0.3)
    expect(await core.verify(accessToken)).toMatchObject({ kind: 'active' })
    await settle()
    expect(followers).toBe(1)
  })

  test('a process whose store is slow to follow follows it once, and stops when it sleeps again', async () => {
    let followers = 0
    const answers: (() => void)[] = []
    const store: SessionStore = {
      ...createMemoryStore(),
      async follow() {
        await new Promise<void>(resolve => answers.push(resolve))
        followers += 1
        return async () => {
          followers -= 1
        }
      },
    }
    const { core, pass } = createTimedCore(store)
    const ready = core.ready()
    await settle()
    answers.shift()?.()
    await ready
    const { accessToken } = await login(core)
    await pass(15 * SECOND)
    expect(followers).toBe(0)
    const verified = core.verify(accessToken)
    await pass(4 * SECOND)
    await verified
    expect(answers).toHaveLength(1)
    for (const answer of answers.splice(0)) answer()
    await pass(15 * SECOND)
    expect([followers, answers.length]).toEqual([0, 0])
  })

  test('the first verification of an idle process reads the log before it answers', async () => {
    const store = createMemoryStore()
    const { core, pass, takeCalls } = createTimedCore(store)
    const [first, second] = [await login(core), await login(core)]
    await core.verify(first.accessToken)
    for (const { claims } of [first, second]) {
      await pass(15 * SECOND)
      takeCalls()
      // The revocation comes just after one of the rare readings.
      while (takeCalls()['changesSince'] === undefined) await pass(100)
      await store.remove([claims.sid], sampleNow)
      expect(core.verifyNow(claims === first.claims ? first.accessToken : second.accessToken)).toBeUndefined()
      const outcomes = await Promise.all([first, second].map(each => core.verify(each.accessToken)))
      expect(outcomes.map(({ kind }) => kind)).toEqual(['revoked', claims === first.claims ? 'active' : 'revoked'])
      expect(takeCalls()['find']).toBeUndefined()
    }
  })

  test('a process with listeners does not sleep', async () => {
    const store = createMemoryStore()
    const { core, pass } = createTimedCore({ ...store, follow: async () => async () => undefined })
    const { claims } = await login(core)
    let hasEnded = false
    core.onRevoked(claims.sid, () => {
      hasEnded = true
    })
    await pass(MINUTE)
    await store.remove([claims.sid], sampleNow)
    await pass(SECOND)
    expect(hasEnded).toBe(true)
  })
})

test('P-06: a user with many sessions is revoked in parts, each of which takes effect at once', async () => {
  const store = createMemoryStore()
  let calls = 0
  const { core } = createTimedCore({
    ...store,
    async removeByUser(removal) {
      if (++calls === 3) throw new Error('connection reset')
      return store.removeByUser(removal)
    },
  })
  const sessions: Issued[] = []
  for (let count = 0; count < 3 * REMOVAL_LIMIT; count++) sessions.push(await login(core))
  await core.ready()
  await expect(core.revokeAllSessionsForUser('alice')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  const isActive = async (): Promise<number> => {
    const outcomes = await Promise.all(sessions.map(({ accessToken }) => core.verify(accessToken)))
    return outcomes.filter(({ kind }) => kind === 'active').length
  }
  expect(await isActive()).toBe(REMOVAL_LIMIT)
  expect(await core.revokeAllSessionsForUser('alice')).toHaveLength(REMOVAL_LIMIT)
  expect(await isActive()).toBe(0)
})
