import { describe, expect, test } from 'vitest'
import { isTopLevelNavigation, isUpgrade, classifyOrigin } from './csrf.ts'
import type { HttpRequest } from './exchange.ts'
import { createHttpPolicy } from './http-policy.ts'

const OWN = 'https://app.example.com'
const TRUSTED = 'https://www.example.com:8443'
const policy = createHttpPolicy({ origin: OWN, trustedOrigins: [TRUSTED] })
const withDomain = createHttpPolicy({ origin: OWN, trustedOrigins: [TRUSTED], cookie: { domain: 'example.com' } })

function requestWith(headers: Record<string, string>, method = 'POST'): HttpRequest {
  return { method, path: '/', client: { ip: null, userAgent: null }, header: name => headers[name] ?? null }
}

const judge = (site: string | null, origin: string | null, by = policy): string => classifyOrigin(requestWith({
  ...(site === null ? {} : { 'sec-fetch-site': site }),
  ...(origin === null ? {} : { origin }),
}), by)

describe('S-18: the stricter of Origin and Sec-Fetch-Site decides', () => {
  const sites = [null, 'none', 'same-origin', 'same-site', 'cross-site', 'unheard-of', ''] as const
  const table: [origin: string | null, ...verdicts: string[]][] = [
    [null, 'unknown', 'trusted', 'trusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted'],
    [OWN, 'trusted', 'trusted', 'trusted', 'trusted', 'untrusted', 'untrusted', 'untrusted'],
    [TRUSTED, 'trusted', 'trusted', 'trusted', 'trusted', 'trusted', 'trusted', 'trusted'],
    ['https://blog.example.com', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted'],
    ['https://evil.example', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted'],
    ['', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted'],
  ]

  test.each(table)('Origin %s', (origin, ...verdicts) => {
    expect(sites.map(site => judge(site, origin))).toEqual(verdicts)
    expect(sites.map(site => judge(site, origin, withDomain)), 'with a cookie domain').toEqual(verdicts)
  })

  test('Origin null is trusted only with Sec-Fetch-Site: same-origin and cookies of one host', () => {
    const untrusted = sites.map(() => 'untrusted')
    expect(sites.map(site => judge(site, 'null'))).toEqual(untrusted.with(sites.indexOf('same-origin'), 'trusted'))
    expect(sites.map(site => judge(site, 'null', withDomain))).toEqual(untrusted)
  })

  test.each(['SAME-ORIGIN', 'same-origin, same-origin', ' none'])('values are compared exactly: %s', site => {
    expect([judge(site, null), judge(site, 'null'), judge(site, OWN)]).toEqual(['untrusted', 'untrusted', 'untrusted'])
  })
})

test('CSRF-02: the origin null is untrusted', () => {
  expect(judge(null, 'null')).toBe('untrusted')
  expect(judge('cross-site', 'null')).toBe('untrusted')
})

test('CSRF-03: origins are compared exactly', () => {
  for (const origin of [
    'https://app.example.com.evil.tld', 'https://evilapp.example.com', 'http://app.example.com',
    'https://app.example.com@evil.tld', 'https://app.example.com:444', 'https://app.example.com/', 'app.example.com',
    'HTTPS://APP.EXAMPLE.COM', 'https://app.example.com, https://evil.tld', 'https://www.example.com', '',
  ]) expect(judge(null, origin), origin).toBe('untrusted')
})

test('L-13: a function decides about origins, but not about null, and the origin of an app is trusted', () => {
  const trusting = createHttpPolicy({
    origin: OWN, trustedOrigins: ['capacitor://localhost', sent => sent.endsWith('.preview.example')],
  })
  expect(judge('cross-site', 'capacitor://localhost', trusting)).toBe('trusted')
  expect(judge('cross-site', 'https://a.preview.example', trusting)).toBe('trusted')
  expect(judge('cross-site', 'https://a.preview.example.evil.tld', trusting)).toBe('untrusted')
  const all = createHttpPolicy({ origin: OWN, trustedOrigins: [() => true] })
  expect(judge('cross-site', 'null', all)).toBe('untrusted')
  expect(judge('cross-site', 'https://evil.tld', all)).toBe('trusted')
  expect(judge('cross-site', OWN, all), 'another site has redirected it').toBe('untrusted')
})

test('S-08: a WebSocket handshake and a CONNECT are upgrades', () => {
  const opens = (method: string, upgrade?: string): boolean => (
    isUpgrade(requestWith(upgrade === undefined ? {} : { upgrade }, method))
  )
  for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket', 'websocket/13']) {
    expect(opens('GET', upgrade), upgrade).toBe(true)
  }
  expect(opens('CONNECT')).toBe(true)
  expect(opens('CONNECT', 'websocket')).toBe(true)
  expect(opens('GET')).toBe(false)
  expect(opens('GET', 'h2c')).toBe(false)
  expect(opens('POST', 'websocket'), 'still needs its anti-CSRF token').toBe(false)
})

test('S-20: only the request for a page in a browser tab is a top-level navigation', () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect(isTopLevelNavigation(requestWith(link, 'GET'))).toBe(true)
  expect(isTopLevelNavigation(requestWith(link, 'POST')), 'a form').toBe(false)
  expect(isTopLevelNavigation(requestWith({ ...link, origin: 'https://evil.example' }, 'GET')), 'a script').toBe(false)
  for (const other of [
    { 'sec-fetch-dest': 'iframe' }, { 'sec-fetch-dest': 'empty' }, { 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-mode': 'cors' },
  ]) expect(isTopLevelNavigation(requestWith({ ...link, ...other }, 'GET')), JSON.stringify(other)).toBe(false)
  expect(isTopLevelNavigation(requestWith({}, 'GET')), 'no browser').toBe(false)
})
