import { describe, expect, test } from 'vitest'
import { SessionNotFoundError } from '../../src/base/errors.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createCutStore, createTestClock } from '../support/session-server.ts'
import { createTestCore, DAY, HOUR, login, owner, refreshed, SECOND } from '../support/test-core.ts'

describe('REV-01: revokeSession', () => {
  test('revokes the session; a second call finds none and is not an error', async () => {
    const { core } = createTestCore()
    const { claims, refreshToken } = await login(core)
    expect(await core.revokeSession(claims.sid)).toBe(true)
    expect(await core.revokeSession(claims.sid)).toBe(false)
    expect(await core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: 'revoked' })
  })

  test('using its refresh token again affects no other session of the user', async () => {
    const { core } = createTestCore()
    const first = await login(core)
    const other = await login(core)
    await core.revokeSession(first.claims.sid)
    await core.refresh(first.refreshToken, 'header', owner)
    await refreshed(core, other.refreshToken)
  })
})

describe('REV-02: access tokens of a revoked session', () => {
  test('strict: rejected at the next request, even if another process revoked it', async () => {
    const store = createMemoryStore()
    const here = createTestCore({ store, accessTokenBlacklisting: 'strict' })
    const elsewhere = createTestCore({ store, clock: here.clock })
    const { claims, accessToken } = await login(here.core)
    expect((await here.core.verify(accessToken)).kind).toBe('active')
    await elsewhere.core.revokeSession(claims.sid)
    expect((await here.core.verify(accessToken)).kind).toBe('revoked')
  })

  test('feed: rejected as soon as the log was read, without a store call', async () => {
    const store = createMemoryStore()
    const here = createTestCore({ store })
    const elsewhere = createTestCore({ store, clock: here.clock })
    const { claims, accessToken } = await login(here.core)
    await here.core.verify(accessToken)
    await elsewhere.core.revokeSession(claims.sid)
    here.takeCalls()
    await expect.poll(async () => (await here.core.verify(accessToken)).kind).toBe('revoked')
    expect(here.takeCalls()).toEqual([])
  })

  test('feed: rejected at once by the process that revoked it', async () => {
    const { core } = createTestCore()
    const { claims, accessToken } = await login(core)
    await core.verify(accessToken)
    await core.revokeSession(claims.sid)
    expect((await core.verify(accessToken)).kind).toBe('revoked')
  })

  test('off: valid until it expires', async () => {
    const { core, clock } = createTestCore({ accessTokenBlacklisting: 'off', accessTokenLifetime: 60 })
    const { claims, accessToken } = await login(core)
    await core.revokeSession(claims.sid)
    expect((await core.verify(accessToken)).kind).toBe('active')
    clock.advance(60 * SECOND)
    expect(await core.verify(accessToken)).toEqual({ kind: 'refresh-required', reason: 'expired' })
  })

  test('a process reads the log before its first verification', async () => {
    const store = createMemoryStore()
    const before = createTestCore({ store })
    const { claims, accessToken } = await login(before.core)
    await before.core.revokeSession(claims.sid)
    const after = createTestCore({ store, clock: before.clock })
    expect((await after.core.verify(accessToken)).kind).toBe('revoked')
  })
})

describe('REV-03: the methods revoke', () => {
  test('one, several, all of a user, all but the current', async () => {
    const { core } = createTestCore()
    const [a, b, c, d] = await Promise.all([login(core), login(core), login(core), login(core, 'bob')])
    const handles = [a, b, c, d].map(issued => issued?.claims.sid ?? '')
    expect(await core.revokeSessions([handles[0] ?? '', 'nonsense', `h${'A'.repeat(22)}`])).toEqual([handles[0]])
    expect(await core.revokeAllSessionsForUser('alice', { except: handles[2] ?? '' })).toEqual([handles[1]])
    expect(await core.getAllSessionHandlesForUser('alice')).toEqual([handles[2]])
    expect(await core.revokeAllSessionsForUser('alice')).toEqual([handles[2]])
    expect(await core.revokeAllSessionsForUser('alice')).toEqual([])
    expect(await core.getAllSessionHandlesForUser('bob')).toEqual([handles[3]])
  })

  test('all sessions: no existing token is valid, new logins work', async () => {
    const { core } = createTestCore()
    const old = await login(core)
    await core.verify(old.accessToken)
    await core.revokeEverySession()
    expect((await core.verify(old.accessToken)).kind).toBe('refresh-required')
    expect(await core.refresh(old.refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: false })
    const fresh = await login(core)
    expect((await core.verify(fresh.accessToken)).kind).toBe('active')
    await refreshed(core, fresh.refreshToken)
  })

  test('a list of devices contains no secrets', async () => {
    const { core, clock } = createTestCore()
    const { refreshToken, claims } = await login(core)
    clock.advance(HOUR)
    await refreshed(core, refreshToken, { ip: '203.0.113.9', userAgent: 'phone' })
    const { sessions, next } = await core.listSessions('alice')
    expect(next).toBeNull()
    expect(sessions).toEqual([{
      handle: claims.sid,
      userId: 'alice',
      tenantId: 'public',
      createdAt: clock() - HOUR,
      expiresAt: Math.ceil((clock() + 100 * DAY) / DAY) * DAY,
      ip: '203.0.113.9',
      userAgent: 'phone',
    }])
  })

  test('lists have pages, without expired sessions', async () => {
    const { core, clock } = createTestCore({ idleTimeout: 86_400 })
    await login(core)
    clock.advance(DAY)
    const handles: string[] = []
    for (let count = 0; count < 5; count++) {
      clock.advance(1)
      handles.unshift((await login(core)).claims.sid)
    }
    const first = await core.listSessions('alice', { limit: 3 })
    const second = await core.listSessions('alice', { limit: 3, after: first.next })
    expect([...first.sessions, ...second.sessions].map(({ handle }) => handle)).toEqual(handles)
  })
})

test('REV-04: after a password reset neither access nor refresh tokens of other devices work', async () => {
  const { core } = createTestCore()
  const [here, elsewhere] = [await login(core), await login(core)]
  await core.revokeAllSessionsForUser('alice', { except: here.claims.sid })
  expect((await core.verify(elsewhere.accessToken)).kind).toBe('revoked')
  expect((await core.refresh(elsewhere.refreshToken, 'header', owner)).kind).toBe('unauthorized')
  expect((await core.verify(here.accessToken)).kind).toBe('active')
})

describe('REV-05: limits apply whenever a session is read, without any cleanup', () => {
  test('every method rejects an expired session', async () => {
    const { core, clock, store } = createTestCore({ idleTimeout: 3600, accessTokenLifetime: 3600 })
    const { claims } = await login(core)
    clock.advance(HOUR)
    expect(await store.find(claims.sid)).not.toBeNull()
    await expect(core.getSessionInfo(claims.sid)).rejects.toBeInstanceOf(SessionNotFoundError)
    await expect(core.updateSessionInfo(claims.sid, {})).rejects.toBeInstanceOf(SessionNotFoundError)
    await expect(core.updateSessionInfo(claims.sid, info => info)).rejects.toBeInstanceOf(SessionNotFoundError)
    await expect(core.updateJwtPayload(claims.sid, {})).rejects.toBeInstanceOf(SessionNotFoundError)
    expect(await core.getAllSessionHandlesForUser('alice')).toEqual([])
  })

  test('a lower limit in the configuration ends existing sessions and access tokens', async () => {
    const store = createMemoryStore()
    const clock = createTestClock()
    const before = createTestCore({ store, clock })
    const { refreshToken, accessToken } = await login(before.core)
    clock.advance(900 * SECOND)
    const after = createTestCore({ store, clock, idleTimeout: 900, accessTokenLifetime: 300 })
    expect(await after.core.verify(accessToken)).toEqual({ kind: 'refresh-required', reason: 'expired' })
    expect(await after.core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: 'expired' })
    await refreshed(before.core, refreshToken)
  })
})

test('REV-06: 50 parallel logins under a limit of 5 leave 5 sessions, the newest', async () => {
  const { core, clock } = createTestCore({ maxSessionsPerUser: 5 })
  for (let count = 0; count < 3; count++) await login(core)
  clock.advance(1)
  await Promise.all(Array.from({ length: 50 }, () => login(core)))
  const { sessions } = await core.listSessions('alice')
  expect(sessions).toHaveLength(5)
  expect(sessions.every(({ createdAt }) => createdAt === clock())).toBe(true)
})

test('REV-07: a late write does not restore a revoked session', async () => {
  const { core, store } = createTestCore()
  const { claims, refreshToken } = await login(core)
  await core.revokeSession(claims.sid)
  await expect(core.updateSessionInfo(claims.sid, { note: 'late' })).rejects.toBeInstanceOf(SessionNotFoundError)
  await expect(core.reissue(claims, { role: 'late' })).rejects.toBeInstanceOf(SessionNotFoundError)
  await core.refresh(refreshToken, 'header', owner)
  expect(await store.find(claims.sid)).toBeNull()
})

test('REV-09: a refresh does not change the time of the login', async () => {
  const { core, clock } = createTestCore()
  let issued = await login(core)
  const { auth_time } = issued.claims
  for (let round = 0; round < 5; round++) {
    clock.advance(HOUR)
    issued = await refreshed(core, issued.refreshToken)
  }
  expect(issued.claims.auth_time).toBe(auth_time)
})

describe('REV-11: an unavailable store', () => {
  test('fails refreshes and strict verification; the session is active when the store is available again', async () => {
    const cut = createCutStore()
    const { core } = createTestCore({ store: cut.store })
    const { accessToken, refreshToken } = await login(core)
    cut.down = true
    await expect(core.refresh(refreshToken, 'header', owner)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(core.verify(accessToken, { blacklisting: 'strict' }))
      .rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    cut.down = false
    await refreshed(core, refreshToken)
  })
})

test('CK-04: a payload that is too long for a cookie is rejected before it is stored', async () => {
  const { core, store } = createTestCore()
  const { claims, accessToken } = await login(core)
  const huge = { role: 'x'.repeat(3000) }
  await expect(login(core, 'bob', { jwtPayload: huge })).rejects.toMatchObject({ code: 'INVALID_DATA' })
  await expect(core.updateJwtPayload(claims.sid, huge)).rejects.toMatchObject({ code: 'INVALID_DATA' })
  await expect(core.reissue(claims, huge)).rejects.toMatchObject({ code: 'INVALID_DATA' })
  expect((await store.find(claims.sid))?.jwtPayload).toBe('{}')
  expect(await core.getAllSessionHandlesForUser('bob')).toEqual([])
  expect((await core.verify(accessToken)).kind).toBe('active')
})
