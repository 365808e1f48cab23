import { describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { realStores } from '../support/real-stores.ts'
import { createTestCore, login, owner, SECOND } from '../support/test-core.ts'

/** A process that uses the store's time, and whose own clock is wrong. */
function startProcess(store: SessionStore, offset: number, thefts: unknown[]): ReturnType<typeof createTestCore> {
  return createTestCore({
    store,
    clock: Object.assign(() => Date.now() + offset, { advance: () => undefined }),
    followStoreTime: true,
    events: { onTokenTheft: event => void thefts.push(event) },
  })
}

for (const { name, available, open } of realStores) describe.skipIf(!available)(`ROT-12: ${name}`, () => {
  test('ten tabs that refresh at once on two processes, one of them five minutes off, rotate once and report no theft', async () => {
    const thefts: unknown[] = []
    const right = startProcess(await open('clocks'), 0, thefts)
    for (const offset of [300 * SECOND, -300 * SECOND]) {
      const wrong = startProcess(await open('clocks'), offset, thefts)
      for (const processes of [[right, wrong], [wrong, right]]) {
        const refreshTenTimes = async (
          token: string,
        ): Promise<{ ways: readonly string[]; tokens: readonly string[] }> => {
          const answers = await Promise.all(Array.from({ length: 10 }, async (_, tab) =>
            processes[tab % 2]?.core.refresh(token, 'header', owner)))
          const refreshed = answers.flatMap(answer => answer?.kind === 'refreshed' ? [answer] : [])
          return {
            ways: refreshed.map(({ how }) => how).toSorted(),
            tokens: [...new Set(refreshed.map(({ issued }) => issued.refreshToken))],
          }
        }
        for (let round = 1; round <= 3; round++) {
          const first = await login(right.core)
          const { ways, tokens } = await refreshTenTimes(first.refreshToken)
          expect(ways).toEqual([...Array.from({ length: 9 }, () => 'retry'), 'rotate'])
          expect(tokens).toHaveLength(1)
          expect(tokens).not.toContain(first.refreshToken)
          // By a clock that is five minutes ahead it would be old enough for the next rotation.
          const again = await refreshTenTimes(tokens[0] ?? '')
          expect(again).toEqual({ ways: Array.from({ length: 10 }, () => 'early'), tokens })
        }
      }
      // As near as a question to the store takes; by its own clock it would be 300 s away.
      expect(Math.abs(wrong.core.clock() - Date.now())).toBeLessThan(30 * SECOND)
      await wrong.core.close()
    }
    expect(thefts).toEqual([])
    await right.core.close()
  })
})
