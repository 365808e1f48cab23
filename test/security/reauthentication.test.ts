import { describe, expect, test } from 'vitest'
import { SessionNotFoundError } from '../../src/base/errors.ts'
import type { SessionEventMap } from '../../src/session/events.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createTestCore, DAY, HOUR, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'
import type { Core, Issued } from '../support/test-core.ts'

const R = 30 * SECOND
const elsewhere = { ip: '198.51.100.7', userAgent: 'elsewhere' }
const busy = (retryAfter: number): object => ({ code: 'REFRESH_BUSY', status: 503, retryAfter })

/** The parts of a refresh token that are secret or name its place. */
function partsOf({ refreshToken }: Issued): { generation: number; branch: number; anchor: string; secret: string } {
  const [, , , generation, branch, anchor = '', secret = ''] = refreshToken.split('.')
  return { generation: Number(generation), branch: Number(branch), anchor, secret }
}

function reauthenticated(core: Core, { claims }: Issued): Promise<Issued> {
  return core.reauthenticate(claims, owner)
}

describe('L-17: a re-authentication', () => {
  test('gives the session a new auth_time and random tokens; handle, data and payload stay', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core, 'alice', { jwtPayload: { role: 'admin' }, sessionInfo: { note: 'kept' } })
    clock.advance(HOUR)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(HOUR / 2)
    const third = await core.reauthenticate(second.claims, elsewhere)
    expect(third.claims).toMatchObject({
      sub: 'alice', sid: first.claims.sid, auth_time: clock() / 1000, iat: clock() / 1000, gen: 2, brn: 0, pv: 0,
    })
    expect(second.claims.auth_time).toBe(first.claims.auth_time)
    expect(third.payload).toEqual({ role: 'admin' })
    expect(partsOf(third)).toMatchObject({ generation: 2, branch: 0 })
    expect(partsOf(third).anchor).not.toBe(partsOf(second).anchor)
    expect(await core.verify(third.accessToken)).toMatchObject({ kind: 'active', payload: { role: 'admin' } })
    const { record, sessionInfo } = await core.getStoredSession(first.claims.sid)
    expect(sessionInfo).toEqual({ note: 'kept' })
    expect(record).toMatchObject({
      createdAt: first.claims.auth_time * 1000, authenticatedAt: clock(), rotatedAt: clock(), servedAt: clock(),
      confirmed: true, expiresAt: clock() + core.policy.idleTimeout, client: elsewhere,
    })
    clock.advance(61 * SECOND)
    const fourth = await refreshed(core, third.refreshToken)
    expect(fourth.claims).toMatchObject({ auth_time: third.claims.auth_time, gen: 3 })
    expect(partsOf(fourth).anchor).toBe(partsOf(third).anchor)
  })

  test('costs two store calls, one of them a write', async () => {
    const { core, takeCalls } = createTestCore()
    const issued = await login(core)
    takeCalls()
    await reauthenticated(core, issued)
    expect(takeCalls()).toEqual(['find', 'reauthenticate'])
  })

  test('derives nothing: two stores in the same state get different secrets', async () => {
    const store = createMemoryStore()
    const { core } = createTestCore({ store })
    const issued = await login(core)
    const before = await store.find(issued.claims.sid)
    const one = await reauthenticated(core, issued)
    if (before === null) throw new Error('the login was not stored')
    await store.remove([issued.claims.sid], before.createdAt)
    await store.insert(before)
    const other = await reauthenticated(core, issued)
    expect(partsOf(other).secret).not.toBe(partsOf(one).secret)
    expect(partsOf(other).anchor).not.toBe(partsOf(one).anchor)
  })

  test('has a later auth_time than the login, even in the same second', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const second = await reauthenticated(core, first)
    const third = await reauthenticated(core, second)
    expect([second, third].map(({ claims }) => claims.auth_time - clock() / 1000)).toEqual([1, 2])
  })

  test('has a generation above that of an access token whose rotation the store has lost', async () => {
    const store = createMemoryStore()
    const { core, clock } = createTestCore({ store })
    const first = await login(core)
    const past = await store.find(first.claims.sid)
    const second = await refreshed(core, first.refreshToken)
    if (past === null) throw new Error('the login was not stored')
    await store.remove([past.handle], past.createdAt)
    await store.insert(past)
    const third = await reauthenticated(core, second)
    expect(third.claims.gen).toBe(2)
    clock.advance(2 * R)
    const heard: unknown[] = []
    const other = createTestCore({ store, clock, events: { onRefreshRejected: event => heard.push(event) } })
    expect((await other.core.refresh(second.refreshToken, 'header', owner)).kind).toBe('unauthorized')
    await settle()
    expect(heard).toMatchObject([{ reason: 'superseded' }])
  })

  test('is reported', async () => {
    const heard: SessionEventMap['onSessionReauthenticated'][] = []
    const { core } = createTestCore({ events: { onSessionReauthenticated: event => heard.push(event) } })
    const issued = await login(core)
    await reauthenticated(core, issued)
    await settle()
    expect(heard).toEqual([{ userId: 'alice', handle: issued.claims.sid }])
  })

  test('of a session that is gone or has expired throws, and writes nothing', async () => {
    const { core, clock, takeCalls } = createTestCore({ idleTimeout: DAY / 1000 })
    const [revoked, expired] = [await login(core), await login(core)]
    await core.revokeSession(revoked.claims.sid)
    takeCalls()
    await expect(reauthenticated(core, revoked)).rejects.toThrow(SessionNotFoundError)
    clock.advance(DAY)
    await expect(reauthenticated(core, expired)).rejects.toThrow(SessionNotFoundError)
    expect(takeCalls()).toEqual(['find', 'find'])
  })
})

describe('L-17: the lineage that a re-authentication has ended', () => {
  test('its refresh tokens are busy for R, then refused; nothing is revoked and nobody is a thief', async () => {
    const heard: string[] = []
    const { core, clock } = createTestCore({
      events: {
        onRefreshRejected: ({ reason }) => heard.push(reason), onTokenTheft: () => heard.push('theft'),
        onSessionRevoked: () => heard.push('revoked'),
      },
    })
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    const third = await reauthenticated(core, second)
    for (const old of [first, second]) {
      await expect(core.refresh(old.refreshToken, 'header', owner)).rejects.toMatchObject(busy(31))
    }
    clock.advance(R + 1)
    for (const old of [first, second]) {
      expect(await core.refresh(old.refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: false })
    }
    await settle()
    expect(heard).toEqual(['superseded', 'superseded'])
    expect((await refreshed(core, third.refreshToken)).claims.auth_time).toBe(third.claims.auth_time)
  })

  test('its access tokens never turn into one with the new auth_time', async () => {
    const { core, clock } = createTestCore({ accessTokenBlacklisting: 'strict' })
    const first = await login(core)
    clock.advance(60 * SECOND)
    await reauthenticated(core, first)
    await core.updateJwtPayload(first.claims.sid, { role: 'new' })
    const renewed = await core.verify(first.accessToken)
    const { auth_time } = first.claims
    expect(renewed).toMatchObject({ kind: 'active', payload: { role: 'new' }, claims: { auth_time } })
    expect((await core.reissue(first.claims)).claims.auth_time).toBe(auth_time)
  })

  test('a second re-authentication with its access token waits for R, and is then accepted', async () => {
    const { core, clock, takeCalls } = createTestCore()
    const first = await login(core)
    clock.advance(10 * SECOND)
    const lost = await reauthenticated(core, first)
    takeCalls()
    await expect(reauthenticated(core, first)).rejects.toMatchObject(busy(31))
    expect(takeCalls()).toEqual(['find'])
    clock.advance(R)
    await expect(reauthenticated(core, first)).rejects.toMatchObject(busy(1))
    clock.advance(SECOND)
    const again = await reauthenticated(core, first)
    expect(again.claims).toMatchObject({ gen: lost.claims.gen + 1, auth_time: clock() / 1000 | 0 })
    clock.advance(R + 1)
    expect((await core.refresh(lost.refreshToken, 'header', owner)).kind).toBe('unauthorized')
    await refreshed(core, again.refreshToken)
  })

  test('with reuseInterval 0, nothing waits', async () => {
    const { core } = createTestCore({ reuseInterval: 0 })
    const first = await login(core)
    await reauthenticated(core, first)
    expect((await core.refresh(first.refreshToken, 'header', owner)).kind).toBe('unauthorized')
    expect((await reauthenticated(core, first)).claims.gen).toBe(2)
  })
})

/** Runs `meanwhile` between the read and the write of a re-authentication, `times` times. */
function disturbed(inner: SessionStore, times: number, meanwhile: () => Promise<unknown>): SessionStore {
  let left = times
  return {
    ...inner,
    async reauthenticate(reauthentication) {
      if (left-- > 0) await meanwhile()
      return inner.reauthenticate(reauthentication)
    },
  }
}

const stores: readonly (readonly [name: string, open: () => Promise<SessionStore>])[] = [
  ['memory', async () => createMemoryStore()],
  ['SQLite', async () => openSqliteStore(':memory:')],
]

describe.each(stores)('L-17: what happens between the read and the write of a re-authentication, in %s', (_, open) => {
  test('a revocation: the session stays revoked, and the call throws', async () => {
    const inner = await open()
    const other = createTestCore({ store: inner })
    const issued = await login(other.core)
    const store = disturbed(inner, 1, () => other.core.revokeSession(issued.claims.sid))
    const { core } = createTestCore({ store, clock: other.clock })
    await expect(reauthenticated(core, issued)).rejects.toThrow(SessionNotFoundError)
    expect(await inner.find(issued.claims.sid)).toBeNull()
    await other.core.close()
  })

  test('a refresh: the re-authentication decides again, and ends its lineage too', async () => {
    const inner = await open()
    const other = createTestCore({ store: inner })
    const issued = await login(other.core)
    other.clock.advance(61 * SECOND)
    let between: Issued | null = null
    const store = disturbed(inner, 1, async () => {
      between = await refreshed(other.core, issued.refreshToken)
    })
    const { core, takeCalls } = createTestCore({ store, clock: other.clock })
    const after = await reauthenticated(core, issued)
    expect(takeCalls().filter(name => name === 'find' || name === 'reauthenticate'))
      .toEqual(['find', 'reauthenticate', 'find', 'reauthenticate'])
    expect(after.claims.gen).toBe(2)
    other.clock.advance(R + 1)
    const [old] = [between ?? issued]
    expect((await core.refresh(old.refreshToken, 'header', owner)).kind).toBe('unauthorized')
    await refreshed(core, after.refreshToken)
    await other.core.close()
  })

  test('another re-authentication: the later one must wait', async () => {
    const inner = await open()
    const other = createTestCore({ store: inner })
    const issued = await login(other.core)
    other.clock.advance(61 * SECOND)
    const store = disturbed(inner, 1, () => reauthenticated(other.core, issued))
    const { core } = createTestCore({ store, clock: other.clock })
    await expect(reauthenticated(core, issued)).rejects.toMatchObject(busy(31))
    await other.core.close()
  })

  test('a write each time: after five attempts the client must repeat the request', async () => {
    const inner = await open()
    const other = createTestCore({ store: inner, reuseInterval: 0 })
    const issued = await login(other.core)
    let newest: Issued = issued
    const store = disturbed(inner, 9, async () => {
      newest = await refreshed(other.core, newest.refreshToken)
    })
    const { core, takeCalls } = createTestCore({ store, clock: other.clock, reuseInterval: 0 })
    await expect(reauthenticated(core, issued)).rejects.toMatchObject(busy(1))
    expect(takeCalls().filter(name => name === 'reauthenticate')).toHaveLength(5)
    await refreshed(core, newest.refreshToken)
    await other.core.close()
  })
})
