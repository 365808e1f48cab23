import { describe, expect, test } from 'vitest'
import { ageOf, momentOf } from './age.ts'
import { classifyRefresh, decideAfterRefusal, decideUnderLock, pauseAfter, retryDelay } from './decide.ts'
import { delayAhead } from './keep-fresh.ts'
import { lifetimeOf, readFrontToken } from './front-token.ts'
import { newer, parseState } from './session-state.ts'
import type { SessionState } from './session-state.ts'

const NOW = Date.UTC(2026, 0, 1)

function front(uid: string, serial: number, ate = NOW + 60_000): string {
  return btoa(JSON.stringify({ uid, ate, up: { sid: uid, iat: NOW / 1000, jti: serial } }))
}

const [first, second] = [front('ada', 1), front('ada', 2)]
const record = (front: string | null, at = NOW): SessionState => (
  { at, generation: NOW, received: at, front, refreshToken: 'r' }
)
const none = record(null)

describe('a refused request', () => {
  const asks = 'try refresh token'
  test.each([
    ['causes a refresh if its token is still the current one', record(first), record(first), {}, 'refresh'],
    ['causes a refresh whatever the body says', record(first), record(first), { message: undefined }, 'refresh'],
    ['is repeated with a token that arrived meanwhile', record(first), record(second), {}, 'repeat'],
    ['is repeated after a login that happened meanwhile', none, record(first), {}, 'repeat'],
    ['causes a refresh if the newer token has expired too', record(first), record(second), { expired: true },
      'refresh'],
    ['is returned if its route has refused this token after a refresh', record(first), record(first),
      { futile: true, message: 'no such order' }, 'return'],
    ['causes a refresh all the same if the server asks for it', record(first), record(first), { futile: true },
      'refresh'],
    ['causes a refresh without a record if the server asks for it', null, null, {}, 'refresh'],
    ['causes one refresh without a session if the server asks: scripts may have missed a login', none, none, {},
      'refresh'],
    ['is returned without a record unless the server asks', null, null, { message: 'unauthorised' }, 'return'],
    ['is returned if the last refresh found no session', none, none, { settled: true }, 'return'],
    ['is returned while a sign-out is pending', none, { ...none, signOut: { handle: 'ada' } }, {}, 'return'],
  ] as const)('%s', (_, sent, current, given, decision) => {
    const base = { expired: false, settled: false, futile: false, message: asks }
    const { expired, settled, futile, message } = { ...base, ...given }
    expect(decideAfterRefusal('cookie', sent, current, expired, settled, futile, message)).toBe(decision)
  })

  test('is returned in header mode without a session: there is nothing to refresh with', () => {
    expect(decideAfterRefusal('header', null, null, false, true, false, asks)).toBe('return')
    expect(decideAfterRefusal('header', none, none, false, false, false, asks)).toBe('return')
  })
})

describe('the tab that holds the lock', () => {
  test.each([
    ['sends a refresh if nothing has changed', record(first), record(first), false, 'post'],
    ['sends a refresh if there is no record', null, null, false, 'post'],
    ['uses the token that another tab has fetched', record(first), record(second, NOW + 1), false, 'refreshed'],
    ['sends a refresh if that token has expired too', record(first), record(second, NOW + 1), true, 'post'],
    ['sends nothing if another tab has signed out', record(first), record(null, NOW + 1), false, 'ended'],
    ['sends a refresh without a session if nothing has changed', none, none, false, 'post'],
  ] as const)('%s', (_, wanted, current, expired, decision) => {
    expect(decideUnderLock(wanted, current, expired, 'cookie')).toBe(decision)
  })

  test('sends nothing in header mode without a refresh token', () => {
    expect(decideUnderLock(null, null, false, 'header')).toBe('ended')
    expect(decideUnderLock(none, { ...none, refreshToken: undefined }, false, 'header')).toBe('ended')
  })
})

describe('the response to a refresh', () => {
  test.each([
    ['a new token', 200, second, undefined, 'refreshed'],
    ['the same token', 200, first, undefined, 'unavailable'],
    ['no token', 200, null, undefined, 'unavailable'],
    ['a malformed token', 200, 'malformed', undefined, 'unavailable'],
    ['a new token on an error', 500, second, undefined, 'unavailable'],
    ['a removal', 401, 'remove', 'unauthorised', 'expired'],
    ['the message of the session server', 401, null, 'unauthorised', 'expired'],
    ['a detected theft', 401, null, 'token theft detected', 'theft'],
    ['the message of another server', 401, null, 'Unauthorized', 'unavailable'],
    ['the message with another status', 403, null, 'unauthorised', 'unavailable'],
    ['a failure', 503, null, 'session service unavailable', 'unavailable'],
  ])('with %s', (_, status, front, message, reply) => {
    const headers = new Headers(front === null ? {} : { 'front-token': front })
    expect(classifyRefresh(status, headers, message, 401, first, null)).toBe(reply)
  })

  test('ROT-15: is `busy` only if the session server asks to wait, and for at most 60 seconds', () => {
    const judge = (status: number, message: string, delay: number | null): string =>
      classifyRefresh(status, new Headers(), message, 401, first, delay)
    const ours = 'session service unavailable'
    expect([0, 60_000].map(delay => judge(503, ours, delay))).toEqual(['busy', 'busy'])
    expect([judge(503, ours, 61_000), judge(503, ours, null), judge(429, ours, 1000), judge(503, 'maintenance', 1000)])
      .toEqual(Array.from({ length: 4 }, () => 'unavailable'))
  })
})

test('all tabs agree which of two records is newer', () => {
  const [early, late, rival] = [record(first, 1), record(second, 2), record(first, 2)]
  expect(newer(early, late)).toBe(late)
  expect(newer(late, early)).toBe(late)
  expect(newer(null, early)).toBe(early)
  expect(newer(rival, late)).toBe(newer(late, rival))
})

test('a malformed record is ignored', () => {
  const malformed = ['', 'null', '[]', '{}', '{"at":"1","front":null}', '{"at":1}', undefined]
  expect(malformed.map(parseState)).toEqual(malformed.map(() => null))
  expect(parseState(JSON.stringify(none))).toEqual(none)
})

test('a front token is the base64 of JSON in UTF-8; anything else is ignored', () => {
  const bytes = new TextEncoder().encode('{"uid":"zażółć","ate":1,"up":{}}')
  expect(readFrontToken(btoa(String.fromCharCode(...bytes)))).toMatchObject({ uid: 'zażółć' })
  const malformed = ['null', '{"uid":1,"ate":1,"up":{}}', '{"uid":"a","ate":null,"up":{}}'].map(btoa)
  for (const text of ['', '!', ...malformed]) expect(readFrontToken(text)).toBeNull()
})

test('the lifetime of a token is measured by the server’s clock alone', () => {
  const token = readFrontToken(first) ?? expect.fail()
  expect(lifetimeOf(token, NOW + 7_200_000)).toBe(60_000)
  expect(lifetimeOf({ ...token, up: {} }, NOW)).toBe(60_000)
})

test('the age is measured by the clock that advanced more', () => {
  const moment = momentOf(NOW - 1000, { wall: NOW, steady: 0 })
  expect(ageOf(moment, { wall: NOW + 500, steady: 500 })).toBe(1500)
  expect(ageOf(moment, { wall: NOW - 1e7, steady: 500 })).toBe(1500)
  expect(ageOf(moment, { wall: NOW + 1e7, steady: 500 })).toBe(1000 + 1e7)
  expect(momentOf(NOW + 1e7, { wall: NOW, steady: 0 }).age).toBe(0)
})

test('pauses grow to 30 seconds, and to Retry-After up to 5 minutes', () => {
  expect([1, 2, 3, 6, 50].map(failures => pauseAfter(failures, null, 1))).toEqual([1000, 2000, 4000, 30_000, 30_000])
  expect(pauseAfter(1, null, 0)).toBe(500)
  expect([60_000, 1e99, 0].map(delay => pauseAfter(1, delay, 0))).toEqual([60_000, 300_000, 500])
  expect([60_000, 1e99, 0].map(delay => pauseAfter(1, delay, 1))).toEqual([63_000, 300_000, 1000])
})

test('ROT-15: Retry-After is whole seconds or a date; anything else is ignored', () => {
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

test('a refresh ahead runs up to a minute before expiry, and at the earliest after a second', () => {
  expect([0, 1].map(chance => delayAhead(3_600_000, chance))).toEqual([3_570_000, 3_540_000])
  expect([-1e9, 0, 500].map(timeLeft => delayAhead(timeLeft, 0))).toEqual([1000, 1000, 1000])
  expect(delayAhead(1e15, 0)).toBe(2 ** 31 - 1)
})
