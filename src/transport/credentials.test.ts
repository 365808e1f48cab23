import { describe, expect, test } from 'vitest'
import { sampleClaims } from '../../test/support/access-token.ts'
import { createHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import type { VerifyOptions, VerifyOutcome } from '../session/core.ts'
import type { MacSource } from '../tokens/token-mac.ts'
import { bearerToken, cookieTokens, macsOf, verifyAccessTokenNow, verifyAccessTokenOf } from './credentials.ts'
import { createHttpPolicy } from './http-policy.ts'

const policy = createHttpPolicy({ origin: 'https://app.example.com' })
const NAME = policy.cookies.accessToken.attributes.name
const alice = createHandle('cookie', nodeCrypto.randomBytes)
const bob = createHandle('cookie', nodeCrypto.randomBytes)
const app = createHandle('header', nodeCrypto.randomBytes)

const active = (sid: SessionHandle, exp: number): VerifyOutcome<object> => (
  { kind: 'active', claims: sampleClaims({ sid, exp }), payload: {}, reissued: null }
)
const expired: VerifyOutcome<object> = { kind: 'refresh-required', reason: 'expired' }

/** The tokens of the tests: what verifying them finds, and the handle that they name. */
const tokens: Readonly<Record<string, readonly [VerifyOutcome<object>, SessionHandle | null]>> = {
  'alice': [active(alice, 100), alice],
  'alice-later': [active(alice, 200), alice],
  'alice-expired': [expired, alice],
  'alice-revoked': [{ kind: 'revoked', handle: alice }, alice],
  'bob': [active(bob, 150), bob],
  'bob-expired': [expired, bob],
  'unreadable-revoked': [{ kind: 'revoked', handle: alice }, null],
  'app': [active(app, 100), app],
  'app-expired': [expired, app],
  'app-revoked': [{ kind: 'revoked', handle: app }, app],
  'nameless': [expired, null],
  // The signature is of another application, which has sessions with handles, too.
  'other-app': [{ kind: 'unrecognized' }, bob],
}

interface Call {
  readonly text: string
  readonly options: VerifyOptions
  readonly macs: MacSource | undefined
}

/** A core that knows {@link tokens}, and what was verified. `isSlow`: whether it can only answer asynchronously. */
function createCore(isSlow = false) {
  const calls: Call[] = []
  const outcomeOf = (text: string): VerifyOutcome<object> => tokens[text]?.[0] ?? { kind: 'unrecognized' }
  return {
    calls,
    decodeHandleUnverified: (text: string): SessionHandle | null => tokens[text]?.[1] ?? null,
    verify: async (text: string, options: VerifyOptions = {}, macs?: MacSource): Promise<VerifyOutcome<object>> => {
      calls.push({ text, options, macs })
      return outcomeOf(text)
    },
    verifyNow: (text: string, options: VerifyOptions = {}, macs?: MacSource): VerifyOutcome<object> | undefined => {
      calls.push({ text, options, macs })
      return isSlow ? undefined : outcomeOf(text)
    },
  }
}

const requestWith = (bearer: string | null, cookies: readonly string[]) => {
  const headers: Readonly<Record<string, string>> = {
    ...bearer === null ? {} : { authorization: `Bearer ${bearer}` },
    ...cookies.length === 0 ? {} : { cookie: cookies.map((text) => `${NAME}=${text}`).join('; ') },
  }
  return { header: (name: string): string | null => headers[name] ?? null }
}

const options: VerifyOptions = { blacklisting: 'strict' }
const macs: MacSource = () => []

/** What is found in a request, in short: the kind, or the channel, the token and whether it was duplicated. */
async function find(bearer: string | null, cookies: readonly string[], proven = true): Promise<unknown> {
  const core = createCore()
  const found = await verifyAccessTokenOf(core, policy, requestWith(bearer, cookies), options, proven, macs)
  expect(core.calls.every((call) => call.options === options)).toBe(true)
  if (found.kind !== 'judged') return found.kind
  expect(found.outcome).toEqual(tokens[found.accessToken]?.[0])
  return `${found.channel} ${found.accessToken}${found.duplicated ? ', one of several' : ''}`
}

test.each([
  ['Bearer abc', 'abc'], ['Bearer  abc ', 'abc'], ['Bearer a b', 'a b'], ['Bearer ', null], ['Bearer    ', null],
  ['bearer abc', null], ['Bearerabc', null], ['Basic abc', null], ['', null], [' Bearer abc', null], [null, null],
])('of the header Authorization: %s, the token is %s', (value, token) => {
  expect(bearerToken({ header: (name) => name === 'authorization' ? value : null })).toBe(token)
})

test('CK-06: of several cookies of a name, the first four different values count', () => {
  const cookiesOf = (...texts: string[]): readonly string[] => (
    cookieTokens(requestWith(null, texts), policy.cookies.accessToken)
  )
  expect(cookiesOf()).toEqual([])
  expect(cookiesOf('a')).toEqual(['a'])
  expect(cookiesOf('a', 'a')).toEqual(['a'])
  expect(cookiesOf('a', 'b', 'a', 'c', 'b', 'd', 'e')).toEqual(['a', 'b', 'c', 'd'])
})

test('the MACs of a request are those in its cookies, read when they are needed', () => {
  const name = policy.cookies.accessTokenMac.attributes.name
  let reads = 0
  const source = macsOf({
    header(header) {
      reads++
      return header === 'cookie' ? `${name}=m; ${name}=n; x=y` : null
    },
  }, policy)
  expect(reads).toBe(0)
  expect(source()).toEqual(['m', 'n'])
})

describe('the access token of a request', () => {
  test.each([
    ['nothing', null, [], 'none'],
    ['a cookie', null, ['alice'], 'cookie alice'],
    ['an expired cookie', null, ['alice-expired'], 'cookie alice-expired'],
    ['a revoked cookie', null, ['alice-revoked'], 'cookie alice-revoked'],
    ['a revoked cookie, by its verified handle', null, ['unreadable-revoked'], 'cookie unreadable-revoked'],
    ['an unrecognized cookie', null, ['junk'], 'none'],
    ['a cookie of another application', null, ['other-app'], 'none'],
    ['a token that names no session', null, ['nameless'], 'none'],
    ['CK-14: a header token in a cookie', null, ['app'], 'none'],
    ['CK-14: an expired header token in a cookie', null, ['app-expired'], 'none'],
    ['CK-14: a revoked header token in a cookie', null, ['app-revoked'], 'none'],
    ['a bearer token', 'app', [], 'header app'],
    ['an expired bearer token', 'app-expired', [], 'header app-expired'],
    ['a revoked bearer token', 'app-revoked', [], 'header app-revoked'],
    ['CSRF-13: a bearer token beside a cookie', 'app', ['alice'], 'header app'],
    ['CSRF-13: an expired bearer token beside a cookie', 'app-expired', ['alice'], 'header app-expired'],
    ['CK-14: a cookie token as bearer', 'alice', [], 'wrong-channel'],
    ['CK-14: a cookie token as bearer, beside a cookie', 'alice-expired', ['alice'], 'wrong-channel'],
    ['an unrecognized bearer token beside a cookie', 'junk', ['alice'], 'cookie alice'],
    ['an unrecognized bearer token alone', 'junk', [], 'none'],
  ] as const)('%s', async (_, bearer, cookies, found) => {
    expect(await find(bearer, cookies)).toBe(found)
  })

  test.each([
    ['the later of two active tokens of a session', ['alice', 'alice-later'], 'cookie alice-later, one of several'],
    ['an active one before an expired one', ['bob-expired', 'alice'], 'cookie alice, one of several'],
    ['an expired one before a revoked one', ['alice-revoked', 'bob-expired'], 'cookie bob-expired, one of several'],
    ['an active one before an unrecognized one', ['junk', 'alice'], 'cookie alice, one of several'],
    ['none of two active sessions', ['alice', 'bob'], 'ambiguous'],
    ['none of two active sessions, and expired ones', ['alice', 'bob-expired', 'alice-later', 'bob'], 'ambiguous'],
    ['none, if none is recognized', ['junk', 'app'], 'none'],
  ] as const)('CK-06: of several cookies, in either order: %s', async (_, cookies, found) => {
    expect(await find(null, cookies)).toBe(found)
    expect(await find(null, cookies.toReversed())).toBe(found)
  })

  test('CK-06: of two equal ones, the first', async () => {
    expect(await find(null, ['alice-expired', 'bob-expired'])).toBe('cookie alice-expired, one of several')
  })
})

describe('S-20: without a trusted page, no cookie is verified', () => {
  test.each([
    [null, [], 'none'], [null, ['alice'], 'cross-site'], [null, ['alice-expired'], 'cross-site'],
    [null, ['junk'], 'none'], [null, ['app'], 'none'], [null, ['junk', 'bob'], 'cross-site'],
    ['junk', ['alice'], 'cross-site'], ['app', ['alice'], 'header app'], ['alice', [], 'wrong-channel'],
  ] as const)('bearer %s, cookies %o: %s', async (bearer, cookies, found) => {
    expect(await find(bearer, cookies, false)).toBe(found)
    const core = createCore()
    await verifyAccessTokenOf(core, policy, requestWith(bearer, cookies), options, false, macs)
    expect(core.calls.map(({ text }) => text)).toEqual(bearer === null ? [] : [bearer])
  })
})

test('a MAC of the cookies stands for the signature of tokens in cookies alone', async () => {
  const core = createCore()
  await verifyAccessTokenOf(core, policy, requestWith('junk', ['alice', 'bob']), options, true, macs)
  expect(core.calls.map((call) => [call.text, call.macs]))
    .toEqual([['junk', undefined], ['alice', macs], ['bob', macs]])
  core.calls.length = 0
  verifyAccessTokenNow(core, policy, requestWith('app', []), options, true, macs)
  verifyAccessTokenNow(core, policy, requestWith(null, ['alice']), options, true, macs)
  expect(core.calls).toEqual([{ text: 'app', options, macs: undefined }, { text: 'alice', options, macs }])
})

test('synchronously, the result is the same, or there is none: for several tokens and other sites', async () => {
  const names = [...Object.keys(tokens), 'junk']
  const cookies = [[], ...names.map((name) => [name]), ['alice', 'bob'], ['alice', 'alice'], ['alice', 'junk']]
  for (const bearer of [null, ...names]) {
    for (const sent of cookies) {
      for (const proven of [true, false]) {
        const request = requestWith(bearer, sent)
        const now = verifyAccessTokenNow(createCore(), policy, request, options, proven, macs)
        const kind = bearer === null ? 'none' : tokens[bearer]?.[0].kind ?? 'unrecognized'
        const expectsResult = bearer === null
          ? sent.length === 0 || (proven && new Set(sent).size === 1)
          : kind !== 'unrecognized'
        const what = `bearer ${bearer}, cookies ${sent}, ${proven ? 'proven' : 'not proven'}`
        expect(now !== undefined, what).toBe(expectsResult)
        if (now === undefined) continue
        expect(now, what).toEqual(await verifyAccessTokenOf(createCore(), policy, request, options, proven, macs))
        const isEmpty = bearer === null && sent.length === 0
        const slow = verifyAccessTokenNow(createCore(true), policy, request, options, proven, macs)
        expect(slow, what).toEqual(isEmpty ? { kind: 'none' } : undefined)
      }
    }
  }
})
