import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, HOUR, login, owner, refreshed, SECOND } from '../support/test-core.ts'

type TestCore = ReturnType<typeof createTestCore>

/** Two processes on one store, the clock of the second ahead. */
function twoProcesses(ahead: number): readonly [right: TestCore, fast: TestCore] {
  const store = createMemoryStore()
  const right = createTestCore({ store })
  const clock = Object.assign(() => right.clock() + ahead, { advance: right.clock.advance })
  return [right, createTestCore({ store, clock })]
}

test('ROT-12: an access token of a process whose clock is a minute ahead is good everywhere', async () => {
  const [right, fast] = twoProcesses(60 * SECOND)
  const { accessToken } = await login(fast.core)
  expect((await right.core.verify(accessToken)).kind).toBe('active')
})

describe.each([['ahead', 300 * SECOND], ['behind', -300 * SECOND]])('a process whose clock is five minutes %s', (_, skew) => {
  test('logs nobody out: a client that is served by both in turn goes on refreshing', async () => {
    const [right, wrong] = twoProcesses(skew)
    let { refreshToken } = await login(right.core)
    for (let round = 0; round < 20; round++) {
      const { core } = round % 2 === 0 ? wrong : right
      refreshToken = (await refreshed(core, refreshToken)).refreshToken
      right.clock.advance(HOUR)
    }
  })

  test('raises no alarm for a lost answer that the other process repeats', async () => {
    const [right, wrong] = twoProcesses(skew)
    for (const [first, second] of [[right, wrong], [wrong, right]] as const) {
      const { refreshToken } = await login(first.core)
      await refreshed(first.core, refreshToken)
      const answer = await refreshed(second.core, refreshToken)
      right.clock.advance(HOUR)
      await refreshed(first.core, answer.refreshToken)
    }
  })

  test('keeps what was revoked revoked, for as long as an access token can live on either clock', async () => {
    const [right, wrong] = twoProcesses(skew)
    for (const [issuer, revoker] of [[right, wrong], [wrong, right]] as const) {
      const { claims, accessToken, refreshToken } = await login(issuer.core)
      await revoker.core.revokeSession(claims.sid)
      for (let minute = 0; minute < 65; minute += 5) {
        for (const { core, store, clock } of [right, wrong]) {
          await store.removeExpired(clock(), 100)
          expect((await core.verify(accessToken)).kind).not.toBe('active')
          expect((await core.refresh(refreshToken, 'header', owner)).kind).toBe('unauthorized')
        }
        right.clock.advance(300 * SECOND)
      }
    }
  })
})
