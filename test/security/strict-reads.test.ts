import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createTestCore, login, SECOND, settle } from '../support/test-core.ts'

/** A store whose answers to `find` are on the way until the test delivers them. */
function slowStore(): { readonly store: SessionStore; readonly finds: (() => void)[] } {
  const inner = createMemoryStore()
  const finds: (() => void)[] = []
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (name !== 'find' || typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const found: unknown = await Reflect.apply(value, target, args)
        await new Promise<void>(resolve => finds.push(resolve))
        return found
      }
    },
  })
  return { store, finds }
}

describe('REV-02: with strict, while the store is slow', () => {
  test('a request after a revocation is not answered with what the store said before it', async () => {
    const { store, finds } = slowStore()
    const { core } = createTestCore({ store, accessTokenBlacklisting: 'strict' })
    const { accessToken, claims } = await login(core)
    const before = core.verify(accessToken)
    await settle()
    expect(finds).toHaveLength(1)
    await core.revokeSession(claims.sid)
    const after = [core.verify(accessToken), core.verify(accessToken)]
    await settle()
    finds[0]?.()
    expect((await before).kind).toBe('active')
    await settle()
    expect(finds, 'both wait for the same answer').toHaveLength(2)
    finds[1]?.()
    expect((await Promise.all(after)).map(({ kind }) => kind)).toEqual(['revoked', 'revoked'])
  })
})

test('a JWT payload that was replaced is not served from a read that began before', async () => {
  const { store, finds } = slowStore()
  const { core, clock } = createTestCore({ store, maxStaleness: 5 })
  const { accessToken, claims } = await login(core)
  await core.verify(accessToken)
  clock.advance(6 * SECOND)
  const before = core.verify(accessToken)
  await settle()
  await core.updateJwtPayload(claims.sid, { role: 'new' })
  const after = core.verify(accessToken)
  await settle()
  for (const deliver of finds.splice(0)) deliver()
  await before
  await settle()
  for (const deliver of finds.splice(0)) deliver()
  expect(await after).toMatchObject({ kind: 'active', payload: { role: 'new' } })
})
