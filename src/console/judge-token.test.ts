import { describe, expect, test } from 'vitest'
import { explainClaims, judgeToken } from './judge-token.ts'
import type { TokenFacts } from './judge-token.ts'

const now = Date.UTC(2026, 0, 1)
const seconds = now / 1000
const good: TokenFacts = {
  now,
  header: { alg: 'ES256', typ: 'at+jwt', kid: 'k' },
  claims: { iss: 'https://a', sub: 'ada', iat: seconds - 60, exp: seconds + 600 },
  isRefreshToken: false,
  format: { typ: 'at+jwt', issuer: 'https://a', audience: null },
  types: ['"at+jwt"'],
  key: { state: 'current', algorithm: 'ES256' },
  isSigned: true,
  isIdentified: true,
  maxLifetime: 3_600_000,
  session: 'active',
  storeAnswers: true,
  blacklisting: 'feed',
}
const unsigned = { isSigned: false, isIdentified: false, session: 'unread' } as const

describe('CON-18: the verdict on a token', () => {
  test('each part of a good token is good', () => {
    const { verdict, parts } = judgeToken(good)
    expect(verdict).toBe('good')
    for (const [part, judgement] of Object.entries(parts)) expect([part, judgement.verdict]).toEqual([part, 'good'])
  })

  test.each<
    readonly [
      title: string,
      facts: Partial<TokenFacts>,
      part: keyof ReturnType<typeof judgeToken>['parts'],
      verdict: string,
      words: RegExp,
    ]
  >([
    ['no JWT', { header: null, claims: null, key: null, format: null, ...unsigned, isSigned: null }, 'header', 'bad',
      /no JWT/],
    ['a refresh token', { isRefreshToken: true, header: null, claims: null, key: null, format: null, ...unsigned },
      'header', 'bad', /refresh token/],
    ['alg none', { header: { alg: 'none', typ: 'at+jwt', kid: 'k' }, ...unsigned }, 'header', 'bad', /"none".*ES256/],
    ['a key of its own', { header: { alg: 'ES256', typ: 'at+jwt', kid: 'k', jwk: {} } }, 'header', 'bad', /"jwk"/],
    ['crit', { header: { alg: 'ES256', typ: 'at+jwt', kid: 'k', crit: [] } }, 'header', 'bad', /"crit"/],
    ['another type', { header: { alg: 'ES256', typ: 'JWT', kid: 'k' }, format: null, isIdentified: false }, 'header',
      'bad', /"JWT".*"at\+jwt"/],
    ['no kid', { header: { alg: 'ES256', typ: 'at+jwt' }, key: null, isSigned: null }, 'key', 'bad',
      /"kid" is missing/],
    ['an unknown key', { key: null, isSigned: null, isIdentified: false }, 'key', 'bad', /no key of this id/],
    ['a previous key', { key: { state: 'previous', algorithm: 'ES256' } }, 'key', 'good', /previous/],
    ['a wrong signature', unsigned, 'signature', 'bad', /wrong/],
    ['a wrong signature: claims', unsigned, 'claims', 'unknown', /not to be trusted/],
    ['another issuer', { isIdentified: false, claims: { ...good.claims, iss: 'https://b' } }, 'claims', 'bad',
      /https:\/\/b/],
    ['an audience that is not expected', { isIdentified: false, claims: { ...good.claims, aud: 'x' } }, 'claims', 'bad',
      /audience/],
    ['another missing claim', { isIdentified: false }, 'claims', 'bad', /missing/],
    ['expired', { claims: { ...good.claims, exp: seconds - 120 } }, 'lifetime', 'bad', /2 minutes ago/],
    ['longer than configured', { maxLifetime: 30_000 }, 'lifetime', 'bad', /expired 30 seconds ago/],
    ['from the future', { claims: { ...good.claims, iat: seconds + 120 } }, 'lifetime', 'bad', /future/],
    ['revoked', { session: 'ended' }, 'revocation', 'bad', /revoked/],
    ['an updated payload', { session: 'outdated' }, 'revocation', 'warning', /updated/],
    ['no store', { session: 'unread', storeAnswers: false }, 'revocation', 'unknown', /does not answer/],
  ])('%s', (_, facts, part, verdict, words) => {
    const { parts } = judgeToken({ ...good, ...facts })
    expect([parts[part].verdict, parts[part].sentence]).toEqual([verdict, expect.stringMatching(words)])
  })

  test('the whole is what the server does', () => {
    const whole = (facts: Partial<TokenFacts>): string => judgeToken({ ...good, ...facts }).verdict
    expect(whole({ session: 'ended' })).toBe('bad')
    expect(whole({ session: 'ended', blacklisting: 'off' })).toBe('warning')
    expect(whole({ session: 'unread', storeAnswers: false })).toBe('unknown')
    expect(whole({ session: 'outdated' })).toBe('warning')
    expect(judgeToken({ ...good, ...unsigned }).sentence).toBe('This server rejects the token: the signature is wrong.')
  })

  test('names what the claims of the library mean, and their times', () => {
    const explained = explainClaims({ sub: 'ada', exp: 5, iat: 'soon', other: 1 })
    expect(explained.map(({ claim, at }) => [claim, at])).toEqual([['sub', null], ['iat', null], ['exp', 5000]])
    expect(explainClaims(null)).toEqual([])
  })
})
