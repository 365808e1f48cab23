import { expect, test } from 'vitest'
import { TryRefreshTokenError, UnauthorizedError } from '../base/errors.ts'
import { createHttpPolicy } from './http-policy.ts'
import { redirectToLogin, wantsPage } from './page-request.ts'

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

function request(headers: Readonly<Record<string, string>>, method = 'GET', path = '/orders', query = '') {
  const client = { ip: null, userAgent: null }
  return { identity: {}, method, path, query, client, header: (name: string) => headers[name] ?? null }
}

const page = { accept: HTML, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

test.each<[boolean, string, Readonly<Record<string, string>>]>([
  [true, 'GET', page],
  [true, 'HEAD', page],
  [true, 'POST', page],
  [true, 'GET', { ...page, 'sec-fetch-dest': 'iframe' }],
  [true, 'GET', { accept: HTML }],
  [true, 'GET', { accept: 'text/html' }],
  [true, 'GET', { accept: 'application/json, TEXT/HTML;q=0.5' }],
  [false, 'GET', {}],
  [false, 'GET', { accept: '*/*' }],
  [false, 'GET', { accept: 'application/json' }],
  [false, 'GET', { accept: 'text/html-sandboxed' }],
  [false, 'GET', { ...page, accept: 'application/json' }],
  [false, 'GET', { accept: HTML, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
  [false, 'POST', { accept: HTML, 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty' }],
  [false, 'GET', { ...page, 'sec-fetch-dest': 'image' }],
  [false, 'GET', { ...page, upgrade: 'websocket' }],
  [false, 'PUT', page],
  [false, 'OPTIONS', page],
])('L-09: %s: %s with %j wants a page', (expected, method, headers) => {
  expect(wantsPage(request(headers, method))).toBe(expected)
})

const policy = createHttpPolicy({ origin: 'https://app.example.com', gatewayPath: '/shop' })
const locate = (...[headers, ...rest]: Parameters<typeof request>): string | undefined => (
  redirectToLogin(request({ ...page, ...headers }, ...rest), policy, '/shop/login', new UnauthorizedError('none'))
    .headers.find(([name]) => name === 'location')?.[1]
)

test('L-09: the browser returns to the address that it requested, also behind a proxy that removes a prefix', () => {
  expect(locate({}, 'GET', '/orders', '?page=2')).toBe('/shop/login?returnTo=%2Fshop%2Forders%3Fpage%3D2')
  expect(locate({}, 'GET', '/%5Cevil.example')).toBe('/shop/login')
})

test('L-09: after a form the browser returns to the page with the form, if that is of this origin', () => {
  expect(locate({ referer: 'https://app.example.com/shop/new?a=1' }, 'POST'))
    .toBe('/shop/login?returnTo=%2Fshop%2Fnew%3Fa%3D1')
  for (const referer of ['https://evil.example/shop', 'https://app.example.com//evil.example', '/shop', 'no address']) {
    expect(locate({ referer }, 'POST'), referer).toBe('/shop/login')
  }
  expect(locate({}, 'POST')).toBe('/shop/login')
})

test('L-09: a guard in front of the login page itself redirects nobody', () => {
  const error = new TryRefreshTokenError('expired')
  expect(() => redirectToLogin(request(page, 'GET', '/login'), policy, '/shop/login?lang=de', error)).toThrow(error)
})

test('L-09: only the lack of a session leads to the login page', () => {
  const error = new Error('the application failed')
  expect(() => redirectToLogin(request(page), policy, '/shop/login', error)).toThrow(error)
})
