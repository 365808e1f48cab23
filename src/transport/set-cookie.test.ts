import { expect, test } from 'vitest'
import { checkCookieAttributes, clearingOf, createCookie, identityOf, serializeCookie } from './set-cookie.ts'
import type { CookieAttributes } from './set-cookie.ts'

const host: CookieAttributes = {
  name: '__Host-a',
  path: '/',
  domain: null,
  secure: true,
  sameSite: 'lax',
  partitioned: false,
}

test('serializes the attributes that browsers enforce', () => {
  expect(serializeCookie(createCookie(host, 'v', 5000, 3000)))
    .toBe('__Host-a=v; Expires=Thu, 01 Jan 1970 00:00:05 GMT; Max-Age=2; Path=/; HttpOnly; Secure; SameSite=Lax')
  const other = { ...host, name: 'a', domain: 'b.c', secure: false, sameSite: 'strict' } as const
  expect(serializeCookie(createCookie(other, 'v', null, 0)))
    .toBe('a=v; Path=/; Domain=b.c; HttpOnly; SameSite=Strict')
})

test('CK-01: rejects attributes that conflict with a prefix, in any case', () => {
  for (const name of ['__Host-a', '__host-a', '__HOST-a', '__Host-Http-a']) {
    for (const wrong of [{ domain: 'b.c' }, { path: '/x' }, { secure: false }]) {
      expect(() => checkCookieAttributes({ ...host, name, ...wrong })).toThrow('prefix')
    }
  }
  expect(() => checkCookieAttributes({ ...host, name: '__SECURE-a', secure: false })).toThrow('prefix')
  expect(() => checkCookieAttributes({ ...host, name: '__Secure-a', domain: 'b.c', path: '/x' })).not.toThrow()
})

test('CK-03: SameSite=None requires Secure', () => {
  expect(() => checkCookieAttributes({ ...host, name: 'a', sameSite: 'none', secure: false })).toThrow('https')
  expect(serializeCookie(clearingOf({ ...host, sameSite: 'none' }))).toContain('SameSite=None')
})

test('CK-04: a cookie that browsers would reject is an error', () => {
  const most = 4096 - '__Host-a='.length
  expect(serializeCookie(createCookie(host, 'v'.repeat(most), null, 0))).toContain('vvv')
  expect(() => createCookie(host, 'v'.repeat(most + 1), null, 0)).toThrow('4096')
  expect(() => checkCookieAttributes({ ...host, name: 'a', path: `/${'p'.repeat(1024)}` })).toThrow('path')
})

test('CK-05: rejects values that could end an attribute or a line', () => {
  for (const name of ['a;b', 'a,b', 'a b', 'a=b', 'a\r\nb', '', 'ä', '"a"']) {
    expect(() => checkCookieAttributes({ ...host, name }), name).toThrow('name')
  }
  for (const domain of ['a.com; SameSite=None', 'a.com,b', 'a..b', '', '.a.com', 'a.com\r\nX: y']) {
    expect(() => checkCookieAttributes({ ...host, name: 'a', domain }), domain).toThrow('domain')
  }
  for (const path of ['/; Domain=x', 'x', '', '/\r\n', '/\u0000', '/ä']) {
    expect(() => checkCookieAttributes({ ...host, name: 'a', path }), path).toThrow('path')
  }
  for (const value of ['a\r\nSet-Cookie: b=c', 'a;b', 'a,b', 'a b', 'a"b', 'a\\b', 'ä']) {
    expect(() => createCookie(host, value, null, 0), value).toThrow('cannot be written')
  }
})

test('CK-09: a cookie is cleared with the same name, path and domain, by Expires and Max-Age', () => {
  expect(serializeCookie(clearingOf({ ...host, name: '__Secure-a', path: '/x', domain: 'b.c' }))).toBe(
    '__Secure-a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; '
      + 'Path=/x; Domain=b.c; HttpOnly; Secure; SameSite=Lax',
  )
})

test('L-14: a cookie that lasts says so by Expires and by Max-Age, for machines whose clock is wrong', () => {
  expect(serializeCookie(createCookie(host, 'v', 86_400_000, 1))).toContain(
    'v; Expires=Fri, 02 Jan 1970 00:00:00 GMT; Max-Age=86400; Path=/',
  )
})

test('L-14: Partitioned requires Secure and SameSite=None, and is part of what identifies a cookie', () => {
  const partitioned: CookieAttributes = { ...host, sameSite: 'none', partitioned: true }
  expect(serializeCookie(createCookie(partitioned, 'v', null, 0)))
    .toBe('__Host-a=v; Path=/; HttpOnly; Secure; SameSite=None; Partitioned')
  expect(serializeCookie(clearingOf(partitioned))).toMatch(/Max-Age=0;.*; Partitioned$/)
  expect(identityOf(partitioned)).not.toBe(identityOf({ ...partitioned, partitioned: false }))
  for (const sameSite of ['lax', 'strict'] as const) {
    expect(() => checkCookieAttributes({ ...partitioned, sameSite })).toThrow(`received sameSite "${sameSite}"`)
  }
})

test('name, domain and path identify a cookie; other attributes do not', () => {
  const same = [host, createCookie(host, 'v', 1000, 0), clearingOf({ ...host, secure: false, sameSite: 'strict' })]
  expect(new Set(same.map(identityOf)).size).toBe(1)
  const others = [host, { ...host, name: 'b' }, { ...host, path: '/x' }, { ...host, domain: 'b.c' }]
  expect(new Set(others.map(identityOf)).size).toBe(4)
})
