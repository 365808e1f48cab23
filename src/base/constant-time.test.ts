import { expect, test } from 'vitest'
import { constantTimeEqual } from './constant-time.ts'

test('TOK-19: strings are equal only if every character is, and another length is false, not an exception', () => {
  const tag = 'Zm9vYmFyYmF6'
  expect(constantTimeEqual(tag, tag)).toBe(true)
  expect(constantTimeEqual('', '')).toBe(true)
  for (let index = 0; index < tag.length; index++) {
    expect(constantTimeEqual(tag, `${tag.slice(0, index)}_${tag.slice(index + 1)}`)).toBe(false)
    expect(constantTimeEqual(tag, tag.slice(0, index))).toBe(false)
    expect(constantTimeEqual(tag.slice(0, index), tag)).toBe(false)
  }
})
