import { describe, expect, test } from 'vitest'
import { CrossSiteRequestError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import type { MisconfigurationFacts } from '../session/misconfiguration.ts'
import {
  classifyOrigin, hasAntiCsrfProof, isSafeMethod, isTopLevelNavigation, isUpgrade, mayLogIn, mayRead,
  mayRefreshBeforeRender, needsAntiCsrfProof, refuseCrossSiteLogin, refuseUntrustedOrigin, requireTrustedOrigin,
} from './csrf.ts'
import type { HttpRequest } from './exchange.ts'
import { createHttpPolicy } from './http-policy.ts'

const OWN = 'https://app.example.com'
const TRUSTED = 'https://www.example.com:8443'
const policy = createHttpPolicy({ origin: OWN, trustedOrigins: [TRUSTED] })
const withDomain = createHttpPolicy({ origin: OWN, trustedOrigins: [TRUSTED], cookie: { domain: 'example.com' } })

function requestWith(headers: Record<string, string>, method = 'POST'): HttpRequest {
  const client = { ip: null, userAgent: null }
  return { identity: {}, method, path: '/', query: '', client, header: name => headers[name] ?? null }
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
    ['https://blog.example.com', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted', 'untrusted',
      'untrusted'],
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

describe('L-01: a login from another site', () => {
  const tab = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const allows = (headers: Record<string, string>, method = 'GET'): readonly [byDefault: boolean, allowed: boolean] => (
    [mayLogIn(requestWith(headers, method), policy, false), mayLogIn(requestWith(headers, method), policy, true)]
  )
  const [always, withOption, never] = [[true, true], [false, true], [false, false]] as const

  test.each(['cross-site', 'same-site'])('by a navigation of the tab, %s', site => {
    const from = { ...tab, 'sec-fetch-site': site }
    expect(allows(from), 'a redirect or a link').toEqual(always)
    for (const origin of ['https://id.example', 'null']) {
      expect(allows({ ...from, origin }, 'POST'), `a form with origin ${origin}`).toEqual(withOption)
    }
    expect(allows(from, 'POST'), 'a form without an origin').toEqual(withOption)
  })

  test.each([
    ['a frame', { 'sec-fetch-dest': 'iframe' }], ['an old frame', { 'sec-fetch-dest': 'frame' }],
    ['an object', { 'sec-fetch-dest': 'object' }], ['an embed', { 'sec-fetch-dest': 'embed' }],
    ['a fenced frame', { 'sec-fetch-dest': 'fencedframe' }],
    ['an image', { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' }],
    ['a script', { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' }],
    ['a script without CORS', { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'no-cors' }],
    ['a WebSocket', { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'websocket' }],
    ['a page fetched ahead of a click', { 'sec-purpose': 'prefetch;prerender' }],
    ['an unknown site', { 'sec-fetch-site': 'same-galaxy' }],
    ['no destination', { 'sec-fetch-dest': '' }],
  ] as const)('never by %s', (_, headers) => {
    const from = { ...tab, 'sec-fetch-site': 'cross-site', ...headers }
    expect(allows(from)).toEqual(never)
    expect(allows({ ...from, origin: 'https://id.example' }, 'POST')).toEqual(never)
    expect(allows({ ...from, origin: 'null' }, 'POST')).toEqual(never)
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'HEAD', 'CONNECT', 'OPTIONS'])('never with %s', method => {
    expect(allows({ ...tab, 'sec-fetch-site': 'cross-site' }, method)).toEqual(never)
    expect(allows({ ...tab, 'sec-fetch-site': 'cross-site', origin: 'https://id.example' }, method)).toEqual(never)
  })

  test('in a browser without Fetch metadata', () => {
    expect(allows({}), 'a redirect or a link').toEqual(always)
    expect(allows({}, 'POST'), 'a client that is no browser').toEqual(always)
    for (const origin of ['https://id.example', 'null']) {
      expect(allows({ origin }, 'POST'), `a form with origin ${origin}`).toEqual(withOption)
      expect(allows({ origin }), 'a script').toEqual(never)
    }
    for (const part of [{ 'sec-fetch-mode': 'navigate' }, { 'sec-fetch-dest': 'document' }]) {
      expect(allows({ origin: 'https://id.example', ...part }, 'POST'), 'a part of the headers').toEqual(never)
    }
  })

  test('from a trusted page, as before', () => {
    for (const headers of [{ origin: OWN }, { origin: TRUSTED }, { 'sec-fetch-site': 'same-origin' }]) {
      expect(allows(headers, 'POST')).toEqual(always)
    }
  })
})

describe('CSRF-01: a refused request is reported with its origin, and the error names the option that helps', () => {
  const reports: MisconfigurationFacts[] = []
  const reporting = createHttpPolicy({ origin: OWN }, (found) => void reports.push(found))
  const refused = (refuse: () => void): unknown => {
    reports.length = 0
    try {
      refuse()
    } catch (error) {
      if (error instanceof CrossSiteRequestError) return error.message
      throw error
    }
    return null
  }
  const evil = { origin: 'https://evil.example' }
  const report = { code: 'UNTRUSTED_ORIGIN', origin: 'https://evil.example', configured: OWN }

  test.each([
    ['refuseUntrustedOrigin', refuseUntrustedOrigin], ['requireTrustedOrigin', requireTrustedOrigin],
  ] as const)('by %s', (_, check) => {
    expect(refused(() => check(requestWith(evil), reporting)))
      .toBe('the origin of the request is not trusted; the option trustedOrigins adds front ends')
    expect(reports).toEqual([report])
    expect(refused(() => check(requestWith({ origin: OWN }), reporting))).toBeNull()
    expect(reports).toEqual([])
  })

  test('an unknown origin needs a custom header only where a trusted origin is required', () => {
    expect(refused(() => refuseUntrustedOrigin(requestWith({}), reporting))).toBeNull()
    expect(refused(() => requireTrustedOrigin(requestWith({}), reporting))).toContain('not trusted')
    expect(reports).toEqual([{ ...report, origin: null }])
    expect(refused(() => requireTrustedOrigin(requestWith({ rid: 'anti-csrf' }), reporting))).toBeNull()
    expect(refused(() => requireTrustedOrigin(requestWith({ rid: ' ' }), reporting))).toContain('not trusted')
    expect(refused(() => requireTrustedOrigin(requestWith({ ...evil, rid: 'anti-csrf' }), reporting)))
      .toContain('not trusted')
  })

  test('by a login', () => {
    expect(refused(() => refuseCrossSiteLogin(requestWith(evil), reporting, false))).toBe(
      'a page of another site sent this login; the option allowCrossSitePost of createNewSession allows the callback '
        + 'of an identity provider, the option trustedOrigins a front end of yours',
    )
    expect(reports).toEqual([report])
    expect(refused(() => refuseCrossSiteLogin(requestWith(evil, 'GET'), reporting, false))).toBe(
      'another site caused this login, and not by a navigation of the tab; the option trustedOrigins adds front ends',
    )
    expect(reports).toEqual([report])
    expect(refused(() => refuseCrossSiteLogin(requestWith(evil), reporting, true))).toBeNull()
    expect(reports).toEqual([])
  })
})

test('CSRF-01: exactly the methods that RFC 9110 calls safe need no check', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) expect(isSafeMethod(method), method).toBe(true)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'QUERY', 'get', '']) {
    expect(isSafeMethod(method), method).toBe(false)
  }
})

describe('anti-CSRF headers', () => {
  const byHeader = createHttpPolicy({ origin: OWN, antiCsrf: 'custom-header' })
  const byToken = createHttpPolicy({ origin: OWN, antiCsrf: 'token' })
  const handle = createHandle('cookie', nodeCrypto.randomBytes)
  const shown: (readonly string[])[] = []
  const core = {
    isAntiCsrfToken: async (...presented: readonly string[]): Promise<boolean> => {
      shown.push(presented)
      return presented[1] === 'right'
    },
  }

  test('CSRF-05: are needed for guarded requests with cookies, unless the origin suffices or it is a handshake', () => {
    const upgrade = requestWith({ upgrade: 'websocket' }, 'GET')
    for (const by of [byHeader, byToken]) {
      expect(needsAntiCsrfProof(by, requestWith({}), true, 'cookie')).toBe(true)
      expect(needsAntiCsrfProof(by, requestWith({}, 'GET'), true, 'cookie')).toBe(true)
      expect(needsAntiCsrfProof(by, requestWith({}), false, 'cookie')).toBe(false)
      expect(needsAntiCsrfProof(by, requestWith({}), true, 'header')).toBe(false)
      expect(needsAntiCsrfProof(by, upgrade, true, 'cookie')).toBe(false)
    }
    expect(needsAntiCsrfProof(policy, requestWith({}), true, 'cookie')).toBe(false)
  })

  test('CSRF-06, CSRF-07: each setting requires its own header', async () => {
    const has = async (headers: Record<string, string>): Promise<readonly boolean[]> => (
      Promise.all([policy, byHeader, byToken].map(async (by) => (
        hasAntiCsrfProof(requestWith(headers), by, core, handle)
      )))
    )
    expect(await has({})).toEqual([true, false, false])
    expect(await has({ rid: ' ', 'anti-csrf': '' })).toEqual([true, false, false])
    expect(shown, 'no header, nothing to compare').toEqual([])
    expect(await has({ rid: 'anti-csrf' })).toEqual([true, true, false])
    expect(await has({ 'anti-csrf': 'wrong' })).toEqual([true, false, false])
    expect(await has({ 'anti-csrf': 'right' })).toEqual([true, false, true])
    expect(shown).toEqual([[handle, 'wrong'], [handle, 'right']])
  })

  test('CSRF-06: a page that is sent by POST is not rendered with new tokens without them', async () => {
    const own = { origin: OWN }
    const may = (by: typeof policy, headers: Record<string, string>): Promise<boolean> => (
      mayRefreshBeforeRender(requestWith(headers), by, core, handle)
    )
    expect(await may(policy, own)).toBe(true)
    expect(await may(policy, {})).toBe(false)
    expect(await may(policy, { rid: 'anti-csrf' })).toBe(true)
    expect(await may(policy, { origin: 'https://evil.example', rid: 'anti-csrf' })).toBe(false)
    expect(await may(byToken, own)).toBe(false)
    expect(await may(byToken, { ...own, 'anti-csrf': 'right' })).toBe(true)
    expect(await may(byToken, { 'anti-csrf': 'right' })).toBe(false)
  })

  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

  test.each([
    ['a page of its own', { 'sec-fetch-site': 'same-origin' }, true],
    ['a client that is no browser', {}, true],
    ['a link on another site', link, true],
    ['a frame of another site', { ...link, 'sec-fetch-dest': 'iframe' }, false],
    ['a script of another site', { origin: 'https://evil.example' }, false],
    ['a connection of its own', { 'sec-fetch-site': 'same-origin', upgrade: 'websocket' }, false],
    ['a link that opens a connection', { ...link, upgrade: 'websocket' }, false],
  ])('S-20: a page that is sent by GET is rendered with new tokens, or not: %s', async (_, headers, isAllowed) => {
    expect(await mayRefreshBeforeRender(requestWith(headers, 'GET'), byToken, core, handle)).toBe(isAllowed)
  })
})

test.each([
  ['a page', {}, true], ['a page of another site', { origin: 'https://evil.example' }, true],
  ['a connection of an own page', { upgrade: 'websocket', origin: OWN }, true],
  ['a connection of another site', { upgrade: 'websocket', origin: 'https://evil.example' }, false],
  ['a connection from anywhere', { upgrade: 'websocket' }, false],
])('S-08: the cookies of a request may be read, unless an untrusted page opens a connection: %s', (_, headers, may) => {
  expect(mayRead(requestWith(headers, 'GET'), policy)).toBe(may)
})
