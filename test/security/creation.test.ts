import { describe, expect, onTestFinished, test } from 'vitest'
import type { SessionEventMap } from '../../src/session/events.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, DAY, HOUR, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'

describe('a login fails, and stores nothing, with', () => {
  test.each([
    ['a lifetime of 0', { options: { idleTimeout: 0 } }],
  ])('%s', async (_, login) => {
    const { core, takeCalls } = createTestCore()
    const session = { userId: 'alice', mode: 'header' as const, client: owner, ...login }
    await expect(core.create(session)).rejects.toMatchObject({ code: 'MISUSE' })
    expect(takeCalls()).toEqual([])
  })
})

test('an invalid payload while the first login waits for the store\'s clock causes one rejection, which the caller handles', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown): void => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  let answer = (): void => undefined
  const time = (): Promise<number> => new Promise(resolve => {
    answer = () => resolve(Date.UTC(2026, 0, 1))
  })
  const { core } = createTestCore({ store: { ...createMemoryStore(), time }, followStoreTime: true })
  const begun = login(core, 'alice', { jwtPayload: { sub: 'admin' } as object })
  const heard = expect(begun).rejects.toMatchObject({ code: 'INVALID_DATA' })
  await settle()
  answer()
  await heard
  await settle()
  expect(unheard).toEqual([])
})

test('an access token expires no later than its session', async () => {
  const { core } = createTestCore({ idleTimeout: 60 })
  const { claims } = await login(core)
  expect(claims.exp - claims.iat).toBe(60)
})

test('access tokens of one hour are valid for 48 to 60 minutes, at random', async () => {
  const { core } = createTestCore()
  const lifetimes = (await Promise.all(Array.from({ length: 60 }, () => login(core)))).map(({ claims }) =>
    claims.exp - claims.iat
  )
  expect(Math.min(...lifetimes)).toBeGreaterThanOrEqual(2879)
  expect(Math.max(...lifetimes)).toBeLessThanOrEqual(3600)
  expect(new Set(lifetimes).size).toBeGreaterThan(20)
})

test('a session keeps the lifetimes of its login through rotation', async () => {
  const { core, clock } = createTestCore()
  const issued = await login(core, 'alice', {
    options: { accessTokenLifetime: 300, idleTimeout: 3600, absoluteTimeout: 7200 },
  })
  clock.advance(HOUR - SECOND)
  const next = await refreshed(core, issued.refreshToken)
  expect(next.claims.exp - next.claims.iat).toBeLessThanOrEqual(300)
  expect(next.sessionExpiresAt).toBe(clock() + HOUR)
  clock.advance(HOUR - SECOND)
  expect((await refreshed(core, next.refreshToken)).sessionExpiresAt).toBe(clock() + 2 * SECOND)
})

describe('REV-06: the limit of sessions per user', () => {
  test('does not count sessions that have expired', async () => {
    const { core, clock, store } = createTestCore({ maxSessionsPerUser: 2, idleTimeout: 86_400 })
    const expired = await login(core)
    clock.advance(DAY)
    const kept = await login(core)
    await login(core)
    expect(await core.getAllSessionHandlesForUser('alice')).toHaveLength(2)
    expect(await store.find(kept.claims.sid)).not.toBeNull()
    expect(await store.find(expired.claims.sid)).not.toBeNull()
  })

  test('revokes the oldest even if there are very many sessions: each login a part of them', async () => {
    const many = createTestCore()
    for (let count = 0; count < 255; count++) {
      many.clock.advance(1)
      await login(many.core)
    }
    const limited = createTestCore({ store: many.store, clock: many.clock, maxSessionsPerUser: 3 })
    let left = await limited.core.listSessions('alice', { limit: 1000 })
    for (let logins = 0; left.sessions.length > 3; logins++) {
      expect(logins).toBeLessThan(3)
      many.clock.advance(1)
      await login(limited.core)
      left = await limited.core.listSessions('alice', { limit: 1000 })
    }
    expect(left.sessions).toHaveLength(3)
    expect(left.sessions[0]?.createdAt).toBe(many.clock())
  })
})

test('each listener is called once per event, with its data', async () => {
  const heard: [keyof SessionEventMap, unknown][] = []
  const listen = (name: keyof SessionEventMap) => (event: unknown): void => void heard.push([name, event])
  const { core, clock } = createTestCore({
    maxSessionsPerUser: 1,
    events: {
      onSessionCreated: listen('onSessionCreated'),
      onSessionRefreshed: listen('onSessionRefreshed'),
      onSessionRevoked: listen('onSessionRevoked'),
      onTokenTheft: listen('onTokenTheft'),
      onKeyRotated: listen('onKeyRotated'),
    },
  })
  const first = await login(core)
  await settle()
  expect(heard.splice(0)).toEqual([
    ['onKeyRotated', { kid: expect.any(String), purpose: 'refresh' }],
    ['onKeyRotated', { kid: expect.any(String), purpose: 'access' }],
    ['onSessionCreated', { userId: 'alice', handle: first.claims.sid }],
  ])
  clock.advance(1)
  const second = await login(core)
  const third = await refreshed(core, second.refreshToken)
  await refreshed(core, second.refreshToken)
  clock.advance(HOUR)
  const branch = await refreshed(core, second.refreshToken)
  await core.refresh(third.refreshToken, 'header', owner)
  clock.advance(1)
  const last = await login(core)
  await core.revokeSession(last.claims.sid)
  await core.revokeSession(last.claims.sid)
  await core.revokeAllSessionsForUser('alice')
  const left = await login(core, 'bob')
  await core.signOut([left.claims.sid])
  await settle()
  const { sid: handle } = branch.claims
  expect(heard.map(([name, event]) => name === 'onTokenTheft' ? [name] : [name, event])).toEqual([
    ['onSessionRevoked', { handles: [first.claims.sid], reason: 'evicted' }],
    ['onSessionCreated', { userId: 'alice', handle }],
    ['onSessionRefreshed', { userId: 'alice', handle, how: 'rotate' }],
    ['onSessionRefreshed', { userId: 'alice', handle, how: 'retry' }],
    ['onSessionRefreshed', { userId: 'alice', handle, how: 'branch' }],
    ['onSessionRevoked', { handles: [handle], reason: 'theft' }],
    ['onTokenTheft'],
    ['onSessionCreated', { userId: 'alice', handle: last.claims.sid }],
    ['onSessionRevoked', { handles: [last.claims.sid], reason: 'revoked' }],
    ['onSessionCreated', { userId: 'bob', handle: left.claims.sid }],
    ['onSessionRevoked', { handles: [left.claims.sid], reason: 'signed-out' }],
  ])
})
