// The smaller rules of the console: names of devices, findings, keys, the limit of logins, the configuration.
import { describe, expect, test } from 'vitest'
import type { Health, HealthReason } from '../session/health.ts'
import type { StoredKey } from '../tokens/key-store.ts'
import { createKeyPolicy } from '../tokens/plan-rotation.ts'
import { number, secret, text, withDefault } from '../base/options.ts'
import { configurationOf } from './configuration.ts'
import { describeKeyRows } from './describe-keys.ts'
import { rowCondition, describeLineage } from './describe-session.ts'
import { deviceName } from './device-name.ts'
import { findingsOfClock, findingsOfHealth, findingsOfKeys } from './findings.ts'
import { createHandle } from '../base/handle.ts'
import { LoginLimit, networkOf } from './login-limit.ts'

const DAY = 86_400_000
const sampleHandle = createHandle('cookie', length => new Uint8Array(length))

describe('CON-23: the name of a device', () => {
  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) '
      + 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) '
      + 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 9) '
      + 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36', 'Chrome on Android'],
    ['curl/8.9.1', 'curl'], ['something else (Macintosh)', 'A program on Mac'], ['<script>alert(1)</script>', null],
    ['', null], [null, null],
  ])('%s: %s', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name)
  })
})

describe('CON-23: findings', () => {
  const health = (
    reasons: readonly HealthReason[],
    mode: 'off' | 'feed' = 'feed',
  ): Pick<Health, 'reasons' | 'feed'> => (
    { reasons, feed: { mode, state: 'following', age: 0, isStale: false, fallback: 'none' } }
  )

  test('name what is the case and the cure, the worst first', () => {
    expect(findingsOfHealth(health([]))).toEqual([])
    expect(findingsOfHealth(health(['feed-stale', 'store-unreachable'])).map(({ severity }) => severity))
      .toEqual(['error', 'warning'])
    expect(findingsOfHealth(health([], 'off'))[0]?.sentence).toContain('until they expire')
    for (const { sentence, cure } of findingsOfHealth(health(['tables-missing', 'keys-undecryptable']))) {
      expect([sentence.endsWith('.'), cure.endsWith('.')]).toEqual([true, true])
    }
  })

  test('say when the clocks of this machine and of the store are too far apart', () => {
    const found = (told: number): readonly string[] => (
      findingsOfClock({ asked: 10 * DAY, told, answered: 10 * DAY }).map(({ sentence }) => sentence)
    )
    expect(found(10 * DAY + 29 * 60_000)).toEqual([])
    expect(found(10 * DAY + 60 * 60_000)).toEqual([expect.stringContaining('60 minutes behind the store\'s')])
    expect(found(10 * DAY - 60 * 60_000)).toEqual([expect.stringContaining('60 minutes ahead of the store\'s')])
  })

  test('say when keys are not encrypted', () => {
    expect(findingsOfKeys([key('a', 0)])).toEqual([])
    expect(findingsOfKeys([key('a', 0), { ...key('b', 1), material: '{}' }])[0]).toMatchObject({
      severity: 'warning', sentence: expect.stringContaining('1 of 2 keys'),
    })
    expect(findingsOfKeys([])[0]?.severity).toBe('info')
  })
})

const key = (kid: string, activeFrom: number): StoredKey => ({
  kid, purpose: 'access', algorithm: 'ES256', createdAt: activeFrom, activeFrom, material: 'kt-enc1.x',
})

test('CON-23: keys have a state and a time at which they can be removed', () => {
  const policy = createKeyPolicy({ keyRotationInterval: 7 * DAY, idleTimeout: DAY, absoluteTimeout: null })
  const rows = describeKeyRows([key('old', 0), key('now', 5 * DAY), key('next', 12 * DAY)], policy, 6 * DAY)
  expect(rows.map(({ kid, state }) => [kid, state]))
    .toEqual([['next', 'next'], ['now', 'current'], ['old', 'previous']])
  expect(rows.map(({ removedAt }) => removedAt)).toEqual([null, 13 * DAY + 60_000, 6 * DAY + 60_000])
})

test('CON-23: the place of a refresh token is described in words', () => {
  expect(describeLineage({ generation: 0, branch: 0, confirmed: false })).toContain('not refreshed')
  expect(describeLineage({ generation: 1, branch: 0, confirmed: true })).toBe(
    'It was refreshed once. The client has certainly stored the current refresh token.')
  expect(describeLineage({ generation: 7, branch: 2, confirmed: false })).toContain('token 3')
})

test('CON-22: a filter compares as the stores do', () => {
  const session = { tenantId: 'a', client: { ip: '192.0.2.1', userAgent: 'Firefox' } } as const
  const filter = { tenantId: null, ip: null, userAgent: null }
  expect(rowCondition(filter)).toBeNull()
  const meets = (
    more: Partial<typeof filter> | { userAgent: string } | { ip: string } | { tenantId: string },
  ): boolean => {
    const condition = rowCondition({ ...filter, ...more })
    return condition?.({ ...session, handle: sampleHandle, userId: 'u', createdAt: 0, rotatedAt: 0, expiresAt: 0 })
      === true
  }
  expect([meets({ tenantId: 'a' }), meets({ tenantId: 'b' })]).toEqual([true, false])
  expect([meets({ ip: '192.0.2.1' }), meets({ ip: '192.0.2' })]).toEqual([true, false])
  expect([meets({ userAgent: 'fireFOX' }), meets({ userAgent: 'chrome' })]).toEqual([true, false])
})

describe('CON-13: the limit of logins', () => {
  test('five failures a minute of one address, sixty of all; others are not locked out', () => {
    const limit = new LoginLimit()
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(limit.wait('a', attempt * 1000)).toBe(0)
      limit.begin('a', attempt * 1000)
    }
    expect([limit.wait('a', 5000), limit.wait('b', 5000)]).toEqual([55_000, 0])
    expect(limit.wait('a', 60_000)).toBe(0)
    for (let attempt = 0; attempt < 60; attempt++) limit.begin(`c${attempt}`, 6000)
    expect(limit.wait('new', 6000)).toBe(60_000)
  })

  test('a login that succeeds forgets those before, and addresses do not pile up', () => {
    const limit = new LoginLimit()
    for (let attempt = 0; attempt < 5; attempt++) limit.begin('a', 0)
    limit.forget('a')
    expect(limit.wait('a', 0)).toBe(0)
    expect([limit.begin('x', 0), ...Array.from({ length: 9 }, () => limit.begin('x', 0))].at(-1)).toBe(false)
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'], ['::ffff:192.0.2.1', '192.0.2.1'], ['2001:db8:1:2:3::1', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2'], ['::1', '0:0:0:0'], [null, 'unknown'],
  ])('the network of %s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network)
  })
})

test('CON-23: the configuration shows what is set, and never a secret', () => {
  const rules = {
    origin: text('x'), secret: secret(text('x')), limit: withDefault(5, number(null, 1, 9)), reuse: text('x'),
  }
  expect(configurationOf(rules, { origin: 'https://a:b@c', secret: 'hidden!' }, { reuse: '30 seconds' })).toEqual([
    { name: 'origin', value: 'a string of 13 characters', isDefault: false },
    { name: 'secret', value: 'set', isDefault: false },
    { name: 'limit', value: '5', isDefault: true },
    { name: 'reuse', value: '30 seconds', isDefault: true },
  ])
})
