import { describe, expect, test } from 'vitest'
import { SharedKeys } from '../../test/support/shared-keys.ts'
import type { StoredKey } from './key-store.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('a rotation on request', () => {
  test('V-03: returns the key that is published and not used yet again, also one of another process', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    await provider.current()
    const first = await provider.rotateNow()
    expect(first.map(({ purpose }) => purpose)).toEqual(['refresh', 'access'])
    for (const process of [provider, shared.process()]) expect(await process.rotateNow()).toEqual(first)
    expect(await shared.keys()).toHaveLength(4)
    shared.now += HOUR
    const second = await provider.rotateNow()
    expect(await shared.keys()).toHaveLength(6)
    expect(second.map(({ kid }) => kid)).not.toEqual(first.map(({ kid }) => kid))
  })

  test('V-03: creates no key if there are 32 of its purpose; rotation by age continues', async () => {
    const shared = new SharedKeys()
    const provider = shared.process()
    const countOf = async (purpose: string): Promise<number> => (
      (await shared.keys()).filter(key => key.purpose === purpose).length
    )
    for (let hour = 0; hour < 100; hour++) {
      await provider.rotateNow()
      expect((await provider.reload()).jwks('access').keys.length).toBeLessThanOrEqual(32)
      shared.now += HOUR
    }
    expect(await countOf('refresh')).toBe(32)
    expect(await countOf('access')).toBeLessThan(32)
    shared.now += 90 * DAY
    await provider.reload()
    expect(await countOf('refresh')).toBe(33)
  })
})

describe('static keys', () => {
  const keyRequests = [
    { purpose: 'access', algorithm: 'ES256' }, { purpose: 'core-static', algorithm: 'RS256' },
  ] as const
  const staticKeysOf = async (shared: SharedKeys): Promise<readonly StoredKey[]> => (
    (await shared.keys()).filter(({ purpose }) => purpose === 'core-static')
  )

  test('V-03: only a rotation that names them creates one, and it is returned again until it is used', async () => {
    const shared = new SharedKeys()
    const provider = shared.process({ keyRequests })
    await provider.current()
    for (let call = 0; call < 3; call++) await provider.rotateNow('core-static')
    expect(await staticKeysOf(shared)).toHaveLength(2)
    shared.now += HOUR
    await provider.rotateNow('core-static')
    expect(await staticKeysOf(shared)).toHaveLength(3)
    expect(await provider.rotateNow('core-dynamic'), 'a purpose that this process has no keys of').toEqual([])
  })
})
