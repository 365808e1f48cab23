import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestClock } from '../support/session-server.ts'
import { createTestCore, DAY, login, owner, refreshed, SECOND } from '../support/test-core.ts'
import type { Issued } from '../support/test-core.ts'

/** A core that has read its keys and its feed, so that tests count only the store calls of the request. */
async function warm(
  options: Parameters<typeof createTestCore>[0] = {},
): Promise<ReturnType<typeof createTestCore> & { issued: Issued }> {
  const context = createTestCore(options)
  const issued = await login(context.core)
  await context.core.verify(issued.accessToken)
  context.takeCalls()
  return { ...context, issued }
}

test('a request costs no store call, whether its token is cached or not', async () => {
  const { core, takeCalls } = await warm()
  const { accessToken } = await login(core)
  takeCalls()
  for (let request = 0; request < 5; request++) expect(await core.verify(accessToken)).toMatchObject({ kind: 'active' })
  expect(takeCalls()).toEqual([])
})

test('a request in strict mode costs one', async () => {
  const { core, issued, takeCalls } = await warm()
  await core.verify(issued.accessToken, { blacklisting: 'strict' })
  expect(takeCalls()).toEqual(['find'])
})

test('a login costs one', async () => {
  const { core, takeCalls } = await warm()
  await login(core, 'bob')
  expect(takeCalls()).toEqual(['insert'])
})

test('a login with maxSessionsPerUser costs two, and three if it revokes a session', async () => {
  const { core, takeCalls } = await warm({ maxSessionsPerUser: 2 })
  await login(core)
  expect(takeCalls()).toEqual(['insert', 'listByUser'])
  await login(core)
  expect(takeCalls()).toEqual(['insert', 'listByUser', 'remove'])
})

test('a refresh costs one', async () => {
  const { core, issued, takeCalls } = await warm()
  await refreshed(core, issued.refreshToken)
  expect(takeCalls()).toEqual(['rotate'])
})

test('the store\'s clock is read when a process starts and when it reads its keys, never during a call', async () => {
  const clock = createTestClock()
  const { core, issued, takeCalls } = await warm({
    clock, followStoreTime: true, store: { ...createMemoryStore(), time: async () => clock() - 300 * SECOND },
  })
  expect(core.clock()).toBe(clock() - 300 * SECOND)
  await core.verify(issued.accessToken)
  expect(takeCalls()).toEqual([])
  await login(core)
  expect(takeCalls()).toEqual(['insert'])
  await refreshed(core, issued.refreshToken)
  expect(takeCalls()).toEqual(['rotate'])
  clock.advance(61 * SECOND)
  await login(core)
  expect(takeCalls().toSorted()).toEqual(['insert', 'time'])
})

test('a repeated refresh costs two, and writes nothing', async () => {
  const { core, clock, issued, takeCalls } = await warm()
  await refreshed(core, issued.refreshToken)
  takeCalls()
  clock.advance(5 * SECOND)
  await refreshed(core, issued.refreshToken)
  expect(takeCalls()).toEqual(['rotate', 'find'])
})

test('malformed tokens cost none', async () => {
  const { core, takeCalls } = await warm()
  await core.refresh('kt1-malformed', 'header', owner)
  await core.verify('not a token')
  expect(takeCalls()).toEqual([])
})

test('the methods by handle cost what the README says', async () => {
  const { core, issued, takeCalls } = await warm()
  const { sid } = issued.claims
  const cost = async (call: () => Promise<unknown>): Promise<number> => {
    await call()
    return takeCalls().length
  }
  expect(await cost(() => core.getSessionInfo(sid))).toBe(1)
  expect(await cost(() => core.updateSessionInfo(sid, { note: 'a' }))).toBe(1)
  expect(await cost(() => core.updateSessionInfo(sid, info => ({ ...info, count: 1 })))).toBe(2)
  expect(await cost(() => core.updateJwtPayload(sid, { role: 'b' }))).toBe(1)
  expect(await cost(() => core.listSessions('alice'))).toBe(1)
  expect(await cost(() => core.getAllSessionHandlesForUser('alice'))).toBe(1)
  expect(await cost(() => core.revokeSession(sid))).toBe(1)
  expect(await cost(() => core.revokeSessions([sid, sid]))).toBe(1)
  expect(await cost(() => core.revokeAllSessionsForUser('alice'))).toBe(1)
})

test('confirmations are written in one batch, after the requests that caused them', async () => {
  const { core, clock, store, takeCalls, runTasks } = await warm()
  const tokens: string[] = []
  for (let user = 0; user < 20; user++) {
    tokens.push((await refreshed(core, (await login(core, `user${user}`)).refreshToken)).accessToken)
  }
  clock.advance(62 * SECOND)
  takeCalls()
  for (const token of tokens) for (let request = 0; request < 3; request++) await core.verify(token)
  expect(takeCalls()).toEqual([])
  await runTasks()
  expect(takeCalls().filter(name => name === 'confirm')).toEqual(['confirm'])
  const [session] = (await store.listByUser('user7', { limit: 1, after: null })).sessions
  expect((session === undefined ? null : await store.find(session.handle))?.confirmed).toBe(true)
  clock.advance(DAY)
})
