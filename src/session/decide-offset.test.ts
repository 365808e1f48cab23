import { describe, expect, test } from 'vitest'
import { decideOffset, OFFSET_LIMIT } from './decide-offset.ts'

const MINUTE = 60_000
const now = 1_700_000_000_000

/** A sample of a store whose clock is `ahead` of this machine's, told at a moment of a round trip. */
const sample = (ahead: number, roundTrip: number, toldAfter = roundTrip / 2) => ({
  asked: now, told: now + toldAfter + ahead, answered: now + roundTrip,
})

describe('an offset is adopted', () => {
  test.each([5 * MINUTE, -5 * MINUTE, 1100, -1100])('if the clocks are %d ms apart', ahead => {
    expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'adopt', offset: ahead })
  })

  test('in whole milliseconds, and measured against the one in use', () => {
    expect(decideOffset(sample(5 * MINUTE, 3, 1), 0)).toEqual({ kind: 'adopt', offset: 5 * MINUTE })
    expect(decideOffset(sample(5 * MINUTE, 2), 5 * MINUTE)).toEqual({ kind: 'keep' })
    expect(decideOffset(sample(0, 2), 5 * MINUTE)).toEqual({ kind: 'adopt', offset: 0 })
  })

  test.each([0, 2500, 5000])('from a slow answer, too, if it proves much: told %d ms after the question', toldAfter => {
    const decision = decideOffset(sample(5 * MINUTE, 5000, toldAfter), 0)
    if (decision.kind !== 'adopt') throw new Error(decision.kind)
    expect(Math.abs(decision.offset - 5 * MINUTE)).toBeLessThanOrEqual(2500)
  })
})

describe('the offset in use is kept', () => {
  test.each([0, 500, 1000, -1000])('if the clocks are %d ms apart, as those of machines are that a time service keeps', ahead => {
    expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'keep' })
  })

  test.each([0, 4000])('if a slow answer may be to blame for the difference: told %d ms after the question', toldAfter => {
    expect(decideOffset(sample(1500, 4000, toldAfter), 0)).toEqual({ kind: 'keep' })
  })

  test('if this machine\'s clock was set back meanwhile', () => {
    expect(decideOffset({ asked: now, told: now, answered: now - 5 * MINUTE }, 0)).toEqual({ kind: 'keep' })
  })

  test('if this machine\'s clock was set ahead meanwhile', () => {
    expect(decideOffset({ asked: now, told: now, answered: now + 5 * MINUTE }, 0)).toEqual({ kind: 'keep' })
  })
})

test('no adoption makes the clock worse than it was', () => {
  for (const roundTrip of [0, 10, 1000, 5000]) {
    for (let toldAfter = 0; toldAfter <= roundTrip; toldAfter += 250) {
      for (let ahead = -8000; ahead <= 8000; ahead += 250) {
        const decision = decideOffset(sample(ahead, roundTrip, toldAfter), 0)
        if (decision.kind === 'adopt') expect(Math.abs(decision.offset - ahead)).toBeLessThan(Math.abs(ahead))
      }
    }
  }
})

test.each([OFFSET_LIMIT, -OFFSET_LIMIT, 3_600_000, -now])('a store that is %d ms away is not followed', ahead => {
  expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'refuse', offset: ahead })
})
