import { describe, expect, test } from 'vitest'
import { decideOffset, OFFSET_LIMIT } from './decide-offset.ts'

const MINUTE = 60_000
const now = 1_700_000_000_000

/** A sample of a store whose clock is `ahead` of this machine's, and is read `toldAfter` ms after the request. */
const sample = (ahead: number, roundTrip: number, toldAfter = roundTrip / 2) => ({
  asked: now, told: now + toldAfter + ahead, answered: now + roundTrip,
})

describe('an offset is adopted', () => {
  test.each([5 * MINUTE, -5 * MINUTE, 1100, -1100])('if the clocks are %d ms apart', ahead => {
    expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'adopt', offset: ahead })
  })

  test('in whole milliseconds, and compared with the current one', () => {
    expect(decideOffset(sample(5 * MINUTE, 3, 1), 0)).toEqual({ kind: 'adopt', offset: 5 * MINUTE })
    expect(decideOffset(sample(5 * MINUTE, 2), 5 * MINUTE)).toEqual({ kind: 'keep' })
    expect(decideOffset(sample(0, 2), 5 * MINUTE)).toEqual({ kind: 'adopt', offset: 0 })
  })

  test('from a response within the same millisecond', () => {
    expect(decideOffset(sample(5 * MINUTE, 0), 0)).toEqual({ kind: 'adopt', offset: 5 * MINUTE })
  })

  test.each([0, 2500, 5000])(
    'from a slow response, too, if the difference is large enough: the clock is read %d ms after the request',
    toldAfter => {
      const decision = decideOffset(sample(5 * MINUTE, 5000, toldAfter), 0)
      if (decision.kind !== 'adopt') throw new Error(decision.kind)
      expect(Math.abs(decision.offset - 5 * MINUTE)).toBeLessThanOrEqual(2500)
    },
  )
})

describe('the current offset is kept', () => {
  test.each([0, 500, 1000, -1000])('if the clocks are %d ms apart, as with NTP', ahead => {
    expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'keep' })
  })

  test.each([0, 4000])(
    'if a slow response may be the cause of the difference: the clock is read %d ms after the request',
    toldAfter => {
      expect(decideOffset(sample(1500, 4000, toldAfter), 0)).toEqual({ kind: 'keep' })
  })

  test('if this machine\'s clock was set back between request and response', () => {
    expect(decideOffset({ asked: now, told: now, answered: now - 5 * MINUTE }, 0)).toEqual({ kind: 'keep' })
  })

  test('if this machine\'s clock was set ahead between request and response', () => {
    expect(decideOffset({ asked: now, told: now, answered: now + 5 * MINUTE }, 0)).toEqual({ kind: 'keep' })
  })
})

test('an adopted offset never increases the error of the clock', () => {
  for (const roundTrip of [0, 10, 1000, 5000]) {
    for (let toldAfter = 0; toldAfter <= roundTrip; toldAfter += 250) {
      for (let ahead = -8000; ahead <= 8000; ahead += 250) {
        const decision = decideOffset(sample(ahead, roundTrip, toldAfter), 0)
        if (decision.kind === 'adopt') expect(Math.abs(decision.offset - ahead)).toBeLessThan(Math.abs(ahead))
      }
    }
  }
})

test.each([OFFSET_LIMIT, -OFFSET_LIMIT, 3_600_000, -now])('the clock of a store that is %d ms off is not adopted',
  ahead => {
    expect(decideOffset(sample(ahead, 2), 0)).toEqual({ kind: 'refuse', offset: ahead })
})
