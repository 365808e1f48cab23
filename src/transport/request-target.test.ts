import { expect, test } from 'vitest'
import { pathOf } from './request-target.ts'

test.each([
  ['/auth/signout', '/auth/signout'],
  ['/auth/signout?a=/b', '/auth/signout'],
  ['http://app.example.com/auth/signout?a=b', '/auth/signout'],
  ['HTTPS://app.example.com:8443/auth/signout/', '/auth/signout/'],
  ['http://user:pass@[::1]:80/auth', '/auth'],
  ['http://app.example.com', '/'],
  ['http://app.example.com?a=/b', '/'],
  ['//evil.example/auth/signout', '//evil.example/auth/signout'],
  ['/http://app.example.com/auth', '/http://app.example.com/auth'],
  ['*', '*'],
  ['', '/'],
])('L-12: the path of %s is %s', (target, path) => {
  expect(pathOf(target)).toBe(path)
})
