import { describe, expect, test } from 'vitest'
import { webCrypto } from '../../src/platform/web-crypto.ts'
import type { Blacklisting } from '../../src/session/core.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createTestCore, login, SECOND } from '../support/test-core.ts'
import type { Core } from '../support/test-core.ts'

/** The kind of what a synchronous verification returns, or null if it leaves the token to `verify`. */
const kindOf = (core: Core, token: string, blacklisting?: Blacklisting): unknown => (
  core.verifyNow(token, blacklisting === undefined ? {} : { blacklisting })?.kind ?? null
)

describe('a token is verified synchronously only where the store is not needed', () => {
  test.each(['strict', 'feed', 'off'] as const)('blacklisting %s, and that of one call', async (blacklisting) => {
    const { core, takeCalls } = createTestCore({ accessTokenBlacklisting: blacklisting })
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    takeCalls()
    expect(kindOf(core, accessToken)).toBe(blacklisting === 'strict' ? null : 'active')
    expect(kindOf(core, accessToken, 'strict')).toBeNull()
    expect(kindOf(core, accessToken, 'off')).toBe('active')
    expect(takeCalls()).toEqual([])
  })

  test('with strict, a session that another process has just revoked is refused', async () => {
    const store = createMemoryStore()
    const [here, elsewhere] = [createTestCore({ store, accessTokenBlacklisting: 'strict' }), createTestCore({ store })]
    const { accessToken, claims } = await login(here.core)
    expect((await here.core.verify(accessToken)).kind).toBe('active')
    await elsewhere.core.revokeSession(claims.sid)
    expect(kindOf(here.core, accessToken)).toBeNull()
    expect((await here.core.verify(accessToken)).kind).toBe('revoked')
  })

  test('with feed, not while the feed is stale, in the cache or not', async () => {
    const { core, clock } = createTestCore({ accessTokenBlacklisting: 'feed', maxStaleness: 5 })
    const [first, second] = [await login(core), await login(core)]
    await core.verify(first.accessToken)
    expect(kindOf(core, first.accessToken)).toBe('active')
    clock.advance(6 * SECOND)
    expect(kindOf(core, first.accessToken)).toBeNull()
    expect(kindOf(core, second.accessToken)).toBeNull()
    expect(kindOf(core, first.accessToken, 'off')).toBe('active')
  })

  test('not with asynchronous cryptography, whether the token is in the cache or not', async () => {
    for (const tokenCacheSize of [0, 100]) {
      const { core } = createTestCore({ accessTokenBlacklisting: 'off', crypto: webCrypto, tokenCacheSize })
      const { accessToken } = await login(core)
      expect(kindOf(core, accessToken)).toBeNull()
      expect((await core.verify(accessToken)).kind).toBe('active')
      expect(kindOf(core, accessToken)).toBeNull()
    }
  })

  test('without a cache, too', async () => {
    const { core } = createTestCore({ accessTokenBlacklisting: 'off', tokenCacheSize: 0 })
    const { accessToken } = await login(core)
    await core.verify(accessToken)
    for (let time = 0; time < 2; time++) expect(kindOf(core, accessToken)).toBe('active')
  })
})

test('DOS-01: a token that is too long is unrecognized at once', async () => {
  const { core } = createTestCore({ accessTokenBlacklisting: 'off' })
  const { accessToken } = await login(core)
  await core.verify(accessToken)
  expect(kindOf(core, `${accessToken}${'A'.repeat(10_000)}`)).toBe('unrecognized')
  expect(kindOf(core, 'x'.repeat(10_000), 'strict')).toBe('unrecognized')
})
