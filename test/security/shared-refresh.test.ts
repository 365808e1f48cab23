import { expect, test } from 'vitest'
import type { SharedRefreshEvidence } from '../../src/session/events.ts'
import type { ClientInfo } from '../../src/session/record.ts'
import { createTestCore, login, owner, refreshed, SECOND, settle } from '../support/test-core.ts'

const thief: ClientInfo = { ip: '198.51.100.7', userAgent: 'thief' }

test('S-05: a refresh token that was delivered to two networks is reported with both', async () => {
  const heard: SharedRefreshEvidence[] = []
  const { core, clock } = createTestCore({ events: { onRefreshShared: evidence => heard.push(evidence) } })
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken, owner)
  clock.advance(5 * SECOND)
  const again = await core.refresh(first.refreshToken, 'header', thief)
  expect(again).toMatchObject({ how: 'retry', issued: { refreshToken: second.refreshToken } })
  await settle()
  expect(heard).toEqual([{
    userId: 'alice',
    handle: first.claims.sid,
    presented: { generation: 0, branch: 0, at: clock(), by: thief },
    current: { generation: 1, branch: 0, at: clock() - 5 * SECOND, by: owner },
    revoked: false,
  }])
  expect(await core.refresh(second.refreshToken, 'header', thief)).toMatchObject({ how: 'early' })
  await settle()
  expect(heard).toHaveLength(2)
})

test('S-05: the first client it was delivered to is stored, however often it is delivered again', async () => {
  const heard: SharedRefreshEvidence[] = []
  const { core, clock, store } = createTestCore({ events: { onRefreshShared: evidence => heard.push(evidence) } })
  const first = await login(core)
  await refreshed(core, first.refreshToken, owner)
  for (let count = 0; count < 3; count++) {
    clock.advance(10 * SECOND)
    await core.refresh(first.refreshToken, 'header', thief)
  }
  await settle()
  expect(heard.map(({ current }) => current.by)).toEqual([owner, owner, owner])
  expect(await store.find(first.claims.sid)).toMatchObject({ client: owner, servedAt: clock() })
})

test('S-05: nothing is reported for one client, or for unknown clients', async () => {
  const heard: SharedRefreshEvidence[] = []
  const { core } = createTestCore({ events: { onRefreshShared: evidence => heard.push(evidence) } })
  const first = await login(core)
  await refreshed(core, first.refreshToken, owner)
  await core.refresh(first.refreshToken, 'header', { ip: '192.0.2.99', userAgent: 'owner' })
  await core.refresh(first.refreshToken, 'header', { ip: null, userAgent: null })
  await settle()
  expect(heard).toEqual([])
})

test('S-05: with sharedRefresh: "revoke", the session is revoked', async () => {
  const heard: SharedRefreshEvidence[] = []
  const { core } = createTestCore({
    sharedRefresh: 'revoke', events: { onRefreshShared: evidence => heard.push(evidence) },
  })
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken, owner)
  expect(await core.refresh(first.refreshToken, 'header', thief)).toMatchObject({ kind: 'theft', userId: 'alice' })
  expect((await core.refresh(second.refreshToken, 'header', owner)).kind).toBe('unauthorized')
  expect((await core.verify(second.accessToken)).kind).toBe('revoked')
  await settle()
  expect(heard.map(({ revoked }) => revoked)).toEqual([true])
})

test('S-05: a patient thief who repeats the owner\'s token cannot keep its windows open', async () => {
  const { core, clock } = createTestCore({ accessTokenLifetime: 3600 })
  const first = await login(core)
  const start = clock()
  const answers: string[] = []
  for (let time = 0; time <= 48 * 30; time += 25) {
    while (clock() < start + time * SECOND) clock.advance(SECOND)
    const how = await core.refresh(first.refreshToken, 'header', thief)
      .then(outcome => outcome.kind === 'refreshed' ? outcome.how : outcome.kind, () => 'busy')
    answers.push(how)
  }
  // After six windows of 6R each, every use of the token displaces its last child.
  expect(answers.filter(how => how === 'branch').length).toBeGreaterThan(6)
  expect(answers.slice(-5)).toEqual(['branch', 'branch', 'branch', 'branch', 'branch'])
})

test('ROT-15: a parent that is repeated for longer than 4R gets REFRESH_BUSY, and a child afterwards', async () => {
  const { core, clock, store } = createTestCore({ accessTokenLifetime: 3600 })
  const first = await login(core)
  await refreshed(core, first.refreshToken)
  for (const wait of [50, 50]) {
    clock.advance(wait * SECOND)
    expect(await core.refresh(first.refreshToken, 'header', owner)).toMatchObject({ how: 'retry' })
  }
  clock.advance(20.5 * SECOND)
  const before = await store.find(first.claims.sid)
  // Served 20.5 s ago, rotated 120.5 s ago: the wait ends 2R after the token was served.
  await expect(core.refresh(first.refreshToken, 'header', owner))
    .rejects.toMatchObject({ code: 'REFRESH_BUSY', retryAfter: 40 })
  expect(await store.find(first.claims.sid), 'nothing is written').toEqual(before)
  clock.advance(40 * SECOND)
  expect(await core.refresh(first.refreshToken, 'header', owner)).toMatchObject({ how: 'branch' })
})

test('ROT-15: without a reuse interval, no token is returned again, and no client must wait', async () => {
  const { core } = createTestCore({ reuseInterval: 0 })
  const first = await login(core)
  const second = await refreshed(core, first.refreshToken)
  const branch = await core.refresh(first.refreshToken, 'header', owner)
  expect(branch).toMatchObject({ how: 'branch', issued: { claims: { gen: 1, brn: 1 } } })
  expect((await core.refresh(second.refreshToken, 'header', owner)).kind).toBe('theft')
})
