import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleKeyPolicy } from '../../test/support/shared-keys.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyPurpose, StoredKey } from './key-store.ts'
import {
  createKeyPolicy, KEY_ROTATION_INTERVAL, LONGEST_ACCESS_TOKEN_LIFETIME, planEarlyRotation, planRotation,
  PUBLICATION_LEAD, retiredKeys,
} from './plan-rotation.ts'
import type { KeyRequest } from './plan-rotation.ts'
import { present } from '../../test/support/present.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const start: EpochMilliseconds = 1_800_000_000_000
const keyRequests: Readonly<Record<KeyPurpose, KeyRequest>> = {
  access: { purpose: 'access', algorithm: 'ES256' },
  refresh: { purpose: 'refresh', algorithm: 'HMAC-SHA-256' },
  'core-dynamic': { purpose: 'core-dynamic', algorithm: 'RS256' },
  'core-static': { purpose: 'core-static', algorithm: 'RS256' },
}

/** The result of one check of the keys: what it changed, and the keys afterwards. */
interface Look {
  readonly now: EpochMilliseconds
  readonly keys: readonly StoredKey[]
  readonly added: readonly StoredKey[]
  readonly removed: readonly StoredKey[]
}

/** Checks the keys after each step and carries out the plan, as all processes do together. */
function live(
  steps: readonly number[],
  early: ReadonlySet<number> = new Set(),
  rotationInterval: number = KEY_ROTATION_INTERVAL,
): readonly Look[] {
  const keyPolicy = createKeyPolicy({ ...sampleKeyPolicy, keyRotationInterval: rotationInterval })
  const looks: Look[] = []
  let keys: readonly StoredKey[] = []
  let now = start
  let number = 0
  for (const [index, step] of steps.entries()) {
    now += step
    const added: StoredKey[] = []
    const newKey = ({ purpose, algorithm }: KeyRequest, activeFrom: EpochMilliseconds): void => {
      number += 1
      const kid = String(number).padStart(16, '0')
      added.push({ kid, purpose, algorithm, createdAt: now, activeFrom, material: '' })
    }
    for (const keyRequest of Object.values(keyRequests)) {
      const plan = planRotation(keys, keyRequest, now, keyPolicy)
      if (plan.kind === 'add') newKey(keyRequest, plan.activeFrom)
      else if (early.has(index)) newKey(keyRequest, planEarlyRotation(keys, keyRequest.purpose, now).activeFrom)
    }
    const all = [...keys, ...added]
    const retired = new Set(retiredKeys(all, now, keyPolicy))
    keys = all.filter(key => !retired.has(key))
    looks.push({ now, keys, added, removed: [...retired] })
  }
  return looks
}

/** The newest key that was active at the instant, as a ring chooses it. */
function keyAt(keys: readonly StoredKey[], purpose: KeyPurpose, instant: EpochMilliseconds): StoredKey | undefined {
  return keys.filter(key => key.purpose === purpose && key.activeFrom <= instant)
    .sort((left, right) => right.activeFrom - left.activeFrom)[0]
}

const histories = fc.tuple(
  fc.array(fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 * MINUTE }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 * DAY }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 * DAY }) },
  ), { minLength: 2, maxLength: 80 }),
  fc.uniqueArray(fc.nat(79), { maxLength: 4 }),
  // From the shortest rotation interval that can be configured to the longest.
  fc.constantFrom(PUBLICATION_LEAD, DAY, KEY_ROTATION_INTERVAL, 365 * DAY),
).map(([steps, early, interval]) => live(steps, new Set(early), interval))

test('TOK-20: there is always an active key', () => {
  fc.assert(fc.property(histories, looks => {
    for (const { now, keys } of looks) {
      expect(keyAt(keys, 'access', now)).toBeDefined()
      expect(keyAt(keys, 'refresh', now)).toBeDefined()
    }
  }))
})

test('TOK-20: every key but the first is published before its first use, by the publication lead', () => {
  fc.assert(fc.property(histories, ([first, ...looks]) => {
    for (const { activeFrom } of first?.added ?? []) expect(activeFrom).toBe(first?.now)
    for (const { now, added } of looks) {
      for (const { activeFrom } of added) expect(activeFrom).toBeGreaterThanOrEqual(now + PUBLICATION_LEAD)
    }
  }))
})

test('TOK-20: no key is removed before the last token that it signed has expired', () => {
  fc.assert(fc.property(histories, looks => {
    for (const [index, { now, removed }] of looks.entries()) {
      for (const key of removed) {
        const lastSigned = looks.slice(0, index).findLast(look => (
          keyAt(look.keys, key.purpose, look.now)?.kid === key.kid
        ))?.now ?? -Infinity
        // A session that was last refreshed with this key can be idle for 400 days.
        const life = key.purpose === 'refresh' ? 400 * DAY : LONGEST_ACCESS_TOKEN_LIFETIME
        expect(lastSigned + life).toBeLessThanOrEqual(now)
      }
    }
  }))
})

test('all processes that have read the keys within the publication lead choose the same key', () => {
  fc.assert(fc.property(histories, looks => {
    for (const [index, earlier] of looks.entries()) {
      for (const later of looks.slice(index)) {
        if (later.now >= earlier.now + PUBLICATION_LEAD) break
        for (const instant of [earlier.now, later.now]) {
          for (const purpose of ['access', 'refresh', 'core-dynamic', 'core-static'] as const) {
            const picked = keyAt(later.keys, purpose, instant)
            expect(keyAt(earlier.keys, purpose, instant)?.kid).toBe(picked?.kid)
          }
        }
      }
    }
  }), { numRuns: 50 })
})

test('signing keys change weekly, refresh keys every 90 days, and old keys are removed', () => {
  const looks = live(Array.from({ length: 400 * 24 }, () => DAY / 24))
  const added = looks.flatMap(look => look.added)
  expect(added.filter(key => key.purpose === 'access').length).toBe(58)
  expect(added.filter(key => key.purpose === 'refresh').length).toBe(5)
  expect(Math.max(...looks.map(look => look.keys.filter(key => key.purpose === 'access').length))).toBe(2)
})

test('TOK-20: with hourly rotation, the keys of one day are kept, and no more', () => {
  const looks = live(Array.from({ length: 30 * 60 }, () => 2 * MINUTE), new Set(), PUBLICATION_LEAD)
  const active = looks.flatMap(look => look.added).filter(key => key.purpose === 'access')
  expect(active.length).toBeGreaterThan(57)
  expect(Math.max(...looks.map(look => look.keys.filter(key => key.purpose === 'access').length))).toBeLessThan(28)
})

test('a key of another algorithm is added at once, but two configurations do not add keys alternately', () => {
  const key: StoredKey = {
    kid: 'A'.repeat(16), purpose: 'access', algorithm: 'ES256', createdAt: start, activeFrom: start, material: '',
  }
  const keyRequest = { purpose: 'access', algorithm: 'EdDSA' } as const
  const keyPolicy = createKeyPolicy(sampleKeyPolicy)
  const plan = planRotation([key], keyRequest, start + MINUTE, keyPolicy)
  expect(plan).toEqual({ kind: 'add', activeFrom: start + MINUTE + PUBLICATION_LEAD, newest: key.kid })
  if (plan.kind !== 'add') return
  const next: StoredKey = { ...key, kid: 'B'.repeat(16), algorithm: 'EdDSA', activeFrom: plan.activeFrom }
  expect(planRotation([key, next], keyRequests.access, start + 2 * MINUTE, keyPolicy)).toEqual({ kind: 'keep' })
  expect(planRotation([key, next], keyRequest, plan.activeFrom + MINUTE, keyPolicy)).toEqual({ kind: 'keep' })
})

test('a key that is added early is always newer than every other', () => {
  const key: StoredKey = {
    kid: 'A'.repeat(16), purpose: 'access', algorithm: 'ES256', createdAt: start, activeFrom: start + DAY, material: '',
  }
  expect(planEarlyRotation([key], 'access', start)).toEqual({ activeFrom: start + DAY + 1, newest: key.kid })
  expect(planEarlyRotation([key], 'refresh', start)).toEqual({ activeFrom: start, newest: null })
})

test('static keys are never replaced because of their age, nor removed', () => {
  fc.assert(fc.property(histories, looks => {
    for (const { removed } of looks) expect(removed.filter(key => key.purpose === 'core-static')).toEqual([])
  }))
  expect(present(live([0, 4000 * DAY]).at(-1)).added.filter(key => key.purpose === 'core-static')).toEqual([])
})
