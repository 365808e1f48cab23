import { describe, expect, test } from 'vitest'
import type { PolicyOptions } from '../../src/session/policy.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, HOUR, login, owner, refreshed, SECOND } from '../support/test-core.ts'
import type { Issued } from '../support/test-core.ts'

type TestCore = ReturnType<typeof createTestCore>

/** Two processes on one store, which may have a clock; the clock of the second process is ahead. */
function twoProcesses(
  ahead: number,
  followStoreTime = false,
  policy: PolicyOptions = {},
): readonly [right: TestCore, fast: TestCore] {
  const memory = createMemoryStore()
  const store = followStoreTime ? { ...memory, time: async () => right.clock() } : memory
  const right = createTestCore({ ...policy, store, followStoreTime })
  const clock = Object.assign(() => right.clock() + ahead, { advance: right.clock.advance })
  return [right, createTestCore({ ...policy, store, followStoreTime, clock })]
}

test('ROT-12: an access token of a process whose clock is a minute ahead is valid everywhere', async () => {
  const [right, fast] = twoProcesses(60 * SECOND)
  const { accessToken } = await login(fast.core)
  expect((await right.core.verify(accessToken)).kind).toBe('active')
})

describe.each([['ahead', 300 * SECOND], ['behind', -300 * SECOND]])('a process whose clock is five minutes %s', (_, skew) => {
  test('keeps sessions: a client that both processes serve alternately can refresh', async () => {
    const [right, wrong] = twoProcesses(skew)
    let { refreshToken } = await login(right.core)
    for (let round = 0; round < 20; round++) {
      const { core } = round % 2 === 0 ? wrong : right
      refreshToken = (await refreshed(core, refreshToken)).refreshToken
      right.clock.advance(HOUR)
    }
  })

  test.each(['feed', 'off', 'strict'] as const)('whose store has a clock: tabs that refresh at once on both get the same token (blacklisting %s)', async accessTokenBlacklisting => {
    const [right, wrong] = twoProcesses(skew, true, { accessTokenBlacklisting })
    for (const order of [[right, wrong], [wrong, right]]) {
      let { refreshToken } = await login(right.core)
      for (let round = 0; round < 5; round++) {
        const answers: Issued[] = []
        for (let tab = 0; tab < 6; tab++) {
          const { core } = order[tab % 2] ?? right
          answers.push(await refreshed(core, refreshToken))
          expect((await core.verify(answers.at(-1)?.accessToken ?? '')).kind).toBe('active')
        }
        expect(new Set(answers.map(answer => answer.refreshToken)).size).toBe(1)
        refreshToken = answers[0]?.refreshToken ?? ''
        right.clock.advance(HOUR)
      }
    }
  })

    test('reports no theft if the other process repeats a lost response', async () => {
      const [right, wrong] = twoProcesses(skew)
      for (const [first, second] of [[right, wrong], [wrong, right]] as const) {
        const { refreshToken } = await login(first.core)
        await refreshed(first.core, refreshToken)
        const answer = await refreshed(second.core, refreshToken)
        right.clock.advance(HOUR)
        await refreshed(first.core, answer.refreshToken)
      }
    })

  test('keeps revocations for as long as an access token is valid by either clock', async () => {
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
