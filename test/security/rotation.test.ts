import { describe, expect, test } from 'vitest'
import type { TheftEvidence } from '../../src/session/events.ts'
import type { ClientInfo } from '../../src/session/record.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestClock } from '../support/session-server.ts'
import { createTestCore, DAY, HOUR, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'

const thief: ClientInfo = { ip: '198.51.100.7', userAgent: 'thief' }

describe('ROT-01: using a used-up token again revokes the session', () => {
  test('an older generation is theft; afterwards no token of the lineage works', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(61 * SECOND)
    const third = await refreshed(core, second.refreshToken)
    expect(await core.refresh(first.refreshToken, 'header', thief))
      .toEqual({
        kind: 'theft', userId: 'alice', handle: first.claims.sid,
        presented: { generation: 0, branch: 0 }, current: { generation: 2, branch: 0 },
      })
    expect(await core.refresh(third.refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: 'revoked' })
    for (const { accessToken } of [first, second, third]) {
      expect((await core.verify(accessToken, { blacklisting: 'strict' })).kind).toBe('revoked')
      expect((await core.verify(accessToken)).kind).toBe('revoked')
    }
  })

  test('the event contains user, client and time', async () => {
    const heard: TheftEvidence[] = []
    const { core, clock } = createTestCore({ events: { onTokenTheft: evidence => heard.push(evidence) } })
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken, owner)
    clock.advance(70 * SECOND)
    await refreshed(core, second.refreshToken, owner)
    clock.advance(3 * SECOND)
    await core.refresh(first.refreshToken, 'header', thief)
    await settle()
    expect(heard).toEqual([{
      userId: 'alice',
      handle: first.claims.sid,
      presented: { generation: 0, branch: 0, at: clock(), by: thief },
      current: { generation: 2, branch: 0, at: clock() - 3 * SECOND, by: owner },
      revoked: true,
    }])
  })

  test('with `theft: observe`, the token is rejected and reported, and the session stays active', async () => {
    const heard: TheftEvidence[] = []
    const { core, clock } = createTestCore({
      theft: 'observe',
      events: { onTokenTheft: evidence => heard.push(evidence) },
    })
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(61 * SECOND)
    const third = await refreshed(core, second.refreshToken)
    expect(await core.refresh(first.refreshToken, 'header', thief)).toEqual({ kind: 'unauthorized', ended: false })
    await settle()
    expect(heard.map(({ revoked }) => revoked)).toEqual([false])
    await refreshed(core, third.refreshToken)
  })
})

describe('ROT-03: lost responses and parallel tabs', () => {
  test('the same parent gets the same child, byte for byte, with a new access token', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const answer = await refreshed(core, first.refreshToken)
    clock.advance(20 * SECOND)
    const again = await core.refresh(first.refreshToken, 'header', owner)
    expect(again).toMatchObject({ kind: 'refreshed', how: 'retry', issued: { refreshToken: answer.refreshToken } })
    expect(again.kind === 'refreshed' && again.issued.accessToken).not.toBe(answer.accessToken)
  })

  test('after a lost response, the parent gets another child; using the lost one is then theft', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const lost = await refreshed(core, first.refreshToken)
    clock.advance(HOUR)
    const branch = await core.refresh(first.refreshToken, 'header', owner)
    expect(branch).toMatchObject({ kind: 'refreshed', how: 'branch', issued: { claims: { gen: 1, brn: 1 } } })
    expect((await core.refresh(lost.refreshToken, 'header', thief)).kind).toBe('theft')
  })

  test('once the child is confirmed, using its parent is theft', async () => {
    const { core, clock, runTasks } = createTestCore()
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(62 * SECOND)
    await core.verify(second.accessToken)
    await runTasks()
    expect((await core.refresh(first.refreshToken, 'header', thief)).kind).toBe('theft')
  })

  test('using an access token before twice the reuse interval confirms nothing', async () => {
    const { core, clock, store, runTasks } = createTestCore()
    const second = await refreshed(core, (await login(core)).refreshToken)
    clock.advance(59 * SECOND)
    await core.verify(second.accessToken)
    await runTasks()
    expect((await store.find(second.claims.sid))?.confirmed).toBe(false)
  })

  test('within twice the reuse interval, the child is returned again, so that concurrent responses agree', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(SECOND)
    expect(await core.refresh(second.refreshToken, 'header', owner))
      .toMatchObject({ how: 'early', issued: { refreshToken: second.refreshToken } })
    clock.advance(SECOND)
    expect(await core.refresh(first.refreshToken, 'header', owner))
      .toMatchObject({ how: 'retry', issued: { refreshToken: second.refreshToken } })
  })

  test('using a grandparent is theft', async () => {
    const { core, clock } = createTestCore()
    const first = await login(core)
    const second = await refreshed(core, first.refreshToken)
    clock.advance(61 * SECOND)
    await refreshed(core, second.refreshToken)
    expect((await core.refresh(first.refreshToken, 'header', owner)).kind).toBe('theft')
  })
})

test('ROT-04: ten tabs that refresh concurrently 50 times are never logged out', async () => {
  const { core, clock } = createTestCore()
  let { refreshToken } = await login(core)
  for (let round = 0; round < 50; round++) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => core.refresh(refreshToken, 'header', owner)))
    const tokens = new Set(
      answers.map(answer => answer.kind === 'refreshed' ? answer.issued.refreshToken : answer.kind),
    )
    expect(tokens.size).toBe(1)
    refreshToken = [...tokens][0] ?? ''
    clock.advance(HOUR)
  }
})

describe('ROT-05: lifetimes', () => {
  test('a refresh does not change the absolute expiry', async () => {
    const { core, clock } = createTestCore({ absoluteTimeout: 600, accessTokenLifetime: 60 })
    let { refreshToken } = await login(core)
    for (let minute = 1; minute < 10; minute++) {
      clock.advance(60 * SECOND)
      const { refreshToken: next, claims } = await refreshed(core, refreshToken)
      expect(claims.exp * 1000).toBeLessThanOrEqual(Date.UTC(2026, 0, 1) + 600 * SECOND)
      refreshToken = next
    }
    clock.advance(60 * SECOND - 1)
    refreshToken = (await refreshed(core, refreshToken)).refreshToken
    clock.advance(1)
    expect(await core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: 'expired' })
  })

  test('each refresh moves the idle expiry', async () => {
    const { core, clock } = createTestCore({ idleTimeout: 2 * 86_400 })
    let { refreshToken } = await login(core)
    for (let day = 0; day < 5; day++) {
      clock.advance(2 * DAY - 1)
      refreshToken = (await refreshed(core, refreshToken)).refreshToken
    }
    clock.advance(2 * DAY)
    expect(await core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: 'expired' })
  })
})

test('ROT-06: every login has a new handle and new tokens', async () => {
  const { core } = createTestCore()
  const issued = await Promise.all(Array.from({ length: 50 }, () => login(core)))
  expect(new Set(issued.map(({ claims }) => claims.sid)).size).toBe(50)
  expect(new Set(issued.map(({ refreshToken }) => refreshToken)).size).toBe(50)
})

test('ROT-07: a listener that throws or hangs neither delays nor undoes the revocation', async () => {
  const failures: string[] = []
  const { core, clock } = createTestCore({
    events: {
      onTokenTheft: () => { throw new Error('listener') },
      onSessionRevoked: () => new Promise(() => undefined),
      onListenerError: ({ listener }) => failures.push(listener),
    },
  })
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken)
  clock.advance(61 * SECOND)
  await refreshed(core, second.refreshToken)
  expect((await core.refresh(first.refreshToken, 'header', thief)).kind).toBe('theft')
  expect((await core.refresh(second.refreshToken, 'header', owner)).kind).toBe('unauthorized')
  await settle()
  expect(failures).toEqual(['onTokenTheft'])
})

test('ROT-08: tokens that Keyturn did not issue never revoke anything', async () => {
  const { core, store } = createTestCore()
  const { refreshToken, claims } = await login(core)
  const [version, kid, ...rest] = refreshToken.split('.')
  for (let attempt = 0; attempt < 500; attempt++) {
    const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => (attempt * 31 + index * 7) % 256)).toString(
      'base64url',
    )
    const forged = [version, kid, claims.sid, String(attempt % 5), '0', rest[3], secret, rest.at(-1)].join('.')
    expect(await core.refresh(forged, 'header', thief)).toEqual({ kind: 'unauthorized', ended: false })
  }
  expect(await store.find(claims.sid)).not.toBeNull()
  await refreshed(core, refreshToken)
})

test('ROT-08: the tag covers every character of a token', async () => {
  const { core } = createTestCore()
  const { refreshToken } = await login(core)
  for (let index = 0; index < refreshToken.length; index++) {
    const other = refreshToken[index] === 'A' ? 'B' : 'A'
    const forged = refreshToken.slice(0, index) + other + refreshToken.slice(index + 1)
    expect(await core.refresh(forged, 'header', thief)).toEqual({ kind: 'unauthorized', ended: false })
  }
  await refreshed(core, refreshToken)
})

test('ROT-09: an access token contains the generation and branch of its refresh token', async () => {
  const { core, clock } = createTestCore()
  const first = await login(core)
  expect(first.claims).toMatchObject({ gen: 0, brn: 0 })
  expect((await refreshed(core, first.refreshToken)).claims).toMatchObject({ gen: 1, brn: 0 })
  clock.advance(HOUR)
  expect((await refreshed(core, first.refreshToken)).claims).toMatchObject({ gen: 1, brn: 1 })
})

test('ROT-10: a refresh token works in its own transfer mode only', async () => {
  const { core } = createTestCore()
  const { refreshToken } = await login(core, 'alice', { mode: 'cookie' })
  expect(await core.refresh(refreshToken, 'header', owner)).toEqual({ kind: 'unauthorized', ended: false })
  expect((await core.refresh(refreshToken, 'cookie', owner)).kind).toBe('refreshed')
})

test('ROT-12: clocks that are half a minute apart cause no theft report and no logout', async () => {
  const store = createMemoryStore()
  const slow = createTestCore({ store })
  const clock = Object.assign(() => slow.clock() + 30 * SECOND, { advance: slow.clock.advance })
  const fast = createTestCore({ store, clock })
  let { refreshToken } = await login(slow.core)
  for (let round = 0; round < 10; round++) {
    const [first, second] = round % 2 === 0 ? [slow, fast] : [fast, slow]
    const answer = await refreshed(first.core, refreshToken)
    const repeated = await refreshed(second.core, refreshToken)
    expect(repeated.refreshToken).toBe(answer.refreshToken)
    refreshToken = answer.refreshToken
    slow.clock.advance(HOUR)
  }
  expect(createTestClock()()).toBeLessThan(slow.clock())
})
