import { describe, expect, test } from 'vitest'
import { sampleRefreshKey } from '../../test/support/key-ring.ts'
import { createHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { TokenOwner } from '../tokens/token-owner.ts'
import { createHttpPolicy } from './http-policy.ts'
import { findRefreshToken, refreshTokensInCookies, tokensOfOneSession } from './refresh-credentials.ts'
import type { PresentedRefreshToken } from './refresh-credentials.ts'

const policy = createHttpPolicy({ origin: 'https://app.example.com' })
const names = {
  access: policy.cookies.accessToken.attributes.name, refresh: policy.cookies.refreshToken.attributes.name,
}
const key = await sampleRefreshKey()
const alice = createHandle('cookie', nodeCrypto.randomBytes)
const bob = createHandle('cookie', nodeCrypto.randomBytes)
const app = createHandle('header', nodeCrypto.randomBytes)
const secret = 'A'.repeat(43)

const write = async (handle: SessionHandle, generation = 1, branch = 0): Promise<PresentedRefreshToken> => {
  const text = await key.write({ handle, generation, branch, anchor: secret, secret })
  const token = parseRefreshToken(text)
  if (token === null) throw new Error('not a refresh token')
  return { text, token }
}

/** An access token of these tests is the handle itself. */
const core = {
  decodeHandleUnverified: (text: string): SessionHandle | null => (
    [alice, bob, app].find(each => each === text) ?? null
  ),
}

interface Sent {
  readonly bearer?: string
  readonly access?: readonly string[]
  readonly refresh?: readonly string[]
}

const requestWith = ({ bearer, access = [], refresh = [] }: Sent) => {
  const cookies = [
    ...access.map((text) => `${names.access}=${text}`), ...refresh.map((text) => `${names.refresh}=${text}`),
  ].join('; ')
  const headers: Readonly<Record<string, string>> = {
    ...bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }, ...cookies === '' ? {} : { cookie: cookies },
  }
  return {
    identity: {}, method: 'POST', path: '/', query: '', client: { ip: null, userAgent: null },
    header: (name: string): string | null => headers[name] ?? null,
  }
}

const ofAlice = await write(alice)
const ofBob = await write(bob)
const ofApp = await write(app)
const none = { kind: 'none' }
const inCookies = (...tokens: readonly PresentedRefreshToken[]) => ({ kind: 'tokens', channel: 'cookie', tokens })

describe('the refresh tokens of a request', () => {
  test.each([
    ['none', {}, none],
    ['a bearer token', { bearer: ofApp.text }, { kind: 'tokens', channel: 'header', tokens: [ofApp] }],
    ['a bearer token beside cookies', { bearer: ofApp.text, access: [alice], refresh: [ofAlice.text] },
      { kind: 'tokens', channel: 'header', tokens: [ofApp] }],
    ['cookies beside a bearer token that is an access token', { bearer: app, access: [alice], refresh: [ofAlice.text] },
      inCookies(ofAlice)],
    ['a bearer token that is an access token', { bearer: app }, none],
    ['a cookie beside an access token of its own', { access: [alice], refresh: [ofAlice.text] }, inCookies(ofAlice)],
    ['a cookie alone', { refresh: [ofAlice.text] }, none],
    ['a cookie beside an access token of another session', { access: [bob], refresh: [ofAlice.text] }, none],
    ['a cookie beside an unrecognized access token', { access: ['junk'], refresh: [ofAlice.text] }, none],
    ['CK-14: a cookie with a header token', { access: [app], refresh: [ofApp.text] }, none],
    ['a malformed cookie', { access: [alice], refresh: ['junk'] }, none],
    ['cookies of two sessions', { access: [alice, bob], refresh: [ofAlice.text, ofBob.text] },
      inCookies(ofAlice, ofBob)],
    ['the cookies that count', { access: [bob], refresh: ['junk', ofAlice.text, ofBob.text] }, inCookies(ofBob)],
  ] satisfies readonly (readonly [string, Sent, unknown])[])('%s', (_, sent, found) => {
    expect(findRefreshToken(core, policy, requestWith(sent))).toEqual(found)
  })

  test('a bearer token does not hide those in cookies from a sign-out', () => {
    const request = requestWith({ bearer: ofApp.text, access: [alice], refresh: [ofAlice.text] })
    expect(refreshTokensInCookies(core, policy, request)).toEqual([ofAlice])
  })
})

describe('CK-06: of several refresh tokens', () => {
  const asked: string[] = []
  const ownedBy = (owners: ReadonlyMap<string, TokenOwner>) => ({
    ownerOfRefreshToken: async (text: string): Promise<TokenOwner> => {
      asked.push(text)
      return owners.get(text) ?? 'other'
    },
  })

  test('none or one is taken as it is, without a look at its tag', async () => {
    asked.length = 0
    expect(await tokensOfOneSession(ownedBy(new Map()), [])).toEqual([])
    expect(await tokensOfOneSession(ownedBy(new Map()), [ofAlice])).toEqual([ofAlice])
    expect(asked).toEqual([])
  })

  test('of one session, the newest is first: by generation, then by branch', async () => {
    asked.length = 0
    const ordered = [
      await write(alice, 3, 0), await write(alice, 2, 2), await write(alice, 2, 1), await write(alice, 1, 7),
    ]
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]]) {
      const sent = order.flatMap((index) => ordered[index] ?? [])
      expect(await tokensOfOneSession(ownedBy(new Map()), sent)).toEqual(ordered)
    }
    expect(asked).toEqual([])
  })

  test('of several sessions, those of other applications are ignored', async () => {
    const owners = new Map<string, TokenOwner>([[ofAlice.text, 'ours']])
    expect(await tokensOfOneSession(ownedBy(owners), [ofAlice, ofBob])).toEqual([ofAlice])
    expect(await tokensOfOneSession(ownedBy(owners), [ofBob, ofAlice])).toEqual([ofAlice])
    expect(await tokensOfOneSession(ownedBy(new Map()), [ofAlice, ofBob])).toEqual([])
  })

  test('of several sessions of this application, none is chosen', async () => {
    const owners = new Map<string, TokenOwner>([[ofAlice.text, 'ours'], [ofBob.text, 'ours']])
    expect(await tokensOfOneSession(ownedBy(owners), [ofAlice, ofBob])).toBeNull()
    expect(await tokensOfOneSession(ownedBy(owners), [ofAlice, ofBob, await write(alice, 2)])).toBeNull()
  })
})
