import { expect, test } from 'vitest'
import { cutText } from './cut-text.ts'

test('S-19: a string is cut by UTF-16 code units, and never within a surrogate pair', () => {
  expect(cutText('abc', 3)).toBe('abc')
  expect(cutText('abcd', 3)).toBe('abc')
  expect(cutText('ab😀', 4)).toBe('ab😀')
  expect(cutText('ab😀', 3)).toBe('ab')
  expect(cutText('ab😀c', 4)).toBe('ab😀')
  expect(cutText('😀', 1)).toBe('')
  expect(cutText('\u4f60\u597d', 1)).toBe('\u4f60')
})
