import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64url, encodeBase64url, isBase64url } from './base64url.ts'

test('agrees with Node on every sequence of bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
    const text = Buffer.from(bytes).toString('base64url')
    expect(encodeBase64url(bytes)).toBe(text)
    expect(decodeBase64url(text)).toEqual(bytes)
    expect(isBase64url(text)).toBe(true)
  }))
})

test('accepts a string only if it is what Node would write', () => {
  const character = fc.constantFrom(...'ABQZaz09-_+/= \n.\u0141\u00e9\ud83d'.split(''))
  fc.assert(fc.property(fc.string({ unit: character, maxLength: 12 }), text => {
    const canonical = Buffer.from(text, 'base64url').toString('base64url') === text
    expect(isBase64url(text)).toBe(canonical)
    expect(decodeBase64url(text) !== null).toBe(canonical)
  }), { numRuns: 2000 })
})

test('rejects a character outside the alphabet at every position', () => {
  for (let length = 2; length < 12; length++) {
    if (length % 4 === 1) continue
    for (let place = 0; place < length; place++) {
      for (const character of ['=', '+', ' ', '\u00ff', '\0']) {
        const text = 'A'.repeat(place) + character + 'A'.repeat(length - place - 1)
        expect(decodeBase64url(text)).toBeNull()
      }
    }
  }
})
