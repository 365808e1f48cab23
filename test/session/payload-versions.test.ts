// Replacing the JWT payload only if it still has the version that somebody saw.
import { expect, test } from 'vitest'
import { createTestCore, login } from '../support/test-core.ts'

test('CON-16: the payload is replaced if it still has the version, and all processes learn of it', async () => {
  const { core, store } = createTestCore()
  const { claims: { sid } } = await login(core)
  const version = async (): Promise<number> => (await core.getStoredSession(sid)).record.payloadVersion
  const seen = await version()
  expect(await core.updateJwtPayloadIf(seen, sid, { role: 'a' })).toBe(true)
  expect([await version(), (await core.getStoredSession(sid)).jwtPayload]).toEqual([seen + 1, { role: 'a' }])
  expect(await core.updateJwtPayloadIf(seen, sid, { role: 'b' })).toBe(false)
  expect((await core.getStoredSession(sid)).jwtPayload).toEqual({ role: 'a' })
  const { changes } = await store.changesSince(null, 10)
  expect(changes.filter(({ kind }) => kind === 'payload')).toMatchObject([{ handle: sid, version: seen + 1 }])
})

test('CON-16: an equal payload is not written, and an invalid one is refused', async () => {
  const { core } = createTestCore()
  const { claims: { sid } } = await login(core)
  const { record, jwtPayload } = await core.getStoredSession(sid)
  expect(await core.updateJwtPayloadIf(record.payloadVersion, sid, { ...jwtPayload })).toBe(true)
  expect((await core.getStoredSession(sid)).record.payloadVersion).toBe(record.payloadVersion)
  await expect(core.updateJwtPayloadIf(record.payloadVersion, sid, Object.fromEntries([['sub', 'root']])))
    .rejects.toMatchObject({ code: 'INVALID_DATA' })
  await core.revokeSession(sid)
  await expect(core.updateJwtPayloadIf(record.payloadVersion, sid, {}))
    .rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
})
