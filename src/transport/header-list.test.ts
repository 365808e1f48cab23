import { expect, test } from 'vitest'
import { addToList } from './header-list.ts'

test.each([
  [null, ['front-token'], 'front-token'],
  ['x-front-token-foo', ['front-token'], 'x-front-token-foo, front-token'],
  ['Front-Token , a', ['front-token', 'b'], 'Front-Token, a, b'],
])('CMP-12: %s with %o becomes %s', (present, names, expected) => {
  const headers = new Headers(present === null ? {} : { 'access-control-expose-headers': present })
  addToList(headers, 'access-control-expose-headers', names)
  addToList(headers, 'access-control-expose-headers', names)
  expect(headers.get('access-control-expose-headers')).toBe(expected)
})
