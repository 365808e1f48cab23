import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requireCdiUserId, requireUserId } from './identifiers.ts'

test('S-14: a user id of 1 to 255 characters of well-formed Unicode is accepted unchanged', () => {
  for (const userId of [
    'a', '\u{10ffff}', 'x'.repeat(255), `${'x'.repeat(254)}🗝`, '\ufffd', '\u0001\u007f\ufeff', '🗝'.repeat(255),
  ]) {
    expect(requireUserId(userId)).toBe(userId)
    expect(requireCdiUserId(userId)).toBe(userId)
  }
  expect(requireCdiUserId('')).toBe('')
})

const words = 'the user id must be a string of 1 to 255 characters of well-formed Unicode without U+0000; received '

test.each([
  ['an empty one', '', '0 characters'], ['256 characters', 'x'.repeat(256), '256 characters'],
  ['255 characters and a pair', `${'x'.repeat(255)}🗝`, '256 characters'], ['U+0000', 'a\0', 'one with U+0000'],
  ...['\ud800', 'a\udfffb', '\udfff\ud800', '🗝'.slice(0, 1)]
    .map(text => [JSON.stringify(text), text, 'one with half of a surrogate pair'] as const),
  ['undefined', undefined, 'undefined'], ['null', null, 'null'], ['a number', 7, 'number'],
  ['an object', { $gt: '' }, 'object'], ['an array', ['a'], 'object'],
] as const)('S-14: %s is rejected; the error says what is expected and what was received', (_, userId, received) => {
  expect(() => requireUserId(userId))
    .toThrow(expect.objectContaining({ code: 'INVALID_DATA', message: words + received }))
  if (userId !== '') expect(() => requireCdiUserId(userId)).toThrow(`${words.replace('1 to', '0 to')}${received}`)
})

test('S-14: an accepted user id survives UTF-8, and so every store', () => {
  const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
    .map(units => String.fromCharCode(...units))
  fc.assert(fc.property(fc.oneof(anyUnits, fc.string({ unit: 'binary', maxLength: 260 })), userId => {
    const isKept = Buffer.from(userId).toString() === userId && !userId.includes('\0')
    const isAccepted = ((): boolean => {
      try {
        return requireUserId(userId) === userId
      } catch {
        return false
      }
    })()
    expect(isAccepted).toBe(isKept && userId.length > 0 && [...userId].length <= 255)
  }), { numRuns: 500 })
})
