import { createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

// The cryptographic operation alone, without parsing or checks: no verification can be faster.

const input = Buffer.from('x'.repeat(420))

function signature(type: 'ed25519' | 'p256' | 'rsa', dsaEncoding: 'der' | 'ieee-p1363' = 'der'): SetUp {
  return async () => {
    const { privateKey, publicKey } = pair(type)
    const digest = type === 'ed25519' ? null : 'sha256'
    const bytes = sign(digest, input, { key: privateKey, dsaEncoding })
    const key = dsaEncoding === 'der' ? publicKey : { key: publicKey, dsaEncoding }
    return {
      headers: () => ({}),
      find: () => verify(digest, input, key, bytes),
      userOf: holds => holds === true ? userId : undefined,
    }
  }
}

function pair(type: 'ed25519' | 'p256' | 'rsa'): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (type === 'ed25519') return generateKeyPairSync('ed25519')
  if (type === 'p256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export const setUps: Readonly<Record<string, SetUp>> = {
  'node:crypto EdDSA': signature('ed25519'),
  // The form that JWTs use (RFC 7518 section 3.4) costs node:crypto half as much again as OpenSSL's own, DER.
  'node:crypto ES256': signature('p256', 'ieee-p1363'),
  'node:crypto ECDSA P-256, DER': signature('p256'),
  'node:crypto RS256': signature('rsa'),
  'node:crypto HMAC': async () => {
    const key = createSecretKey(randomBytes(32))
    const expected = createHmac('sha256', key).update(input).digest()
    return {
      headers: () => ({}),
      find: () => timingSafeEqual(createHmac('sha256', key).update(input).digest(), expected),
      userOf: holds => holds === true ? userId : undefined,
    }
  },
}
