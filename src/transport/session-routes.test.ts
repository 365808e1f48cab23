import { expect, test } from 'vitest'
import { matchSessionRoute } from './session-routes.ts'

test.each([
  ['/auth/session/refresh', 'refresh'],
  ['/auth/session/refresh/', 'refresh'],
  ['/auth/tenant-1/session/refresh', 'refresh'],
  ['/auth/signout', 'signout'],
  ['/auth/public/signout', 'signout'],
  ['/auth/jwt/jwks.json', 'jwks'],
  ['/auth/.well-known/openid-configuration', 'openid-configuration'],
  ['/auth/tenant/jwt/jwks.json', null],
  ['/auth', null],
  ['/auth/', null],
  ['/signout', null],
  ['/AUTH/signout', null],
  ['/auth/SIGNOUT', null],
  ['//auth/signout', null],
  ['/auth//signout', null],
  ['/auth/../auth/signout', null],
  ['/auth/a.b/signout', null],
  ['/auth/%73ignout', null],
  ['/authx/signout', null],
  ['/auth/signout/x', null],
])('CSRF-04: %s is %s', (path, route) => {
  expect(matchSessionRoute(path, '/auth')).toBe(route)
})

test('with an empty base path, the routes are at the root', () => {
  expect(matchSessionRoute('/session/refresh', '')).toBe('refresh')
  expect(matchSessionRoute('/signout', '')).toBe('signout')
  expect(matchSessionRoute('/shop/signout', '')).toBe('signout')
})
