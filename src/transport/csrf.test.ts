import { expect, test } from 'vitest'
import { isUpgrade, judgeOrigin } from './csrf.ts'
import type { HttpRequest } from './exchange.ts'

const trusted = new Set(['https://app.example.com', 'https://www.example.com:8443'])

function requestWith(headers: Record<string, string>, method = 'POST'): HttpRequest {
  return {
    method, path: '/', client: { ip: null, userAgent: null }, header: name => headers[name] ?? null,
  }
}

const judge = (site: string | null, origin: string | null): string => judgeOrigin(requestWith({
  ...(site === null ? {} : { 'sec-fetch-site': site }),
  ...(origin === null ? {} : { origin }),
}), trusted)

test('CSRF-01: Sec-Fetch-Site decides, then Origin', () => {
  expect(judge('same-origin', null)).toBe('trusted')
  expect(judge('same-origin', 'https://evil.example')).toBe('trusted')
  expect(judge('none', null)).toBe('trusted')
  expect(judge('same-site', null)).toBe('foreign')
  expect(judge('cross-site', null)).toBe('foreign')
  expect(judge('SAME-ORIGIN', null)).toBe('foreign')
  expect(judge('', null)).toBe('foreign')
  expect(judge('same-origin, same-origin', null)).toBe('foreign')
  expect(judge('same-site', 'https://www.example.com:8443')).toBe('trusted')
  expect(judge('cross-site', 'https://www.example.com:8443')).toBe('trusted')
  expect(judge('cross-site', 'https://evil.example')).toBe('foreign')
  expect(judge(null, 'https://app.example.com')).toBe('trusted')
  expect(judge(null, 'https://evil.example')).toBe('foreign')
  expect(judge(null, null)).toBe('unstated')
})

test('CSRF-02: the origin null is a foreign one', () => {
  expect(judge(null, 'null')).toBe('foreign')
  expect(judge('cross-site', 'null')).toBe('foreign')
})

test('CSRF-03: origins are compared as a whole', () => {
  for (const origin of [
    'https://app.example.com.evil.tld', 'https://evilapp.example.com', 'http://app.example.com',
    'https://app.example.com@evil.tld', 'https://app.example.com:444', 'https://app.example.com/', 'app.example.com',
    'HTTPS://APP.EXAMPLE.COM', 'https://app.example.com, https://evil.tld', 'https://www.example.com', '',
  ]) expect(judge(null, origin), origin).toBe('foreign')
})

test('S-08: a WebSocket handshake and a CONNECT are no ordinary requests', () => {
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
