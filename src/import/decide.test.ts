import { describe, expect, test } from 'vitest'
import { otherModeOf } from '../base/handle.ts'
import { createPolicy } from '../session/policy.ts'
import { claimOn, decideClaim, importedRecord, isOver, lifetimesOfImport } from './decide.ts'
import { timeOf } from './data/table.ts'
import { describeProgress, importProgress } from './progress.ts'
import { sampleClaim, sampleHandle } from '../testing/samples.ts'
import type { LiveForeignSession } from '../session/importer.ts'

const DAY = 86_400_000
const now = Date.UTC(2026, 5, 15)
const session: LiveForeignSession = {
  kind: 'alive', userId: 'alice', issuedAt: now - DAY, authenticatedAt: now - 2 * DAY, persistent: false,
}

test('a claim decides by itself and its session', () => {
  const claim = sampleClaim()
  const { handle } = claim
  expect(decideClaim(claim, handle, null, true)).toBe('ended')
  expect(decideClaim(claim, handle, null, false)).toBe('reused')
  expect(decideClaim(claim, handle, { generation: 0 }, true)).toBe('settle')
  expect(decideClaim(claim, handle, { generation: 1 }, true)).toBe('refresh')
  expect(decideClaim(claim, handle, { generation: 1 }, false)).toBe('reused')
  expect(decideClaim(claim, otherModeOf(handle), { generation: 0 }, true)).toBe('replayed')
  expect(decideClaim(claim, otherModeOf(handle), null, false)).toBe('reused')
})

test('a claim outlives the import, and never says that a credential is younger than now', () => {
  const claim = claimOn({ ...session, issuedAt: now + 5 }, { handle: sampleHandle(1), source: 's', kid: 'k' }, {
    until: now + DAY,
  }, now)
  expect(claim).toMatchObject({ issuedAt: now, admittedAt: now, until: now + 31 * DAY, proof: '' })
  expect(
    claimOn({ ...session, issuedAt: null }, { handle: sampleHandle(1), source: 's', kid: 'k' }, { until: now }, now)
      .issuedAt,
  ).toBe(0)
  expect([isOver({ until: now }, now - 1), isOver({ until: now }, now)]).toEqual([false, true])
})

describe('lifetimes', () => {
  const limited = createPolicy({ absoluteTimeout: '7d' })

  test('count from the login, if the session is younger than the limit', () => {
    expect(lifetimesOfImport(session, limited, now).absoluteExpiry).toBe(now + 5 * DAY)
    expect(lifetimesOfImport({ ...session, authenticatedAt: now - 8 * DAY }, limited, now).absoluteExpiry)
      .toBe(now + 7 * DAY)
    expect(lifetimesOfImport({ ...session, authenticatedAt: null }, limited, now).absoluteExpiry).toBe(now + 7 * DAY)
    expect(lifetimesOfImport({ ...session, authenticatedAt: now + DAY }, limited, now).absoluteExpiry)
      .toBe(now + 7 * DAY)
  })

  test('end with the old session, if that has a fixed end', () => {
    expect(lifetimesOfImport({ ...session, fixedEnd: now + DAY }, limited, now).absoluteExpiry).toBe(now + DAY)
    expect(lifetimesOfImport({ ...session, fixedEnd: now + 9 * DAY }, limited, now).absoluteExpiry).toBe(now + 5 * DAY)
    expect(lifetimesOfImport({ ...session, fixedEnd: now + DAY }, createPolicy({}), now).absoluteExpiry).toBe(now + DAY)
    expect(lifetimesOfImport(session, createPolicy({}), now).absoluteExpiry).toBeNull()
  })
})

test('IMP-13: the record is created now, and authenticated when the old system says, or never', () => {
  const parts = {
    handle: sampleHandle(1), refreshHash: 'r', anchorHash: 'a', refreshKeyId: 'k', jwtPayload: '{}', sessionInfo: '{}',
    client: { ip: null, userAgent: null }, lifetimes: lifetimesOfImport(session, createPolicy({}), now),
  }
  expect(importedRecord(session, parts, now)).toMatchObject({
    createdAt: now, authenticatedAt: now - 2 * DAY, generation: 0, confirmed: true, persistent: false,
    tenantId: 'public',
    expiresAt: now + 100 * DAY,
  })
  expect(importedRecord({ ...session, authenticatedAt: null }, parts, now).authenticatedAt).toBe(0)
  expect(importedRecord({ ...session, authenticatedAt: now + DAY }, parts, now).authenticatedAt).toBe(now)
})

test('IMP-10: times in every form that systems write them', () => {
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  for (const value of [
    time, BigInt(time), `${time}`, new Date(time), '2026-01-02T03:04:05.678Z', '2026-01-02 03:04:05.678',
    '2026-01-02 03:04:05.678+00',
    '2026-01-02T05:04:05.678+02:00',
  ]) expect(timeOf(value), String(value)).toBe(time)
  for (const value of [null, undefined, '', 'soon', Number.NaN, {}, new Date(Number.NaN)]) {
    expect(timeOf(value)).toBeNull()
  }
})

test('IMP-16: an import can be removed when nobody has come for a week, or at its end', () => {
  const counts = [
    { source: 'one', day: now - 9 * DAY, count: 2 }, { source: 'two', day: now - 9 * DAY, count: 3 },
    { source: 'one', day: now - 8 * DAY, count: 1 },
  ]
  expect(importProgress(counts, now)).toEqual({
    total: 6, days: [{ day: '2026-06-06', count: 5 }, { day: '2026-06-07', count: 1 }], quietDays: 7, state: 'quiet',
  })
  expect(importProgress(counts, now - 1)).toMatchObject({ quietDays: 6, state: 'running' })
  expect(importProgress(counts, now - 1, now - 1).state).toBe('over')
  expect(importProgress([], now)).toMatchObject({ total: 0, quietDays: null, state: 'none' })
  expect(describeProgress(importProgress(counts, now)))
    .toMatch(/No session has arrived for 7 days: it is safe to remove/)
})
