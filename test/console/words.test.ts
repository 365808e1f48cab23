import { describe, expect, test } from 'vitest'
import { hrefOf, parseRoute } from '../../console/src/base/address.ts'
import { diff, format, parse } from '../../console/src/base/json-text.ts'
import { filterFrom, searchHref } from '../../console/src/base/search.ts'
import { count, lasting, list, measured, relative, shorten, span, visible } from '../../console/src/base/words.ts'

const minute = 60_000
const now = Date.UTC(2026, 10, 30, 12)

describe('the console’s words', () => {
  test.each([
    [now, 'just now'], [now - 59_000, 'just now'], [now - minute, '1 minute ago'], [now - 90 * minute, '1 hour ago'],
    [now + 30_000, 'in less than a minute'], [now + 3 * 24 * 60 * minute, 'in 3 days'],
    [now - 400 * 24 * 60 * minute, '1 year ago'],
  ])('say when something was or will be: %d', (at, words) => {
    expect(relative(at, now)).toBe(words)
  })

  test.each([
    [0, '0 ms'], [0.4211, '0.42 ms'], [900_000, '15 minutes'], [5_400_000, '1 hour 30 minutes'],
    [86_400_000 * 100, '100 days'], [86_400_000 + 5000, '1 day'], [1000, '1 second'],
  ])('say how long something takes: %d', (milliseconds, words) => {
    expect(span(milliseconds)).toBe(words)
  })

  test('say how long something has lasted', () => {
    expect(lasting(now - 26 * 60 * minute, now)).toBe('for 1 day')
    expect(lasting(now - 1000, now)).toBe('for less than a minute')
  })

  test('count', () => {
    expect([count(1, 'session'), count(0, 'session'), count(10_000, 'session'), count(2, 'refresh', 'refreshes')])
      .toEqual(['1 session', '0 sessions', '10,000 sessions', '2 refreshes'])
    expect([list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual(['a', 'a and b', 'a, b and c'])
    expect([0, 0.01234, 12.345, 1234.5].map(measured)).toEqual(['0', '0.012', '12.3', '1,235'])
  })

  test('shorten in the middle, by characters', () => {
    expect(shorten('cAAAAAAAAAAAAAAAAAAAAAA')).toBe('cAAAAAAA…AAAAAA')
    expect(shorten('short')).toBe('short')
    expect(shorten('😀'.repeat(40), 3, 2)).toBe('😀😀😀…😀😀')
  })
})

test('a text that cannot be seen is named', () => {
  expect(['\u200B', ' \u202E', '', 'ada', 'a\u202E', '😀'].map(visible))
    .toEqual(['(U+200B)', '(U+0020 U+202E)', '(empty)', 'ada', 'a\u202E', '😀'])
})

describe('the console’s addresses', () => {
  const userIds = ['ada', 'a/b?c#d%25', 'ليلى بنت أحمد', '<b>', '\u202E', ' ', '..', '%']

  test.each(userIds)('hold any user id: %j', userId => {
    expect(parseRoute(hrefOf(['users', userId])).path).toEqual(['users', userId])
  })

  test('hold filters, and leave out what is not set', () => {
    const href = hrefOf(['sessions'], { user: 'a&b=c', tenant: '', ip: null })
    expect(href).toBe('#/sessions?user=a%26b%3Dc')
    expect(filterFrom(parseRoute(href).query)).toEqual({ user: 'a&b=c', tenant: '', ip: '', device: '' })
  })

  test('that were mistyped do not fail', () => {
    expect(parseRoute('#/users/%E0%A4%A').path).toEqual(['users', '%E0%A4%A'])
  })

  test.each([
    ['cAAAAAAAAAAAAAAAAAAAAAA', '#/sessions/cAAAAAAAAAAAAAAAAAAAAAA'],
    ['203.0.113.7', '#/sessions?ip=203.0.113.7'],
    ['2001:db8::1', '#/sessions?ip=2001%3Adb8%3A%3A1'],
    [' ada@example.com ', '#/sessions?user=ada%40example.com'],
    ['tenant:ada', '#/sessions?user=tenant%3Aada'],
  ])('of what is searched: %s', (text, href) => {
    expect(searchHref(text)).toBe(href)
  })
})

describe('edited data', () => {
  test.each([
    ['[1]', 'received an array'], ['null', 'received null'], ['"x"', 'received a string'], ['3', 'received a number'],
    ['{', 'This is not JSON'], ['', 'This is not JSON'],
  ])('must be a JSON object: %s', (text, words) => {
    expect(parse(text)).toEqual({ problem: expect.stringContaining(words) })
  })

  test('is read as it was written', () => {
    const value = { plan: 'pro', roles: ['admin'], nested: { on: true, none: null } }
    expect(parse(format(value))).toEqual({ value })
  })

  test('is compared line by line', () => {
    const marked = (text: string, other: string): string[] => (
      diff(text, other).map(line => `${line.isOwn ? '*' : ' '}${line.text}`)
    )
    expect(marked('a\nb\nc', 'a\nx\nc')).toEqual([' a', '*b', ' c'])
    expect(marked('a\nx\nc', 'a\nb\nc')).toEqual([' a', '*x', ' c'])
    expect(marked('a\nb', 'a\nb')).toEqual([' a', ' b'])
    expect(marked('new\na', 'a\nb')).toEqual(['*new', ' a'])
    expect(marked('a', '')).toEqual(['*a'])
  })
})
