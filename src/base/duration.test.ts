import { expect, test } from 'vitest'
import { duration, toMilliseconds } from './duration.ts'
import type { Duration } from './duration.ts'

test.each<[Duration, number]>([
  [90, 90_000], [0.5, 500], [0.0004, 0], ['250ms', 250], ['90s', 90_000], ['15m', 900_000], ['1.5h', 5_400_000],
  ['100d', 8_640_000_000],
])('%s is %i milliseconds', (given, milliseconds) => {
  expect(toMilliseconds(given)).toBe(milliseconds)
})

test('a rule accepts numbers of seconds, and strings with a unit, within its bounds', () => {
  const { expected, isValid } = duration(1, 86_400)
  expect(expected).toBe('a duration from 1 second to 1 day: a number of seconds, or a string such as "15m"')
  for (const value of [1, 86_400, 1.5, '1s', '1000ms', '24h', '1d']) expect(isValid(value), String(value)).toBe(true)
  const wrong = [0, 86_401, Number.NaN, Infinity, '', '90', '15 m', '15min', '-1h', '1e3s', '25h', '0s', 'h',
    '1h ', null, {}]
  for (const value of wrong) expect(isValid(value), String(value)).toBe(false)
})

test('a value that is not a duration does not compile', () => {
  // @ts-expect-error: there is no such unit
  const unit: Duration = '15min'
  // @ts-expect-error: a string needs a unit
  const none: Duration = '90'
  expect([unit, none]).toHaveLength(2)
})
