import * as jose from 'jose'
import { expect, test } from 'vitest'
import { sampleAccessKey, sampleRefreshKey, sampleRing } from '../../test/support/key-ring.ts'
import { nodeCrypto } from '../platform/node-crypto.ts'
import { createKeyRing } from './key-ring.ts'

test('the newest active key signs; if none is active yet, the oldest', async () => {
  const [first, second, third] = await Promise.all([100, 200, 300].map(activeFrom => (
    sampleAccessKey('ES256', { activeFrom })
  )))
  const [older, newer] = await Promise.all([100, 200].map(activeFrom => sampleRefreshKey({ activeFrom })))
  if (!first || !second || !third || !older || !newer) throw new Error('no keys')
  const ring = await sampleRing([second, third, first], [newer, older])
  for (const [instant, expected] of [
    [0, first], [99, first], [100, first], [199, first], [200, second], [299, second], [300, third], [1e15, third],
  ] as const) {
    expect(ring.signingKeyAt('access', instant)).toBe(expected)
  }
  for (const [instant, expected] of [[0, older], [199, older], [200, newer], [1e15, newer]] as const) {
    expect(ring.refreshKeyAt(instant)).toBe(expected)
  }
})

test('keys are found by their exact header or id', async () => {
  const key = await sampleAccessKey()
  const refreshKey = await sampleRefreshKey()
  const ring = await sampleRing([key], [refreshKey])
  expect(ring.accessKeyByHeader(key.header)).toBe(key)
  expect(ring.hasAccessKey(key.kid)).toBe(true)
  expect(ring.refreshKey(refreshKey.kid)).toBe(refreshKey)
  for (const name of ['', '__proto__', 'constructor', `${key.header} `, key.header.slice(1), refreshKey.kid]) {
    expect(ring.accessKeyByHeader(name)).toBeNull()
    expect(ring.hasAccessKey(name)).toBe(false)
  }
  for (const name of ['', '__proto__', 'constructor', key.kid]) expect(ring.refreshKey(name)).toBeNull()
})

test('TOK-21: the published keys have public members only, and no secret', async () => {
  const keys = await Promise.all((['ES256', 'EdDSA', 'RS256', 'HS256'] as const).map((algorithm, activeFrom) => (
    sampleAccessKey(algorithm, { activeFrom })
  )))
  const { keys: published } = (await sampleRing(keys)).jwks('access')
  expect(published.map(jwk => jwk.alg)).toEqual(['RS256', 'EdDSA', 'ES256'])
  for (const jwk of published) {
    expect(['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e']).toEqual(expect.arrayContaining(Object.keys(jwk)))
    expect(jwk.use).toBe('sig')
    expect(jwk.kid).toMatch(/^[\w-]{16}$/)
    await expect(jose.importJWK({ ...jwk }, jwk.alg)).resolves.toBeDefined()
  }
})

test('TOK-24: a ring without keys is an error', async () => {
  const access = await sampleAccessKey()
  const refresh = await sampleRefreshKey()
  expect(() => createKeyRing(nodeCrypto, [refresh], 1)).toThrow('key ring')
  expect(() => createKeyRing(nodeCrypto, [access], 1)).toThrow('key ring')
  expect(() => createKeyRing(nodeCrypto, [access, refresh], 1).signingKeyAt('core-static', 0)).toThrow('key ring')
})
