import { describe, expect, test } from 'vitest'
import { realStores } from '../support/real-stores.ts'
import { createTestCore, login, owner, SECOND } from '../support/test-core.ts'

const MINUTE = 60 * SECOND
let count = 0

for (const { name, available, open } of realStores) describe.skipIf(!available)(name, () => {
  test('S-06: what a process with shorter access tokens revokes or updates is announced for as long as longer ones can live', async () => {
    const data = `retention_${++count}`
    const first = createTestCore({ store: await open(data), accessTokenLifetime: 3600 })
    const { clock } = first
    const start = async (accessTokenLifetime: number): Promise<ReturnType<typeof createTestCore>> =>
      createTestCore({ store: await open(data), clock, accessTokenLifetime })
    const second = await start(60)
    const { claims, accessToken, refreshToken } = await login(first.core)
    const other = await login(first.core, 'bob')

    /** The results of a process that has been running, and of one that starts with what the log still has. */
    async function verdicts(running: typeof first, accessTokenLifetime: number, token: string): Promise<string[]> {
      await running.runTasks()
      const fresh = await start(accessTokenLifetime)
      const outcomes = [await running.core.verify(token), await fresh.core.verify(token)]
      await fresh.core.close()
      return outcomes.map(each => each.kind === 'active' && each.reissued !== null ? 'outdated' : each.kind)
    }
    const byLonger = (token: string): Promise<string[]> => verdicts(first, 3600, token)
    const byShorter = (token: string): Promise<string[]> => verdicts(second, 60, token)

    for (const verdict of [byLonger, byShorter]) expect(await verdict(accessToken)).toEqual(['active', 'active'])
    expect(await second.core.revokeSession(claims.sid)).toBe(true)
    await second.core.updateJwtPayload(other.claims.sid, { role: 'admin' })
    for (const verdict of [byLonger, byShorter]) {
      await expect.poll(() => verdict(accessToken)).toEqual(['revoked', 'revoked'])
      await expect.poll(() => verdict(other.accessToken)).toEqual(['outdated', 'outdated'])
    }
    const end = Math.min(claims.exp, other.claims.exp) * SECOND
    while (clock() < end - 1) {
      clock.advance(Math.min(5 * MINUTE, end - 1 - clock()))
      await first.store.removeExpired(clock(), 100)
      expect(await byLonger(accessToken)).toEqual(['revoked', 'revoked'])
      expect(await byLonger(other.accessToken)).toEqual(['outdated', 'outdated'])
      // This process has no tokens that live that long.
      expect(await byShorter(accessToken)).toEqual(['refresh-required', 'refresh-required'])
    }
    expect((await second.core.refresh(refreshToken, 'header', owner)).kind).toBe('unauthorized')
    await Promise.all([first.core.close(), second.core.close()])
  })
})
