import fc from 'fast-check'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import {
  readSample, sampleClaims, sampleExpectations, sampleInstant, writeSample,
} from '../../test/support/access-token.ts'
import { accessKeyOf, sampleAccessKey, sampleRing } from '../../test/support/key-ring.ts'
import type { JsonObject } from '../base/json.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { webCrypto } from '../platform/web-crypto.ts'
import { decodeSessionHandleUnverified, readAccessToken } from './access-token.ts'
import { membersOf } from './access-claims.ts'

const key = await sampleAccessKey()
const ring = await sampleRing([key])
const claims = sampleClaims()
const members = membersOf(claims)

/** Signs any members with the valid key. */
async function signed(members: JsonObject | string): Promise<string> {
  return key.sign(typeof members === 'string' ? members : JSON.stringify(members))
}

/** The members of the library's private claim. */
function ownMembers(): JsonObject {
  const { keyturn }: Record<string, JsonObject> = JSON.parse(JSON.stringify(members))
  return keyturn ?? {}
}

/** The result for a token with a valid signature and these members added or replaced. */
async function kindOf(changes: JsonObject, expectations: Parameters<typeof readSample>[2] = {}): Promise<string> {
  const text = await signed({ ...JSON.parse(JSON.stringify(members)), ...changes })
  return (await readSample(text, ring, expectations)).kind
}

describe('an access token', () => {
  test.each(['ES256', 'EdDSA', 'RS256', 'HS256'] as const)('signed with %s is valid', async algorithm => {
    for (const crypto of [nodeCrypto, webCrypto]) {
      const own = await sampleAccessKey(algorithm, { crypto })
      const text = await writeSample(own, claims, '{"role":"reader","deep":{"list":[1,null,"x"]}}')
      expect(await readSample(text, await sampleRing([own], [], crypto))).toEqual({
        kind: 'valid', claims, payload: { role: 'reader', deep: { list: [1, null, 'x'] } },
      })
      expect(decodeSessionHandleUnverified(text, crypto)).toBe(claims.sid)
    }
  })

  test('is read synchronously with node:crypto', () => {
    const text = key.sign(JSON.stringify(members))
    expect(text).toBeTypeOf('string')
    expect(readAccessToken(String(text), ring, sampleExpectations)).toEqual({ kind: 'valid', claims, payload: {} })
  })

  test('carries any JSON payload', async () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .filter(name => !(name in claims) && !(name in {}))
    const payloads = fc.dictionary(names, fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), { maxKeys: 4 })
      .map(payload => JSON.stringify(payload))
      .filter(text => text.length < 1500 && !/__proto__|constructor|prototype/.test(text))
    await fc.assert(fc.asyncProperty(payloads, async text => {
      const reading = await readSample(await writeSample(key, claims, text), ring)
      expect(reading.kind === 'valid' && reading.payload).toEqual(JSON.parse(text))
    }), { numRuns: 200 })
  })
test.each(['ES256', 'EdDSA', 'RS256'] as const)(
  'signed with %s is verified by jose with the published keys',
  async algorithm => {
    const own = await sampleAccessKey(algorithm)
    const published = (await sampleRing([own])).jwks('access')
    const text = await writeSample(own, { ...claims, aud: 'api' }, '{"role":"reader"}')
    const keySet = jose.createLocalJWKSet({ keys: [...published.keys] })
    const { payload, protectedHeader } = await jose.jwtVerify(text, keySet, {
      issuer: claims.iss, audience: 'api', typ: 'at+jwt', currentDate: new Date(sampleInstant),
    })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: own.kid })
    expect(payload).toEqual({ ...JSON.parse(JSON.stringify(members)), aud: 'api', role: 'reader' })
  })

  test('that jose signed with the key and header of Keyturn is valid', async () => {
    const material = await nodeCrypto.generateKey('ES256')
    const own = await accessKeyOf('ES256', material)
    const text = await new jose.SignJWT({ ...members, aud: ['api'] })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: own.kid })
      .sign(await jose.importJWK({ ...material.privateKey }, 'ES256'))
    expect((await readSample(text, await sampleRing([own]), { audience: 'api' })).kind).toBe('valid')
  })

  test('CK-04: fits a cookie, or an error says what to do', async () => {
    const text = await writeSample(key, claims, JSON.stringify({ note: 'x'.repeat(2300) }))
    expect(text.length).toBeLessThanOrEqual(3900)
    await expect((async () => writeSample(key, claims, JSON.stringify({ note: 'x'.repeat(5000) })))())
      .rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining('session info') })
    const own = await sampleAccessKey('ES256', { crypto: webCrypto })
    await expect(writeSample(own, claims, JSON.stringify({ note: 'x'.repeat(5000) })))
      .rejects.toThrow('session info')
  })

  test('TOK-23: contains no reserved claim of the stored payload', async () => {
    const planted = [
      '{"sub":"admin"}', '{"exp":9e9}', ' { "s\\u0075b": "x" }', '{"__proto__":{}}', '{"keyturn":{"tid":"other"}}',
      '{"iss":"https://sdk.example","aud":"all","nbf":1,"cnf":{}}',
    ]
    for (const text of planted) {
      expect(await readSample(await writeSample(key, claims, text), ring))
        .toEqual({ kind: 'valid', claims, payload: {} })
    }
    for (const text of ['[]', 'null', '', '{"a":{"__proto__":{}}}']) {
      await expect((async () => writeSample(key, claims, text))()).rejects.toMatchObject({ code: 'INVALID_DATA' })
    }
  })

  test('S-03: of another application of the same issuer is invalid', async () => {
    const named = await writeSample(key, { ...claims, app: 'shop' }, '{}')
    expect((await readSample(named, ring)).kind).toBe('invalid')
    expect(await readSample(named, ring, { application: 'shop' }))
      .toMatchObject({ kind: 'valid', claims: { app: 'shop' } })
    expect((await readSample(await writeSample(key, claims, '{}'), ring, { application: 'shop' })).kind).toBe('invalid')
    for (const app of ['', null, 7, ['shop']]) {
      expect(await kindOf({ keyturn: { ...ownMembers(), app } })).toBe('invalid')
    }
  })
})

describe('the claims', () => {
  test.each(['iss', 'sub', 'sid', 'iat', 'exp', 'auth_time', 'jti', 'keyturn'])(
    'TOK-08: a token without %s is invalid', async name => {
      const { [name]: _, ...rest }: JsonObject = JSON.parse(JSON.stringify(members))
      expect((await readSample(await signed(rest), ring)).kind).toBe('invalid')
    },
  )

  test.each(['v', 'tid', 'gen', 'brn', 'ri', 'pv'])(
    'TOK-08: a token whose private claim has no %s is invalid', async name => {
      const { [name]: _, ...rest } = ownMembers()
      expect(await kindOf({ keyturn: rest })).toBe('invalid')
    },
  )

  test('TOK-08: a private claim of another version is invalid', async () => {
    expect(await kindOf({ keyturn: ownMembers() })).toBe('valid')
    expect(await kindOf({ keyturn: { ...ownMembers(), v: 2 } })).toBe('invalid')
  })

  test('TOK-08: a claim of another type is invalid', async () => {
    const wrong = [null, true, [], {}, '', -1, 1.5e308 * 10, [1]]
    for (const name of ['iss', 'sub', 'sid', 'iat', 'exp', 'auth_time', 'jti', 'aud', 'keyturn']) {
      for (const value of wrong) {
        expect(await kindOf({ [name]: value }), `${name}: ${JSON.stringify(value)}`).toBe('invalid')
      }
    }
    for (const name of ['v', 'tid', 'gen', 'brn', 'ri', 'pv', 'tmp']) {
      for (const value of wrong.filter(each => name !== 'tmp' || each !== true)) {
        const keyturn = { ...ownMembers(), [name]: value }
        expect(await kindOf({ keyturn }), `${name}: ${JSON.stringify(value)}`).toBe('invalid')
      }
    }
    for (const name of ['gen', 'brn', 'ri', 'pv']) {
      expect(await kindOf({ keyturn: { ...ownMembers(), [name]: 1.5 } })).toBe('invalid')
    }
    expect(await kindOf({ sid: 'x'.repeat(23) })).toBe('invalid')
  })

  test('TOK-09: times must be numbers, and there is no tolerance at `exp`', async () => {
    const now = sampleInstant / 1000
    for (const value of ['9999999999', null, [], [now + 9], 'NaN', -1, true, {}]) {
      expect(await kindOf({ exp: value })).toBe('invalid')
      expect(await kindOf({ nbf: value })).toBe('invalid')
      expect(await kindOf({ iat: value })).toBe('invalid')
    }
    const infinite = JSON.stringify(members).replace(`"exp":${claims.exp}`, '"exp":1e400')
    expect((await readSample(await signed(infinite), ring)).kind).toBe('invalid')
    expect(await kindOf({ exp: now })).toBe('expired')
    expect(await kindOf({ exp: now + 1 })).toBe('valid')
    expect(await kindOf({ exp: now + 0.001 })).toBe('valid')
    expect(await kindOf({ exp: now + 1 }, { now: sampleInstant + 999 })).toBe('valid')
    expect(await kindOf({ exp: now + 1 }, { now: sampleInstant + 1000 })).toBe('expired')
  })

  test('TOK-09: iat and nbf may be 5 s in the future by default, and at most 60 s', async () => {
    const now = sampleInstant / 1000
    for (const name of ['iat', 'nbf']) {
      expect(await kindOf({ [name]: now + 5 })).toBe('valid')
      expect(await kindOf({ [name]: now + 6 })).toBe('invalid')
      expect(await kindOf({ [name]: now + 60 }, { clockTolerance: 3_600_000 })).toBe('valid')
      expect(await kindOf({ [name]: now + 61 }, { clockTolerance: 3_600_000 })).toBe('invalid')
      expect(await kindOf({ [name]: now + 1 }, { clockTolerance: 0 })).toBe('invalid')
    }
  })

  test('REV-05: a lowered lifetime also applies to tokens that were issued before', async () => {
    expect(await kindOf({}, { maxLifetime: 61_000 })).toBe('valid')
    expect(await kindOf({}, { maxLifetime: 60_000 })).toBe('expired')
  })

  test('an expired token still yields its claims, if it is valid otherwise', async () => {
    const text = await signed(JSON.stringify(members))
    const late = sampleInstant + 86_400_000
    expect(await readSample(text, ring, { now: late })).toEqual({ kind: 'expired', claims })
    expect((await readSample(text, ring, { now: late, issuer: 'https://other.example' })).kind).toBe('invalid')
    expect((await readSample(text, await sampleRing(), { now: late })).kind).toBe('unknown-key')
  })

  test('TOK-10: the issuer is compared exactly', async () => {
    const others = [
      'https://app.example.com/', 'https://APP.example.com', ['https://app.example.com'], ['good', 'evil'],
    ]
    for (const iss of others) {
      expect(await kindOf({ iss })).toBe('invalid')
    }
  })

  test('TOK-10: two applications with different audiences reject each other\'s tokens', async () => {
    expect(await kindOf({ aud: 'one' }, { audience: 'one' })).toBe('valid')
    expect(await kindOf({ aud: ['two', 'one'] }, { audience: 'one' })).toBe('valid')
    for (const aud of ['two', ['two'], [], ['one', 1], { one: 1 }, 'one,two', null]) {
      expect(await kindOf({ aud }, { audience: 'one' })).toBe('invalid')
    }
    expect(await kindOf({}, { audience: 'one' })).toBe('invalid')
    expect(await kindOf({ aud: 'one' })).toBe('invalid')
  })

  test('TOK-13: the payload must be a JSON object in valid UTF-8', async () => {
    for (const text of ['[]', 'null', '"x"', '1', '', '{', `\ufeff${JSON.stringify(members)}`, '{}x']) {
      expect((await readSample(await signed(text), ring)).kind).toBe('invalid')
    }
  })

  test('TOK-14: a member that reaches a prototype is dropped, or the token is invalid', async () => {
    const text = JSON.stringify(members)
    const atRoot = await readSample(await signed(text.replace('{', '{"__proto__":{"admin":true},')), ring)
    if (atRoot.kind !== 'valid') throw new Error(atRoot.kind)
    expect(atRoot.payload['admin']).toBeUndefined()
    expect(Object.keys(atRoot.payload)).toEqual([])
    const deep = await readSample(await signed(text.replace('{', '{"a":[{"__proto__":{"admin":true}}],')), ring)
    expect(deep.kind).toBe('invalid')
    expect(({} as JsonObject)['admin']).toBeUndefined()
  })
})

test('never throws: 10,000 random strings, and 10,000 tokens with changes', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async text => {
    expect((await readSample(text, ring)).kind).toBe('unrecognized')
    expect(decodeSessionHandleUnverified(text, nodeCrypto)).toBeNull()
  }), { numRuns: 10_000 })
  const good = await signed(JSON.stringify(members))
  const last = good.lastIndexOf('.')
  await fc.assert(fc.asyncProperty(
    fc.nat(last), fc.nat(4), fc.string({ unit: 'binary', maxLength: 4 }),
    async (from, removed, inserted) => {
      const text = good.slice(0, from) + inserted + good.slice(from + removed)
      if (text !== good) expect((await readSample(text, ring)).kind).not.toBe('valid')
      decodeSessionHandleUnverified(text, nodeCrypto)
    },
  ), { numRuns: 10_000 })
})
