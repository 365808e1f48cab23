import { describe, expect, test } from 'vitest'
import { ageOf, see } from './age.ts'
import { stateAfter } from './server-reply.ts'
import { decideAfterRefusal, decideUnderLock, delayAhead, judgeRefresh, pauseAfter, retryDelay } from './decide.ts'
import { lifetimeOf, readFrontToken } from './front-token.ts'
import { newer, parseState } from './session-state.ts'
import type { SessionState } from './session-state.ts'

const NOW = Date.UTC(2026, 0, 1)

function front(uid: string, serial: number, ate = NOW + 60_000): string {
  return btoa(JSON.stringify({ uid, ate, up: { sid: uid, iat: NOW / 1000, jti: serial } }))
}

const [first, second] = [front('ada', 1), front('ada', 2)]
const record = (front: string | null, at = NOW): SessionState => ({ at, received: at, front, refreshToken: 'r' })
const none = record(null)

describe('a refused request', () => {
  test.each([
    ['is refreshed for with the token that was refused', record(first), record(first), false, false, 'refresh'],
    ['is repeated with a token that came meanwhile', record(first), record(second), false, false, 'repeat'],
    ['is repeated after a login that came meanwhile', none, record(first), false, false, 'repeat'],
    ['is refreshed for if that token has expired too', record(first), record(second), true, false, 'refresh'],
    ['is refreshed for where nothing is known', null, null, false, true, 'refresh'],
    ['is refreshed for once without a session: a login may be unseen', none, none, false, false, 'refresh'],
    ['is returned when that was answered', none, none, false, true, 'return'],
  ] as const)('%s', (_, sent, current, expired, settled, decision) => {
    expect(decideAfterRefusal('cookie', sent, current, expired, settled)).toBe(decision)
  })

  test('is returned in header mode without a session: there is nothing to refresh with', () => {
    expect(decideAfterRefusal('header', null, null, false, true)).toBe('return')
    expect(decideAfterRefusal('header', none, none, false, false)).toBe('return')
  })
})

describe('whoever has the lock', () => {
  test.each([
    ['asks the server if nothing has changed', record(first), record(first), false, 'post'],
    ['asks the server if nothing is known', null, null, false, 'post'],
    ['finds the work done', record(first), record(second, NOW + 1), false, 'refreshed'],
    ['asks again if that has expired too', record(first), record(second, NOW + 1), true, 'post'],
    ['finds that somebody signed out', record(first), record(null, NOW + 1), false, 'ended'],
    ['asks for a session that was not known, though somebody signed out', none, none, false, 'post'],
  ] as const)('%s', (_, wanted, current, expired, decision) => {
    expect(decideUnderLock(wanted, current, expired, 'cookie')).toBe(decision)
  })

  test('has nothing to ask with in header mode without a refresh token', () => {
    expect(decideUnderLock(null, null, false, 'header')).toBe('ended')
    expect(decideUnderLock(none, { ...none, refreshToken: undefined }, false, 'header')).toBe('ended')
  })
})

describe('the answer to a refresh', () => {
  test.each([
    ['a new token', 200, second, undefined, 'refreshed'],
    ['the same token', 200, first, undefined, 'unavailable'],
    ['no token', 200, null, undefined, 'unavailable'],
    ['garbage', 200, 'garbage', undefined, 'unavailable'],
    ['a new token on an error', 500, second, undefined, 'unavailable'],
    ['a removal', 401, 'remove', 'unauthorised', 'ended'],
    ['a refusal in words', 401, null, 'unauthorised', 'ended'],
    ['a theft', 401, null, 'token theft detected', 'ended'],
    ['somebody else’s refusal', 401, null, 'Unauthorized', 'unavailable'],
    ['a refusal of another status', 403, null, 'unauthorised', 'unavailable'],
    ['a failure', 503, null, 'session service unavailable', 'unavailable'],
  ])('with %s', (_, status, front, message, verdict) => {
    const headers = new Headers(front === null ? {} : { 'front-token': front })
    expect(judgeRefresh(status, headers, message, 401, first, null)).toBe(verdict)
  })

  test('ROT-15: with a request of the session server to wait, for as long as a caller can be held', () => {
    const judge = (status: number, message: string, delay: number | null): string =>
      judgeRefresh(status, new Headers(), message, 401, first, delay)
    const ours = 'session service unavailable'
    expect([0, 60_000].map(delay => judge(503, ours, delay))).toEqual(['busy', 'busy'])
    expect([judge(503, ours, 61_000), judge(503, ours, null), judge(429, ours, 1000), judge(503, 'maintenance', 1000)])
      .toEqual(Array.from({ length: 4 }, () => 'unavailable'))
  })
})

describe('a response', () => {
  const after = (
    mode: 'cookie' | 'header',
    current: SessionState | null,
    sent: SessionState | null,
    headers: Record<string, string>,
  ): SessionState | null => stateAfter(current, sent, mode, new Headers(headers), NOW)

  test('changes the record if it brings a token, and only then', () => {
    expect(after('cookie', null, null, {})).toBeNull()
    expect(after('cookie', null, null, { 'front-token': 'garbage' })).toBeNull()
    expect(after('cookie', record(first), null, { 'front-token': first })).toBeNull()
    expect(after('cookie', null, null, { 'front-token': first, 'anti-csrf': 'a', 'st-refresh-token': 'no' }))
      .toEqual({ at: NOW, received: NOW, front: first, antiCsrf: 'a' })
  })

  test('is always later than the record before, though the clock was set back', () => {
    expect(after('cookie', record(first, NOW + 1e9), null, { 'front-token': second }))
      .toMatchObject({ at: NOW + 1e9 + 1, received: NOW })
  })

  test.each(['cookie', 'header'] as const)('ends its own session, and no other that was begun meanwhile: %s', mode => {
    const other = record(front('bob', 1))
    const removal = { 'front-token': 'remove' }
    expect(after(mode, record(second), record(first), removal)).toMatchObject({ front: null })
    for (const sent of [null, none, record(first)]) expect(after(mode, other, sent, removal)).toBeNull()
    expect(after(mode, null, null, removal)).toMatchObject({ front: null })
    expect(after(mode, none, none, removal)).toBeNull()
  })

  test('does not bring back an older token in header mode', () => {
    const newest = record(front('ada', 3, NOW + 120_000))
    expect(after('header', newest, record(first), { 'front-token': second, 'st-access-token': 'old' })).toBeNull()
    expect(after('header', record(first), record(first), { 'front-token': second, 'st-access-token': 'new' }))
      .toMatchObject({ accessToken: 'new', refreshToken: 'r' })
  })
})

test('records of all tabs have one order', () => {
  const [early, late, rival] = [record(first, 1), record(second, 2), record(first, 2)]
  expect(newer(early, late)).toBe(late)
  expect(newer(late, early)).toBe(late)
  expect(newer(null, early)).toBe(early)
  expect(newer(rival, late)).toBe(newer(late, rival))
})

test('a record that somebody else wrote is none', () => {
  const garbage = ['', 'null', '[]', '{}', '{"at":"1","front":null}', '{"at":1}', undefined]
  expect(garbage.map(parseState)).toEqual(garbage.map(() => null))
  expect(parseState(JSON.stringify(none))).toEqual(none)
})

test('front tokens are UTF-8, and anything else is none', () => {
  const bytes = new TextEncoder().encode('{"uid":"zażółć","ate":1,"up":{}}')
  expect(readFrontToken(btoa(String.fromCharCode(...bytes)))).toMatchObject({ uid: 'zażółć' })
  const garbage = ['null', '{"uid":1,"ate":1,"up":{}}', '{"uid":"a","ate":null,"up":{}}'].map(btoa)
  for (const text of ['', '!', ...garbage]) expect(readFrontToken(text)).toBeNull()
})

test('lifetimes are told by the server’s clock alone', () => {
  const token = readFrontToken(first) ?? expect.fail()
  expect(lifetimeOf(token, NOW + 7_200_000)).toBe(60_000)
  expect(lifetimeOf({ ...token, up: {} }, NOW)).toBe(60_000)
})

test('the clock that went further is right', () => {
  const seen = see(NOW - 1000, { wall: NOW, steady: 0 })
  expect(ageOf(seen, { wall: NOW + 500, steady: 500 })).toBe(1500)
  expect(ageOf(seen, { wall: NOW - 1e7, steady: 500 })).toBe(1500)
  expect(ageOf(seen, { wall: NOW + 1e7, steady: 500 })).toBe(1000 + 1e7)
  expect(see(NOW + 1e7, { wall: NOW, steady: 0 }).age).toBe(0)
})

test('pauses grow to half a minute, and to what the server wishes, within reason', () => {
  expect([1, 2, 3, 6, 50].map(failures => pauseAfter(failures, null, 1))).toEqual([1000, 2000, 4000, 30_000, 30_000])
  expect(pauseAfter(1, null, 0)).toBe(500)
  expect([60_000, 1e99, 0].map(delay => pauseAfter(1, delay, 0))).toEqual([60_000, 300_000, 500])
  expect([60_000, 1e99, 0].map(delay => pauseAfter(1, delay, 1))).toEqual([63_000, 300_000, 1000])
})

test('ROT-15: Retry-After is whole seconds or a date, and anything else says nothing', () => {
  const delay = (text: string, date?: string): number | null =>
    retryDelay(new Headers({ 'retry-after': text, ...date === undefined ? {} : { date } }), NOW)
  const after = (milliseconds: number): string => new Date(NOW + milliseconds).toUTCString()
  expect(['0', '7', '007', '99999999999'].map(text => delay(text))).toEqual([0, 7000, 7000, 99_999_999_999_000])
  expect([delay(after(9000)), delay(after(-9000)), delay(after(9000), after(5000)), delay(after(9000), 'today')])
    .toEqual([9000, 0, 4000, 9000])
  const none = ['', ' ', '-1', '1.5', '9e99', 'soon', 'GMT', '2026-01-01', 'Infinity', '1, 2', '0x10']
  expect(none.map(text => delay(text))).toEqual(none.map(() => null))
  expect(retryDelay(new Headers(), NOW)).toBeNull()
})

test('a refresh ahead comes up to a minute before expiry, and never at once', () => {
  expect([0, 1].map(chance => delayAhead(3_600_000, chance))).toEqual([3_570_000, 3_540_000])
  expect([-1e9, 0, 500].map(timeLeft => delayAhead(timeLeft, 0))).toEqual([1000, 1000, 1000])
  expect(delayAhead(1e15, 0)).toBe(2 ** 31 - 1)
})
