import { describe, expect, test } from 'vitest'
import { isolateHost } from '../../src/base/host.ts'
import { createPolicy } from '../../src/session/policy.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, HOUR, login, refreshed, SECOND, settle } from '../support/test-core.ts'

/** An isolate, and the work that it has given to its platform. */
function createIsolate(): { readonly host: ReturnType<typeof isolateHost>; readonly kept: Promise<unknown>[] } {
  const kept: Promise<unknown>[] = []
  return { host: isolateHost(work => void kept.push(work)), kept }
}

const MINUTE = 60 * SECOND

describe('in an isolate, no timer has to fire', () => {
  test('EDGE-03: a confirmation is written beside the request that shows the token, and given to the platform', async () => {
    const { host, kept } = createIsolate()
    const { core, clock, takeCalls } = createTestCore({ host })
    const { refreshToken } = await login(core)
    clock.advance(HOUR)
    const { accessToken } = await refreshed(core, refreshToken)
    clock.advance(2 * MINUTE)
    takeCalls()
    kept.length = 0
    expect((await core.verify(accessToken)).kind).toBe('active')
    expect(takeCalls()).toContain('confirm')
    expect(kept.length).toBeGreaterThan(0)
    await Promise.all(kept)
    await core.verify(accessToken)
    await settle()
    expect(takeCalls()).not.toContain('confirm')
  })

  test('EDGE-03: what has expired is removed beside a login, at most once a minute, in batches of which there are few', async () => {
    const { host } = createIsolate()
    let left = 25
    const memory = createMemoryStore()
    const store: SessionStore = {
      ...memory,
      async removeExpired(now, limit) {
        left -= 1
        return { ...await memory.removeExpired(now, limit), more: left > 0 }
      },
    }
    const { core, clock } = createTestCore({ host, store })
    await login(core)
    await settle()
    expect(left).toBe(22)
    await login(core)
    await settle()
    expect(left).toBe(22)
    clock.advance(MINUTE)
    await login(core)
    await settle()
    expect(left).toBe(19)
  })

  test('EDGE-03: listeners are given to the platform, which hears of no error', async () => {
    const { host, kept } = createIsolate()
    const failures: unknown[] = []
    const { core } = createTestCore({
      host,
      events: {
        onSessionCreated: async () => Promise.reject(new Error('no audit log')),
        onListenerError: ({ listener }) => failures.push(listener),
      },
    })
    await login(core)
    await Promise.all(kept)
    await settle()
    expect(failures).toEqual(['onSessionCreated'])
  })

  test('EDGE-02: a listener for a revocation hears of it as long as its request polls', async () => {
    const { host } = createIsolate()
    const store = createMemoryStore()
    const { core, clock, runTasks } = createTestCore({ host, store, maxStaleness: 5 })
    const { core: elsewhere } = createTestCore({ store, clock })
    const { claims: { sid } } = await login(core)
    const heard: string[] = []
    const stop = core.onRevoked(sid, () => heard.push('first'))
    core.onRevoked(sid, () => heard.push('second'))
    await settle()
    stop()
    await elsewhere.revokeSession(sid)
    clock.advance(3 * SECOND)
    await runTasks()
    await settle()
    expect(heard).toEqual(['second'])
  })

  test('EDGE-02: an isolate reads half of maxStaleness apart, unless an interval is set', () => {
    const { host } = createIsolate()
    expect(createPolicy({}, host).pollInterval).toBe(2_500)
    expect(createPolicy({ maxStaleness: '1m' }, host).pollInterval).toBe(30_000)
    expect(createPolicy({ pollInterval: 1 }, host).pollInterval).toBe(1_000)
    expect(createPolicy({}).pollInterval).toBe(1_000)
  })

  test('EDGE-02: a log that cannot be read delays no request for long, and then none for a while', async () => {
    const { host } = createIsolate()
    const memory = createMemoryStore()
    let isDown = false
    let readings = 0
    const store: SessionStore = {
      ...memory,
      async changesSince(cursor, limit) {
        readings += 1
        return isDown ? new Promise<never>(() => undefined) : memory.changesSince(cursor, limit)
      },
    }
    const { core, clock, runTasks } = createTestCore({ host, store, maxStaleness: 5 })
    const { accessToken } = await login(core)
    expect((await core.verify(accessToken)).kind).toBe('active')
    isDown = true
    clock.advance(10 * SECOND)
    readings = 0
    const first = core.verify(accessToken)
    await settle()
    await runTasks()
    expect((await first).kind).toBe('active')
    // The session was read from the store. The next ones do the same at once.
    for (let count = 0; count < 5; count++) expect((await core.verify(accessToken)).kind).toBe('active')
    expect(readings).toBe(1)
  })
})
