import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeSample } from '../../test/support/access-token.ts'
import { sampleAccessKey } from '../../test/support/key-ring.ts'
import { createHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { lengthProblem, longestAccessToken } from './at-jwt.ts'
import type { AccessClaims } from './access-token.ts'
import type { SignatureAlgorithm } from './crypto.ts'
import type { SigningKey } from './key-ring.ts'

const algorithms: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256', 'HS256']
const keys: readonly SigningKey[] = await Promise.all(algorithms.map(algorithm => sampleAccessKey(algorithm)))
const identity = { issuer: 'https://app.example.com/auth', audience: null, application: 'default' }
const handle = createHandle('cookie', nodeCrypto.randomBytes)

const claimsOf = (
  userId: string,
  tenantId: string,
  counter: number,
  second: number,
  more: Partial<AccessClaims> = {},
): AccessClaims => ({
  iss: identity.issuer, sub: userId, sid: handle, tid: tenantId, iat: second, exp: second, auth_time: second,
  jti: 'j'.repeat(16), gen: counter, brn: counter, ri: counter, pv: counter, ...more,
})

test('S-12: no token is longer than the computed length, for any user, payload, counters and algorithm', async () => {
  const payload = fc.dictionary(fc.string({ maxLength: 12 }).filter(name => name.length > 5), fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(),
    fc.array(fc.integer()),
  ), { maxKeys: 5 }).map(value => JSON.stringify(value)).filter(text => !/__proto__|constructor|prototype/.test(text))
  await fc.assert(fc.asyncProperty(
    payload, fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }), fc.nat(Number.MAX_SAFE_INTEGER),
    fc.nat(8_640_000_000_000), fc.constantFrom(...keys),
    async (json, userId, counter, second, key) => {
      const token = await writeSample(key, claimsOf(userId, 'acme', counter, second, { tmp: true, aud: 'api' }), json)
      expect(token.length)
        .toBeLessThanOrEqual(longestAccessToken({ ...identity, audience: 'api' }, { userId, tenantId: 'acme' }, json))
    },
  ), { numRuns: 300 })
})

test('S-12: the computed length exceeds that of the longest token by a few characters at most', async () => {
  const longest = claimsOf('ada', 'acme', Number.MAX_SAFE_INTEGER, 8_640_000_000_000, {
    iss: 'https://app.example.com/auth'.padEnd(128, 'x'), aud: 'api', tmp: true,
  })
  const json = '{"role":"reader"}'
  const lengths = await Promise.all(keys.map(async key => (await writeSample(key, longest, json)).length))
  const computed = longestAccessToken({ ...identity, audience: 'api' }, { userId: 'ada', tenantId: 'acme' }, json)
  expect(computed - Math.max(...lengths)).toBeGreaterThanOrEqual(0)
  expect(computed - Math.max(...lengths)).toBeLessThanOrEqual(4)
})

test('S-12: a payload of 2,000 bytes fits beside an ordinary user id, and the error names every size', () => {
  const json = JSON.stringify({ filler: 'x'.repeat(2000 - 13) })
  expect(json).toHaveLength(2000)
  for (const userId of ['ada', crypto.randomUUID(), 'u'.repeat(100)]) {
    expect(lengthProblem(identity, { userId, tenantId: 'public' }, json)).toBeNull()
  }
  expect(lengthProblem(identity, { userId: '\n'.repeat(255), tenantId: 'public' }, json)).toEqual(
    expect.objectContaining({
      code: 'INVALID_DATA',
      message: expect.stringMatching(
        /^the access token could have \d{4} characters; at most 3900 fit into a cookie: the JWT payload has 2000 bytes, the user id 510, the tenant id 6, the issuer 28 and the audience 0\. Put less.*2,000 bytes, over CDI up to 5,000$/,
      ),
    }),
  )
})

test('S-12: the longest user id and tenant id make the longest token', () => {
  const longest = longestAccessToken(identity, { userId: '\u0001'.repeat(255), tenantId: 'x'.repeat(64) }, '{}')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 255 }), fc.string({ maxLength: 64 }), (userId, tenantId) => {
      expect(
        longestAccessToken(identity, { userId: userId.slice(0, 255), tenantId: tenantId.replaceAll(/[^a-z]/g, 'x') },
          '{}'),
      )
        .toBeLessThanOrEqual(longest)
  }))
})
