import { describe, expect, test } from 'vitest'
import { added, quantile } from './quantile.ts'
import { pointOf, POINTS, seriesNames, SeriesRing, STEP } from './series.ts'
import type { Sample } from './series.ts'
import { verificationBounds, VerificationTimes } from './verification-times.ts'

const start = STEP * 1000

function sample(at: number, logins: number, verified: number = 0): Sample {
  return {
    at, verifications: [], storeCalls: [0, 0, verified, verified], feedLag: 7, sessionsInUse: 3,
    totals: { logins, refreshes: 0, revocations: 0, thefts: 0, refusals: 0, verified, cacheHits: 0 },
  }
}

describe('CON-20: the last hour', () => {
  test('counts are per step, and what was not measured is a gap', () => {
    const ring = new SeriesRing()
    ring.add(sample(start, 5))
    ring.add(sample(start + STEP, 9))
    // The machine slept: what happened meanwhile belongs to no step.
    ring.add(sample(start + 5 * STEP, 20))
    ring.add(sample(start + 6 * STEP, 21))
    const { from, step, logins, feedLag } = ring.read(start + 6 * STEP)
    expect([from, step, logins.length]).toEqual([start + 6 * STEP - POINTS * STEP, STEP, POINTS])
    expect(logins.slice(-7)).toEqual([null, 4, null, null, null, null, 1])
    expect(feedLag.slice(-2)).toEqual([null, 7])
  })

  test('the end of an hour is where it was an hour ago, and nothing older is shown', () => {
    const ring = new SeriesRing()
    for (let step = 0; step <= POINTS + 10; step++) ring.add(sample(start + step * STEP, step))
    const { logins } = ring.read(start + (POINTS + 10) * STEP)
    expect(logins).toEqual(Array.from({ length: POINTS }, () => 1))
    expect(ring.read(start + (2 * POINTS + 10) * STEP).logins.every(each => each === null)).toBe(true)
  })

  test('a timer that is a little early or late is in its own step', () => {
    const ring = new SeriesRing()
    ring.add(sample(start + 2, 0))
    ring.add(sample(start + STEP - 3, 1))
    ring.add(sample(start + 2 * STEP + 40, 3))
    expect(ring.read(start + 2 * STEP + 50).logins.slice(-2)).toEqual([1, 2])
  })

  test('every series has a value in a point, or null', () => {
    const point = pointOf(sample(start, 0, 0), sample(start + STEP, 1, 10))
    expect(Object.keys(point ?? {}).toSorted()).toEqual([...seriesNames].toSorted())
    expect(point).toMatchObject({ verifyP50: null, sessionsInUse: 3, storeP50: expect.any(Number) })
    expect(pointOf(sample(start, 0), sample(start, 1))).toBeNull()
  })
})

describe('CON-20: quantiles of buckets', () => {
  test('lie within the bucket of their rank', () => {
    const bounds = [1, 2, 4]
    expect(quantile(bounds, [0, 0, 0, 0], 0.5)).toBeNull()
    expect(quantile(bounds, [0, 10, 10, 10], 0.5)).toBe(1.5)
    expect(quantile(bounds, [10, 10, 10, 10], 1)).toBe(1)
    expect(quantile(bounds, [0, 0, 0, 10], 0.5)).toBe(4)
    expect(quantile(bounds, [98, 98, 100, 100], 0.99)).toBe(3)
    expect(added([1, 2], [3, 5, 6])).toEqual([2, 3, 6])
  })

  test('verification times are counted once each, one of sixteen', () => {
    const times = new VerificationTimes()
    expect(Array.from({ length: 32 }, () => times.isDue()).filter(Boolean)).toHaveLength(2)
    times.since(performance.now() - 5)
    times.since(performance.now() - 60_000)
    const counts = times.read()
    expect([counts.at(-1), counts.length]).toEqual([2, verificationBounds.length + 1])
    const median = quantile(verificationBounds, counts, 0.5) ?? 0
    expect(median).toBeGreaterThan(4)
    expect(median).toBeLessThan(100)
  })
})
