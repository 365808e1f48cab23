import { describe, expect, test } from 'vitest'
import { createHttpPolicy } from './http-policy.ts'
import { createOriginMatcher } from './trusted-origins.ts'
import type { TrustedOrigin } from './trusted-origins.ts'

const OWN = 'https://app.example.com'

describe('L-13: trustedOrigins accepts', () => {
  test.each([
    'capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'https://tauri.localhost',
    'chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai', 'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'http://shop.localhost', 'http://shop.localhost:5173', 'app://obsidian.md', 'http://192.168.1.20:3000',
    'https://xn--mnchen-3ya.example', 'safari-web-extension://8A7C2F4E-0D1B-4C3A-9E5F-6B7A8C9D0E1F',
  ])('%s, which then is itself and nothing else', origin => {
    const { isTrustedOrigin } = createHttpPolicy({ origin: OWN, trustedOrigins: [origin] })
    expect(isTrustedOrigin(origin)).toBe(true)
    const { host } = new URL(origin)
    for (const other of [
      `https://${host}.evil.example`, `evil://${host}`, `${origin}:1234`, `${origin}/`, origin.slice(0, -1),
      'null', '', host, origin.replace(/^[a-z]/, first => first.toUpperCase()),
    ]) expect(isTrustedOrigin(other), other).toBe(false)
  })

  test.each([
    ['https://münchen.example', 'https://xn--mnchen-3ya.example'],
    ['https://MÜNCHEN.example:443/', 'https://xn--mnchen-3ya.example'],
    ['https://例え.テスト', 'https://xn--r8jz45g.xn--zckzah'],
    ['CAPACITOR://localhost/', 'capacitor://localhost'],
  ])('%s, for what browsers send: %s', (text, sent) => {
    expect(createHttpPolicy({ origin: OWN, trustedOrigins: [text] }).isTrustedOrigin(sent)).toBe(true)
  })

  test('a server on a name under localhost, and one with a domain that is not ASCII', () => {
    expect(createHttpPolicy({ origin: 'http://shop.localhost:3000' }).origin).toBe('http://shop.localhost:3000')
    expect(createHttpPolicy({ origin: 'https://münchen.example' }).origin).toBe('https://xn--mnchen-3ya.example')
  })
})

describe('L-13: trustedOrigins rejects, in words,', () => {
  test.each([
    'null', '*', 'https://*.example.com', 'capacitor://*', 'example.com', 'localhost:3000', 'capacitor:',
    'capacitor://',
    'https://www.example.com/path', 'capacitor://localhost/path', 'tauri://localhost?a', 'tauri://localhost#a',
    'tauri://user@localhost', 'file:///index.html', 'data:text/html,x', 'javascript:alert(1)', 'ws://www.example.com',
  ])('%s', origin => {
    expect(() => createHttpPolicy({ origin: OWN, trustedOrigins: [origin] })).toThrow(
      /^trustedOrigins\[0\] must be an origin such as .* without a path or wildcard, or a function .*; received /,
    )
  })

  test('an app scheme as the origin of the server', () => {
    expect(() => createHttpPolicy({ origin: 'capacitor://localhost' })).toThrow('origin must be an origin such as')
  })
})

describe('L-13: a function in trustedOrigins', () => {
  const preview = /^https:\/\/shop-[a-z0-9]+\.preview\.example$/

  test('decides for origins that are not listed', () => {
    const { isTrustedOrigin } = createHttpPolicy({
      origin: OWN, trustedOrigins: ['https://www.example.com', origin => preview.test(origin)],
    })
    expect([OWN, 'https://www.example.com', 'https://shop-1a2.preview.example'].every(isTrustedOrigin)).toBe(true)
    expect(['https://evil.example', 'http://shop-1a2.preview.example'].some(isTrustedOrigin)).toBe(false)
  })

  test('is asked about origins as browsers send them, and never about null', () => {
    const asked: string[] = []
    const trustsAll: TrustedOrigin = origin => asked.push(origin) > 0
    const isTrusted = createOriginMatcher(OWN, [trustsAll])
    for (const sent of [
      'null', '', '*', 'https://evil.example, https://www.example.com', 'https://www.example.com/path',
      'https://ü.example',
      ' https://www.example.com', 'https://user@www.example.com', 'HTTPS://www.example.com',
      'https://www.example.com:443',
    ]) expect(isTrusted(sent), sent).toBe(false)
    expect(['https://www.example.com', 'capacitor://localhost', OWN].every(isTrusted)).toBe(true)
    expect(asked).toEqual(['https://www.example.com', 'capacitor://localhost'])
  })

  test.each([
    ['a promise', Promise.resolve(false)], ['a string', 'no'], ['nothing', undefined],
  ])('must answer true or false: %s is an error, and trusts nobody', (_, answer) => {
    // @ts-expect-error: it must return a boolean
    const isTrusted = createOriginMatcher(OWN, [() => answer])
    expect(() => isTrusted('https://a.example')).toThrow('must return true or false; it returned')
  })
})
