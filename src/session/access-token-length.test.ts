import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleAccessKey } from '../../test/support/key-ring.ts'
import { createHandle } from '../base/handle.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { MAX_WRITTEN_LENGTH, writeAccessToken } from '../tokens/access-token.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { SigningKey } from '../tokens/key-ring.ts'
import type { SignatureAlgorithm } from '../tokens/crypto.ts'
import { isAlwaysWritable, longestAccessToken, requireWritable } from './access-token-length.ts'

const algorithms: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256', 'HS256']
const keys: readonly SigningKey[] = await Promise.all(algorithms.map(algorithm => sampleAccessKey(algorithm)))
const identity = { issuer: 'https://app.example.com/auth', audience: null }
const handle = createHandle('cookie', nodeCrypto.randomBytes)

const claimsOf = (userId: string, tenantId: string, counter: number, second: number, more: Partial<AccessClaims> = {}): AccessClaims => ({
  iss: identity.issuer, sub: userId, sid: handle, tid: tenantId, iat: second, exp: second, auth_time: second,
  jti: 'j'.repeat(16), gen: counter, brn: counter, ri: counter, pv: counter, ...more,
})

test('S-12: no token of a session is longer than computed, whatever user, payload, counters and algorithm', async () => {
  const payload = fc.dictionary(fc.string({ maxLength: 12 }).filter(name => name.length > 5), fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(),
    fc.array(fc.integer()),
  ), { maxKeys: 5 }).map(value => JSON.stringify(value)).filter(text => !/__proto__|constructor|prototype/.test(text))
  await fc.assert(fc.asyncProperty(
    payload, fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }), fc.nat(Number.MAX_SAFE_INTEGER),
    fc.nat(8_640_000_000_000), fc.constantFrom(...keys),
    async (json, userId, counter, second, key) => {
      const token = await writeAccessToken(key, claimsOf(userId, 'acme', counter, second, { tmp: true, aud: 'api' }), json)
      expect(token.length).toBeLessThanOrEqual(longestAccessToken({ ...identity, audience: 'api' }, { userId, tenantId: 'acme' }, json))
    },
  ), { numRuns: 300 })
})

test('S-12: what is computed is the length of the longest token, to a few characters', async () => {
  const longest = claimsOf('ada', 'acme', Number.MAX_SAFE_INTEGER, 8_640_000_000_000, {
    iss: 'https://app.example.com/auth'.padEnd(128, 'x'), aud: 'api', tmp: true,
  })
  const json = '{"role":"reader"}'
  const lengths = await Promise.all(keys.map(async key => (await writeAccessToken(key, longest, json)).length))
  const computed = longestAccessToken({ ...identity, audience: 'api' }, { userId: 'ada', tenantId: 'acme' }, json)
  expect(computed - Math.max(...lengths)).toBeGreaterThanOrEqual(0)
  expect(computed - Math.max(...lengths)).toBeLessThanOrEqual(4)
})

test('S-12: 2,000 bytes of payload fit with an ordinary user id, and the refusal names every size', () => {
  const json = JSON.stringify({ filler: 'x'.repeat(2000 - 13) })
  expect(json).toHaveLength(2000)
  for (const userId of ['ada', crypto.randomUUID(), 'u'.repeat(100)]) {
    requireWritable(identity, { userId, tenantId: 'public' }, json)
  }
  expect(() => requireWritable(identity, { userId: '\n'.repeat(255), tenantId: 'public' }, json)).toThrow(expect.objectContaining({
    code: 'INVALID_DATA',
    message: expect.stringMatching(/^the access token could become \d{4} characters long, and 3900 fit into a cookie: the JWT payload has 2000 bytes, the user id 510, the tenant id 6, the issuer 28 and the audience 0\. Keep less/),
  }))
})

test('S-12: a payload that is writable for everybody is so for the longest user id and tenant', () => {
  const fitting = (length: number): string => JSON.stringify({ filler: 'x'.repeat(length) })
  let most = 0
  while (isAlwaysWritable(identity, fitting(most + 1))) most += 1
  expect(most).toBeGreaterThan(500)
  const longest = { userId: '\u0001'.repeat(255), tenantId: 'x'.repeat(64) }
  requireWritable(identity, longest, fitting(most))
  expect(() => requireWritable(identity, longest, fitting(most + 1))).toThrow(String(MAX_WRITTEN_LENGTH))
})
