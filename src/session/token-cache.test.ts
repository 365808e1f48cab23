import { describe, expect, test } from 'vitest'
import { TokenCache } from './token-cache.ts'

const HOUR = 3_600_000

/** The share of hits when `count` keys take turns, after some rounds. */
function hitsInTurn(cache: TokenCache<{ expiresAt: number }>, count: number): number {
  let hits = 0
  for (let round = 0; round < 100; round++) {
    for (let key = 0; key < count; key++) {
      if (cache.get(`${key}`) === undefined) cache.set(`${key}`, { expiresAt: HOUR }, 0)
      else if (round >= 50) hits++
    }
  }
  return hits / (50 * count)
}

describe('P-15: keys that take turns', () => {
  test.each([
    [0.5, 1], [1, 1], [1.1, 0.85], [1.5, 0.5], [2, 0.35], [3, 0.15],
  ])('%d times as many as fit: at least %d are hits', (ratio, least) => {
    const cache = new TokenCache<{ expiresAt: number }>(1000)
    expect(hitsInTurn(cache, 1000 * ratio)).toBeGreaterThanOrEqual(least)
    expect(cache.size).toBe(Math.min(1000, 1000 * ratio))
  })
})

test('never holds more than its capacity, and nothing with a capacity of 0', () => {
  for (const capacity of [0, 1, 7]) {
    const cache = new TokenCache<{ expiresAt: number }>(capacity)
    for (let key = 0; key < 100; key++) {
      cache.set(`${key % 31}`, { expiresAt: key }, key)
      expect(cache.size).toBeLessThanOrEqual(capacity)
    }
    expect(cache.size).toBe(capacity)
    cache.clear()
    expect([cache.size, cache.get('3')]).toEqual([0, undefined])
    cache.set('again', { expiresAt: 1 }, 0)
    expect(cache.size).toBe(Math.min(capacity, 1))
  }
})

test('a value that has expired is replaced at once, one of use by every fourth new key', () => {
  const cache = new TokenCache<{ expiresAt: number }>(2)
  cache.set('short', { expiresAt: 10 }, 0)
  cache.set('long', { expiresAt: 1000 }, 0)
  for (const key of ['a', 'b', 'c']) cache.set(key, { expiresAt: 1000 }, 5)
  expect(['short', 'long', 'a', 'b', 'c'].map(key => cache.get(key) !== undefined))
    .toEqual([true, true, false, false, false])
  cache.set('next', { expiresAt: 1000 }, 10)
  expect(['short', 'long', 'next'].map(key => cache.get(key) !== undefined)).toEqual([false, true, true])
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, { expiresAt: 1000 }, 20)
  expect(['long', 'next', 'c', 'd'].map(key => cache.get(key) !== undefined)).toEqual([false, true, false, true])
})

test('a key that it has keeps its value', () => {
  const cache = new TokenCache<{ expiresAt: number }>(1)
  const value = { expiresAt: 10 }
  cache.set('key', value, 0)
  cache.set('key', { expiresAt: 20 }, 0)
  expect(cache.get('key')).toBe(value)
})
