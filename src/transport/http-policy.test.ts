import { describe, expect, test } from 'vitest'
import { allowInsecureCookies, createHttpPolicy } from './http-policy.ts'
import type { HttpOptions } from './http-policy.ts'
import type { Cookie } from './set-cookie.ts'

const origin = 'https://app.example.com'

describe('cookie names and domains', () => {
  test('CK-01: names have the safest prefix that the deployment allows', () => {
    const { accessToken, refreshToken } = createHttpPolicy({ origin }).cookies
    expect(accessToken.attributes)
      .toEqual({
        name: '__Host-sAccessToken',
        path: '/',
        domain: null,
        secure: true,
        sameSite: 'lax',
        partitioned: false,
      })
    expect(refreshToken.attributes)
      .toMatchObject({ name: '__Secure-sRefreshToken', path: '/auth/session/refresh', domain: null, secure: true })
  })

  test('with a domain, the prefix is __Secure-', () => {
    const { accessToken, refreshToken } = createHttpPolicy({ origin, cookie: { domain: '.Example.com' } }).cookies
    expect(accessToken.attributes).toMatchObject({ name: '__Secure-sAccessToken', domain: 'example.com' })
    expect(refreshToken.attributes).toMatchObject({ name: '__Secure-sRefreshToken', domain: 'example.com' })
  })

  test.each([
    ['http://localhost:3000', '-3000'],
    ['http://127.0.0.1:8080', '-8080'],
    ['http://shop.localhost:80', ''],
    ['http://shop.localhost:81', '-81'],
    ['http://[::1]', ''],
  ])('L-14: plain names on %s, with the port of the origin', (local, port) => {
    const { accessToken, refreshToken } = createHttpPolicy({ origin: local }).cookies
    expect(accessToken.attributes).toMatchObject({ name: `sAccessToken${port}`, secure: false })
    expect(refreshToken.attributes).toMatchObject({ name: `sRefreshToken${port}`, secure: false })
  })

  test('L-14: names carry the port on localhost only, with https too; a chosen name stays as it is', () => {
    const nameOf = (options: HttpOptions): string => createHttpPolicy(options).cookies.accessToken.attributes.name
    expect(nameOf({ origin: 'https://localhost:8443' })).toBe('__Host-sAccessToken-8443')
    expect(nameOf({ origin: 'https://app.example.com:8443' })).toBe('__Host-sAccessToken')
    expect(nameOf({ origin: 'http://localhost:3000', cookie: { accessTokenName: 'at' } })).toBe('at')
  })

  test('L-14: with partitioned, cookies and clearings are partitioned; leftovers are cleared with and without it', () => {
    const cookie = { sameSite: 'none', partitioned: true, olderDomain: 'example.com', accessTokenName: 'at' } as const
    const { accessToken, refreshToken } = createHttpPolicy({ origin, cookie }).cookies
    expect(
      [accessToken, refreshToken].map(({ attributes, clearings }) => [attributes.partitioned, clearings.every(each =>
        each.partitioned
      )]),
    )
      .toEqual([[true, true], [true, true]])
    const clearings = (cookies: readonly Cookie[]): unknown => (
      cookies.map(({ domain, partitioned }) => `${domain ?? 'host-only'} ${partitioned ? 'with' : 'without'}`)
    )
    expect(clearings(accessToken.olderClearings)).toEqual([
      'example.com with', 'example.com without', 'example.com with', 'example.com without',
    ])
    expect(clearings(accessToken.hostClearings))
      .toEqual([
        'host-only without', 'host-only without',
        ...['with', 'without', 'with', 'without'].map(each => `app.example.com ${each}`),
      ])
    // And where the option was set before and is no longer.
    const { hostClearings } = createHttpPolicy({ origin, cookie: { sameSite: 'none' } }).cookies.accessToken
    expect(clearings(hostClearings)).toEqual(['host-only with', 'host-only with'])
  })

  test('names can be chosen, so that two applications on one host do not clash (CK-11)', () => {
    const cookie = { accessTokenName: '__Host-shop-at', refreshTokenName: '__Secure-shop-rt' }
    const { cookies } = createHttpPolicy({ origin, cookie })
    expect(cookies.accessToken.attributes.name).toBe('__Host-shop-at')
    expect(cookies.refreshToken.attributes.name).toBe('__Secure-shop-rt')
  })

  test('CK-06: leftover cookies are cleared on the other domains that this host can set cookies for', () => {
    const placesOf = (options: Partial<HttpOptions>): unknown => {
      const { olderClearings, hostClearings, parentClearings } = createHttpPolicy({ origin, ...options })
        .cookies.accessToken
      return [olderClearings, hostClearings, parentClearings]
        .map(cookies => [...new Set(cookies.map(({ domain }) => domain ?? 'host-only'))])
    }
    expect(placesOf({ cookie: { accessTokenName: 'at' } })).toEqual([[], ['app.example.com'], ['example.com']])
    expect(placesOf({ cookie: { domain: 'example.com' } })).toEqual([[], ['host-only', 'app.example.com'], []])
    expect(placesOf({ cookie: { accessTokenName: 'at', olderDomain: 'example.com' } }))
      .toEqual([['example.com'], ['app.example.com'], []])
    expect(placesOf({ cookie: { domain: 'example.com', olderDomain: '' } }))
      .toEqual([['host-only'], ['app.example.com'], []])
    expect(placesOf({})).toEqual([[], [], []])
    expect(placesOf({ origin: 'http://127.0.0.1' })).toEqual([[], [], []])
  })

  test('CK-09: the cookie with the narrower path is cleared if the path was widened', () => {
    const { narrowClearings } = createHttpPolicy({ origin, cookie: { refreshTokenPath: '/' } }).cookies
    expect(narrowClearings).toEqual([expect.objectContaining({ path: '/auth/session/refresh', value: '', expires: 0 })])
    expect(createHttpPolicy({ origin }).cookies.narrowClearings).toEqual([])
  })
})

test('FP-1: a path prefix that a proxy removes is part of the URLs of clients, not of the routes', () => {
  for (const gatewayPath of ['/api', 'api/', ' /api ']) {
    const { basePath, issuer, cookies } = createHttpPolicy({ origin, gatewayPath })
    expect([basePath, issuer]).toEqual(['/auth', 'https://app.example.com/api/auth'])
    expect(cookies.refreshToken.attributes.path).toBe('/api/auth/session/refresh')
  }
  expect(createHttpPolicy({ origin, gatewayPath: '/' }).issuer).toBe(`${origin}/auth`)
  expect(() => createHttpPolicy({ origin, gatewayPath: '/a b' })).toThrow('gatewayPath')
})

test('CSRF-03: trusted origins are parsed and serialized as browsers do', () => {
  const { isTrustedOrigin, issuer } = createHttpPolicy({
    origin: 'https://APP.example.com:443/', trustedOrigins: ['https://www.Example.com', 'http://localhost:3000'],
  })
  expect([origin, 'https://www.example.com', 'http://localhost:3000'].every(isTrustedOrigin)).toBe(true)
  expect(['https://www.Example.com', 'https://www.example.com/', `${origin}:443`].some(isTrustedOrigin)).toBe(false)
  expect(issuer).toBe('https://app.example.com/auth')
})

test('base paths are normalised', () => {
  const pathOf = (basePath: string): string => createHttpPolicy({ origin, basePath }).basePath
  expect(['auth', '/auth', '/auth/', ' /api/auth '].map(pathOf)).toEqual(['/auth', '/auth', '/auth', '/api/auth'])
  expect(['/', ''].map(pathOf)).toEqual(['', ''])
})

describe('rejects', () => {
  const cases: [string, Partial<HttpOptions>][] = [
    ['origin', { origin: 'app.example.com' }],
    ['origin', { origin: 'https://app.example.com/path' }],
    ['origin', { origin: 'https://user@app.example.com' }],
    ['origin', { origin: 'ftp://app.example.com' }],
    ['https', { origin: 'http://app.example.com' }],
    ['https', { origin: 'http://localhost.example.com' }],
    ['trustedOrigins', { trustedOrigins: ['null'] }],
    ['trustedOrigins', { trustedOrigins: ['*'] }],
    ['trustedOrigins', { trustedOrigins: ['https://*.example.com'] }],
    ['trustedOrigins', { trustedOrigins: ['example.com'] }],
    ['basePath', { basePath: '/a b' }],
    ['basePath', { basePath: '/a;b' }],
    ['basePath', { basePath: '/a/../b' }],
    ['basePath', { basePath: '//a' }],
    ['basePath', { basePath: '/a?b' }],
    ['prefix', { cookie: { accessTokenName: '__Host-a', domain: 'example.com' } }],
    ['prefix', { cookie: { refreshTokenName: '__Host-a' } }],
    ['prefix', { origin: 'http://localhost', cookie: { accessTokenName: '__Secure-a' } }],
    ['sameSite', { origin: 'http://localhost', cookie: { sameSite: 'none' } }],
    ['partitioned', { cookie: { partitioned: true } }],
    ['partitioned', { origin: 'http://localhost', cookie: { partitioned: true } }],
    ['different names', { cookie: { accessTokenName: 'a', refreshTokenName: 'a' } }],
    ['cookie.domain', { cookie: { domain: 'other.com' } }],
    ['cookie.domain', { cookie: { domain: 'com' } }],
    ['cookie.domain', { cookie: { domain: 'a.com; SameSite=None' } }],
    ['cookie.domain', { origin: 'http://127.0.0.1', cookie: { domain: '0.0.1' } }],
    ['must differ', { sessionExpiredStatusCode: 403 }],
    ['invalidClaimStatusCode', { invalidClaimStatusCode: 200 }],
  ]
  test.each(cases)('%s: %o', (message, options) => {
    expect(() => createHttpPolicy({ origin, ...options })).toThrow(message)
  })

  test('http on another host, unless allowInsecureCookies is set', () => {
    const { cookies } = createHttpPolicy({ origin: 'http://app.example.com', [allowInsecureCookies]: true })
    expect(cookies.accessToken.attributes).toMatchObject({ name: 'sAccessToken', secure: false })
  })
})
