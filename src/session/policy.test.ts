import { describe, expect, test } from 'vitest'
import { encodeBase64url } from '../base/base64url.ts'
import {
  accessTokenExpiry, changeStart, createPolicy, exactLifetimes, expiryOf, isActive, jitteredLifetime, lifetimesOf,
  activeBounds,
} from './policy.ts'

test('the defaults: one hour, 100 days, 30 seconds', () => {
  expect(createPolicy({})).toMatchObject({
    accessTokenLifetime: 3_600_000,
    accessTokenJitter: 0.2,
    idleTimeout: 8_640_000_000,
    absoluteTimeout: null,
    reuseInterval: 30_000,
    blacklisting: 'feed',
    onStoreFailure: 'failOpen',
    theft: 'revoke',
    sharedRefresh: 'observe',
    keyRotationInterval: 7 * 86_400_000,
  })
})

test('the reuse interval is never more than a fifth of the access token\'s lifetime', () => {
  expect(createPolicy({ accessTokenLifetime: 60 }).reuseInterval).toBe(12_000)
  expect(createPolicy({ accessTokenLifetime: 150 }).reuseInterval).toBe(30_000)
  expect(createPolicy({ accessTokenLifetime: 60, reuseInterval: 12 }).reuseInterval).toBe(12_000)
  expect(createPolicy({ reuseInterval: 0 }).reuseInterval).toBe(0)
  expect(() => createPolicy({ accessTokenLifetime: 60, reuseInterval: 13 }))
    .toThrow('reuseInterval must be at most 12 seconds, a fifth of accessTokenLifetime')
})

test.each([
  ['accessTokenLifetime', 0], ['accessTokenLifetime', 86_401], ['accessTokenLifetime', Number.NaN],
  ['idleTimeout', 401 * 86_400], ['idleTimeout', -1], ['absoluteTimeout', 0],
  ['reuseInterval', -1], ['reuseInterval', 721], ['keyRotationInterval', 3599], ['keyRotationInterval', 366 * 86_400],
  ['maxSessionsPerUser', 2.5],
  ['maxSessionsPerUser', 0], ['maxStaleness', Number.POSITIVE_INFINITY],
])('%s may not be %d', (name, value) => {
  expect(() => createPolicy({ [name]: value })).toThrow(name)
})

test('a change is kept for longer than any access token that it concerns', () => {
  expect(changeStart(1000)).toBeGreaterThan(1000)
})

test('an access token\'s lifetime is shortened by up to a fifth, as a hash has it, never below a minute', () => {
  const lived = (accessTokenLifetime: number, byte: number, options = {}): number => (
    jitteredLifetime({ accessTokenLifetime, refreshHash: encodeBase64url(Uint8Array.of(byte, 1, 2)) },
      createPolicy(options))
  )
  expect([0, 51, 255].map(byte => lived(100_000, byte))).toEqual([100_000, 96_000, 80_000])
  expect([0, 51, 255].map(byte => lived(61_000, byte))).toEqual([61_000, 60_000, 60_000])
  expect(lived(30_000, 255)).toBe(30_000)
  expect(lived(100_000, 255, { [exactLifetimes]: true })).toBe(100_000)
})

test.each([
  ['after its lifetime, rounded down', 10_900, 5000, 99_000, 15],
  ['no later than its session', 10_900, 5000, 12_000, 12],
  ['a second after it was issued at the earliest', 10_900, 5000, 10_950, 11],
])('an access token ends %s', (_, now, lifetime, expiresAt, expiry) => {
  expect(accessTokenExpiry(now, lifetime, { expiresAt })).toBe(expiry)
})

describe('the lifetimes of one session (REV-05)', () => {
  const policy = createPolicy({ idleTimeout: 1000, absoluteTimeout: 5000, accessTokenLifetime: 100 })

  test('are those of the policy by default', () => {
    expect(lifetimesOf({}, policy, 7)).toEqual({
      idleTimeout: 1_000_000, accessTokenLifetime: 100_000, reuseInterval: 20_000, absoluteExpiry: 5_000_007,
    })
  })

  test('can be shorter, never longer', () => {
    expect(lifetimesOf({ idleTimeout: 10, absoluteTimeout: 20, accessTokenLifetime: 5 }, policy, 0))
      .toEqual({ idleTimeout: 10_000, accessTokenLifetime: 5000, reuseInterval: 1000, absoluteExpiry: 20_000 })
    expect(lifetimesOf({ idleTimeout: 2000, absoluteTimeout: 9000, accessTokenLifetime: 200 }, policy, 0))
      .toEqual({
        idleTimeout: 1_000_000, accessTokenLifetime: 100_000, reuseInterval: 20_000, absoluteExpiry: 5_000_000,
      })
  })

  test('a login can set an absolute timeout if the policy has none', () => {
    expect(lifetimesOf({ absoluteTimeout: 60 }, createPolicy({}), 1).absoluteExpiry).toBe(60_001)
    expect(lifetimesOf({}, createPolicy({}), 1).absoluteExpiry).toBeNull()
  })

  test('are whole milliseconds, even if fractions of a second are passed', () => {
    const odd = createPolicy({ accessTokenLifetime: 100 / 7, idleTimeout: 86_400 / 7, absoluteTimeout: 1e6 / 7 })
    const asked = lifetimesOf({ accessTokenLifetime: 10 / 7, idleTimeout: 20 / 7, absoluteTimeout: 30 / 7 }, odd, 1000)
    const bounds = activeBounds(1e12, odd)
    for (const value of [...Object.values(asked), ...Object.values(bounds), odd.accessTokenLifetime]) {
      expect(value).toSatisfy(Number.isSafeInteger)
    }
  })

  test('the earlier of idle timeout and absolute timeout counts', () => {
    expect(expiryOf(100, { idleTimeout: 50, absoluteExpiry: null })).toBe(150)
    expect(expiryOf(100, { idleTimeout: 50, absoluteExpiry: 120 })).toBe(120)
  })

  test('lowering a limit of the policy ends active sessions, to the millisecond', () => {
    const session = { createdAt: 1000, rotatedAt: 4000, expiresAt: 99_999_999 }
    const alive = (options: Parameters<typeof createPolicy>[0], now: number): boolean =>
      isActive(session, activeBounds(now, createPolicy(options)))
    expect(alive({ idleTimeout: 10 }, 13_999)).toBe(true)
    expect(alive({ idleTimeout: 10 }, 14_000)).toBe(false)
    expect(alive({ absoluteTimeout: 10 }, 10_999)).toBe(true)
    expect(alive({ absoluteTimeout: 10 }, 11_000)).toBe(false)
    expect(alive({}, 99_999_998)).toBe(true)
    expect(alive({}, 99_999_999)).toBe(false)
  })
})
