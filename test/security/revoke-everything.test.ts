// S-13: revokeEverySession() is as final as revokeSession, in every mode of blacklisting and in every process.
import { expect, test } from 'vitest'
import { parseHandle } from '../../src/base/handle.ts'
import { SessionNotFoundError } from '../../src/base/errors.ts'
import type { Blacklisting } from '../../src/session/core.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, login, owner, refreshed } from '../support/test-core.ts'
import type { TestCore } from '../support/test-core.ts'

const modes: readonly Blacklisting[] = ['strict', 'feed', 'off']

/** Two processes on one store that have both served a session. The first does not notify the second. */
async function twoProcesses(accessTokenBlacklisting: Blacklisting): Promise<{
  here: TestCore
  elsewhere: TestCore
  session: Awaited<ReturnType<typeof login>>
}> {
  const store = createMemoryStore()
  const here = createTestCore({ store, accessTokenBlacklisting })
  const elsewhere = createTestCore({ store, clock: here.clock })
  const session = await login(here.core)
  expect((await here.core.verify(session.accessToken)).kind).toBe('active')
  expect((await elsewhere.core.verify(session.accessToken)).kind).toBe('active')
  return { here, elsewhere, session }
}

test.each(modes)('S-13: with %s, another process can neither refresh nor read sessions once it has returned',
  async mode => {
    const { here, elsewhere, session } = await twoProcesses(mode)
    await elsewhere.core.revokeEverySession()
    const { sid, sub } = session.claims
    expect(await here.core.refresh(session.refreshToken, 'header', owner)).toMatchObject({ kind: 'unauthorized' })
    expect(await here.core.getAllSessionHandlesForUser(sub)).toEqual([])
    expect((await here.core.listSessions(sub)).sessions).toEqual([])
    await expect(here.core.getSessionInfo(sid)).rejects.toBeInstanceOf(SessionNotFoundError)
    await expect(here.core.updateSessionInfo(sid, {})).rejects.toBeInstanceOf(SessionNotFoundError)
    await expect(here.core.updateJwtPayload(sid, {})).rejects.toBeInstanceOf(SessionNotFoundError)
    expect(await here.core.revokeSession(sid)).toBe(false)
  })

test('S-13: with strict, another process rejects the access token at its next request', async () => {
  const { here, elsewhere, session } = await twoProcesses('strict')
  await elsewhere.core.revokeEverySession()
  expect((await here.core.verify(session.accessToken)).kind).not.toBe('active')
})

test('S-13: with feed, another process rejects the access token as soon as it has read the log', async () => {
  const { here, elsewhere, session } = await twoProcesses('feed')
  await elsewhere.core.revokeEverySession()
  await expect.poll(async () => (await here.core.verify(session.accessToken)).kind).not.toBe('active')
})

test.each(modes)('S-13: with %s, the process that revokes rejects the access token at once', async mode => {
  const { here, session } = await twoProcesses(mode)
  await here.core.revokeEverySession()
  expect((await here.core.verify(session.accessToken)).kind).not.toBe('active')
  expect(await here.core.refresh(session.refreshToken, 'header', owner)).toMatchObject({ kind: 'unauthorized' })
})

// With `off`, a process reads new keys within a minute. A login there, before that, is valid for that long.
test.each(modes)('S-13: with %s, a later login in the process that called it stays valid in every process',
  async mode => {
    const { here, elsewhere } = await twoProcesses(mode)
    await elsewhere.core.revokeEverySession()
    here.clock.advance(1)
    const again = await login(elsewhere.core)
    expect((await here.core.getAllSessionHandlesForUser(again.claims.sub)).map(parseHandle)).toEqual([again.claims.sid])
    const next = await refreshed(here.core, again.refreshToken)
    expect((await here.core.verify(next.accessToken)).kind).toBe('active')
  })
