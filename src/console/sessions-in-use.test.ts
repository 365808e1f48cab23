import { expect, test } from 'vitest'
import { createHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { TokenCache } from '../session/token-cache.ts'
import type { VerifiedToken } from '../session/token-cache.ts'
import { countSessionsInUse } from './sessions-in-use.ts'
import type { CountedEngine } from './sessions-in-use.ts'

const handleOf = (number: number): SessionHandle => createHandle('header', length => (
  Uint8Array.from({ length }, (_, place) => place < 4 ? number >> 8 * place & 255 : 0)))
const tokenOf = (session: number, expiresAt: number): VerifiedToken => (
  { expiresAt, active: { claims: { sid: handleOf(session) } } }
)
const engineOf = (capacity: number, now: number, ...caches: readonly TokenCache<VerifiedToken>[]): CountedEngine => ({
  caches: new Set(caches), clock: () => now, policy: { tokenCacheSize: capacity },
  feed: { isRevoked: handle => handle === handleOf(99) },
})

test('CON-20: a session is in use once, in all caches together, while its token is valid and it is not revoked', () => {
  const [one, other] = [new TokenCache<VerifiedToken>(10), new TokenCache<VerifiedToken>(10)]
  one.set('a', tokenOf(1, 100), 0)
  one.set('b', tokenOf(1, 200), 0)
  one.set('c', tokenOf(2, 100), 0)
  one.set('d', tokenOf(99, 200), 0)
  other.set('e', tokenOf(1, 200), 0)
  other.set('f', tokenOf(3, 200), 0)
  expect(countSessionsInUse(engineOf(10, 99, one, other))).toEqual({ count: 3, isAtLeast: false })
  expect(countSessionsInUse(engineOf(10, 100, one, other))).toEqual({ count: 2, isAtLeast: false })
})

test('CON-20: there may be more, while a token that did not fit is valid', () => {
  const cache = new TokenCache<VerifiedToken>(1)
  cache.set('a', tokenOf(1, 100), 0)
  expect(countSessionsInUse(engineOf(1, 0, cache))).toEqual({ count: 1, isAtLeast: false })
  cache.set('b', tokenOf(2, 150), 0)
  expect(countSessionsInUse(engineOf(1, 0, cache))).toEqual({ count: 1, isAtLeast: true })
  expect(countSessionsInUse(engineOf(1, 150, cache))).toEqual({ count: 0, isAtLeast: false })
  // A key ring that has changed: tokens are verified anew when they are used.
  const emptied = new TokenCache<VerifiedToken>(10)
  emptied.set('a', tokenOf(1, 100), 0)
  emptied.clear()
  expect(countSessionsInUse(engineOf(10, 99, emptied))).toEqual({ count: 0, isAtLeast: true })
})

test('CON-20: no more than 20,000 tokens are looked at, and without a cache nothing is known', () => {
  const cache = new TokenCache<VerifiedToken>(20_001)
  const token = tokenOf(1, 100)
  for (let index = 0; index < 20_000; index++) cache.set(String(index), token, 0)
  expect(countSessionsInUse(engineOf(20_001, 0, cache))).toEqual({ count: 1, isAtLeast: false })
  cache.set('last', tokenOf(2, 100), 0)
  expect(countSessionsInUse(engineOf(20_001, 0, cache))).toEqual({ count: 1, isAtLeast: true })
  expect(countSessionsInUse(engineOf(0, 0, cache))).toBeNull()
})
