import { expect, test } from 'vitest'
import { createTestCore, login, owner } from '../support/test-core.ts'

const unfit: readonly [string, unknown][] = [
  ['half of a surrogate pair', 'a\ud800'], ['U+0000', 'a\0b'], ['256 characters', 'u'.repeat(256)], ['none', ''],
  ['undefined', undefined], ['an object', { $ne: null }],
]

test.each(unfit)('S-14: every method that takes a user id rejects an invalid one without a store call: %s',
  async (_, id) => {
    const { core, takeCalls } = createTestCore()
    const userId = id as string
    const calls = [
      () => core.create({ userId, mode: 'header', client: owner }),
      () => core.revokeAllSessionsForUser(userId),
      () => core.listSessions(userId),
      () => core.getAllSessionHandlesForUser(userId),
    ]
    const messages = new Set<string>()
    for (const call of calls) {
      const error: unknown = await call().then(() => null, (failure: unknown) => failure)
      expect(error).toMatchObject({ code: 'INVALID_DATA' })
      messages.add((error as Error).message)
    }
    expect([...messages]).toEqual([expect.stringContaining('the user id must be a string of 1 to 255 characters')])
    expect(takeCalls()).toEqual([])
  })

test('S-14: ids that would be equal in UTF-8 do not revoke sessions of other users', async () => {
  const { core } = createTestCore()
  const { claims } = await login(core, 'a\ufffd')
  await expect(core.revokeAllSessionsForUser('a\ud800')).rejects.toMatchObject({ code: 'INVALID_DATA' })
  expect(await core.getAllSessionHandlesForUser('a\ufffd')).toEqual([claims.sid])
})

test('S-14: a user id of 255 characters with emoji is the same in the store, in tokens and in lists', async () => {
  const { core } = createTestCore()
  const userId = `${'\u4f60'.repeat(253)}🗝`
  const { claims, accessToken } = await login(core, userId, { options: { tenantId: 'acme-2' } })
  expect(claims).toMatchObject({ sub: userId, tid: 'acme-2' })
  expect(await core.verify(accessToken)).toMatchObject({ kind: 'active', claims: { sub: userId } })
  expect((await core.listSessions(userId)).sessions).toEqual([expect.objectContaining({ userId, handle: claims.sid })])
  expect(await core.revokeAllSessionsForUser(userId)).toEqual([claims.sid])
})

test('S-14: a login with an invalid tenant id fails', async () => {
  const { core, takeCalls } = createTestCore()
  for (const tenantId of ['Acme', 'a/b', '', 'a'.repeat(65), 'a\n', '\ud800', 'a\0', 7, ['acme']]) {
    await expect(login(core, 'alice', { options: { tenantId: tenantId as string } }))
      .rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining('the tenant id must be') })
  }
  expect(takeCalls()).toEqual([])
})

test('S-14: half surrogate pairs and U+0000 in claims and session data are stored unchanged', async () => {
  const { core } = createTestCore()
  const text = 'a\ud800\0\udfff'
  const { accessToken, claims } = await login(core, 'alice', {
    jwtPayload: { role: text },
    sessionInfo: { note: text },
  })
  expect(await core.verify(accessToken)).toMatchObject({ kind: 'active', payload: { role: text } })
  expect(await core.getSessionInfo(claims.sid)).toEqual({ note: text })
})
