import { expect, test } from 'vitest'
import { growth, LINEAR } from '../../test/support/growth.ts'
import { readCookies } from './cookies.ts'

const NAME = '__Host-x'
const read = (header: string): readonly string[] => readCookies(header, NAME)

test('reads every value of a name, in order', () => {
  expect(read('a=1; __Host-x=A; b=2;__Host-x=B ;\t__Host-x=C')).toEqual(['A', 'B', 'C'])
  expect(readCookies(null, NAME)).toEqual([])
})

test('CK-08: names are compared byte for byte, without quoting or versions', () => {
  for (const header of [
    '\u2000__Host-x=evil', '\u00a0__Host-x=evil', '__host-x=evil', '$Version=1, __Host-x=evil', '=__Host-x=evil',
    '__Host-x', '__proto__=1', '__Host-%78=evil', '"__Host-x"=evil', '__Host-xy=evil', 'y__Host-x=evil',
  ]) expect(read(header), header).toEqual([])
  // A semicolon always ends a cookie, also in quotes: no browser sends one in a value.
  expect(read('a="; __Host-x=A; b="')).toEqual(['A'])
  expect(read('__Host-x="A"')).toEqual(['"A"'])
  expect(read('__Host-x=a=b=')).toEqual(['a=b='])
})

test('CMP-13: a value with invalid percent-encoding is ignored, without an exception', () => {
  for (const value of ['%', '%zz', '%c0%ae', '%ff']) expect(read(`__Host-x=${value}`), value).toEqual([])
  expect(read('__Host-x=a%2Eb; other=%zz')).toEqual(['a.b'])
})

test('DOS-01: headers that are too long or contain too many cookies count as absent', () => {
  const padded = (length: number): string => `__Host-x=A; ${'p'.repeat(length - '__Host-x=A; '.length)}`
  expect(read(padded(16_384))).toEqual(['A'])
  expect(read(padded(16_385))).toEqual([])
  expect(read(`${'a=1;'.repeat(199)}__Host-x=A`)).toEqual(['A'])
  expect(read(`${'a=1;'.repeat(200)}__Host-x=A`)).toEqual([])
})

test('DOS-02: hostile headers take linear time', async () => {
  for (const pattern of [';', ' ', 'a=', '__Host-x', '__Host-x =', '-_', '%', '\t;']) {
    expect(await growth(2048, length => pattern.repeat(length / pattern.length), read), pattern).toBeLessThan(LINEAR)
  }
})
