import { checkValue, number } from '../base/options.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'

/** A clock that stands still until the test moves it. Pass it as the option `clock`. */
export interface FakeClock {
  /** The current time of the clock, in milliseconds since 1970. */
  (): EpochMilliseconds
  /** Moves the clock forward, in milliseconds. */
  advance(by: Milliseconds): void
}

const startRule = number('milliseconds', 0, 8_640_000_000_000_000)

/** Creates a clock that shows `start`, by default 2026-01-01T00:00:00Z, until it is moved. */
export function createFakeClock(start: EpochMilliseconds = Date.UTC(2026, 0, 1)): FakeClock {
  checkValue('start', startRule, start)
  let now = start
  return Object.assign(() => now, {
    advance(by: Milliseconds) {
      now += by
    },
  })
}
