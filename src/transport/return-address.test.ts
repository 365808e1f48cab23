import { expect, test } from 'vitest'
import { isLocalAddress, loginAddress, returnAddress } from './return-address.ts'

const local = [
  '/', '/account', '/orders?page=2&sort=date', '/orders#top', '/a/b/', '/files/a%2Fb', '/a%20b', '/caf%C3%A9', '/100%',
  '/search?q=%0a%5c', '/search?next=//evil.example', '/search?next=%2F%2Fevil.example',
  '/search?next=https://evil.example/',
  '/https://evil.example', '/@evil.example', '/.evil.example', '/a//b', '/a?//evil.example', '/%3f//evil.example',
  '/~ada',
]

const refused: readonly unknown[] = [
  // Nothing, or nothing that a browser would send.
  undefined, null, '', 0, {}, ['/account'], ['/a', '/b'], 'account', '?page=2', '#top', ' /account', '/account ',
  // Absolute addresses, with and without their slashes.
  'https://evil.example',
  'https://evil.example/account',
  'HTTPS:/evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  'data:text/html,x', 'https://app.example.com.evil.example', 'https://app.example.com@evil.example',
  // Addresses without a scheme; browsers treat a backslash as a slash.
  '//evil.example', '///evil.example', '////evil.example', '/\\evil.example', '\\/evil.example', '\\\\evil.example',
  '//evil.example@app.example.com', '/a\\..\\evil.example',
  // Browsers remove tabs and line breaks from addresses.
  '/\t/evil.example', '/\n/evil.example', '/\r\n/evil.example', '\t//evil.example', '/\u0000/evil.example', '/a\u007f',
  '/ /evil.example', '/account\r\nSet-Cookie: a=b', '/account\u0085', '/\u2028/evil.example', '/caf\u00e9',
  // Dot segments that leave an empty first segment.
  '/.//evil.example', '/..//evil.example', '/a/..//evil.example', '/a/b/../..//evil.example', '/./\\evil.example',
  // The same, encoded once, or more often.
  '/%2fevil.example',
  '/%2Fevil.example',
  '/%2f%2fevil.example',
  '/%5cevil.example',
  '/%5Cevil.example',
  '%2f%2fevil.example',
  '/%252fevil.example', '/%25252fevil.example', '/%255cevil.example', '/%2e%2fevil.example/..%2f%2fevil.example',
  '/%2e//evil.example', '/%2e%2e//evil.example', '/a/%2e%2e//evil.example', '/%252e//evil.example',
  '/.%2f/evil.example',
  '/%09/evil.example', '/%0a/evil.example', '/%0d%0aSet-Cookie:a=b', '/%00', '/%2500', '/account%5c', '/account%7f',
  // Too long for a request line, with the rest of the login page's address.
  `/${'a'.repeat(2048)}`,
]

test.each(local)('L-09: %j is an address of this site', value => {
  expect(isLocalAddress(value)).toBe(true)
  expect(returnAddress(value)).toBe(value)
  expect(new URL(value, 'https://app.example.com').origin).toBe('https://app.example.com')
})

test.each(refused.map(value => [value]))('L-09: %j is not returned to', value => {
  expect(isLocalAddress(value)).toBe(false)
  expect([returnAddress(value), returnAddress(value, '/account')]).toEqual(['/', '/account'])
  expect(loginAddress('/login', typeof value === 'string' ? value : null)).toBe('/login')
})

test('the address to return to is one parameter, whatever it contains', () => {
  const target = '/orders?page=2&returnTo=//evil.example#a'
  for (const loginPath of ['/login', '/login?lang=de']) {
    const { pathname, searchParams } = new URL(loginAddress(loginPath, target), 'https://app.example.com')
    expect([pathname, searchParams.getAll('returnTo')]).toEqual(['/login', [target]])
  }
})

test('a fallback that leaves the site is a mistake of the application', () => {
  expect(() => returnAddress('/a', '//evil.example')).toThrow(
    'the fallback of returnAddress must be a path on this site such as "/account"; received "//evil.example"')
})
