import { isUtf8 } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import type { Awaitable } from '../base/awaitable.ts'
import { isBase64url } from '../base/base64url.ts'
import { constantTimeEqual } from '../base/constant-time.ts'
import { GeneralError } from '../base/errors.ts'
import type { Crypto, KeyMaterial, Cipher, SignatureAlgorithm, Signer, SignatureVerifier } from '../tokens/crypto.ts'
import { checkHmacKey, checkJwk } from '../tokens/jwk.ts'
import type { Jwk, KeyHalf } from '../tokens/jwk.ts'
import { derSignature, rawSignature } from './ecdsa-signature.ts'
import {
  encryptionKeyLabel, formatCiphertext, parseCiphertext, SECRET_NAME_BYTES, secretNameLabel,
} from './ciphertext.ts'

/** `Crypto` with synchronous `node:crypto`: 20 to 30 microseconds faster per call than WebCrypto. */
export const nodeCrypto: Crypto = {
  isSynchronous: true,
  randomBytes,
  sha256: text => builtinCrypto().hash('sha256', text, 'base64url'),
  digest: text => builtinCrypto().hash('sha256', text, 'binary'),
  mac(key) {
    checkHmacKey(key)
    return hmacSha256(key)
  },
  generateKey,
  signer,
  verifier,
  decodeText,
  encodeText: text => Buffer.from(text).toString('base64url'),
  cipher,
}

/**
 * Random bytes. Up to 16 bytes, as for ids of tokens and sessions, come from `randomInt`, which draws them from a pool
 * of the platform: `randomBytes` creates a job for each call, a twentieth of a refresh. Secrets are longer, and are
 * never in a pool.
 */
function randomBytes(length: number): Uint8Array {
  const { randomFillSync, randomInt } = builtinCrypto()
  const bytes = new Uint8Array(length)
  return length > 16 ? randomFillSync(bytes) : bytes.map(() => randomInt(256))
}

// Test environments that imitate a browser lack it (L-37): it is created at the first use.
let decoder: TextDecoder | null = null

/** `ignoreBOM` keeps a byte order mark, so that the string is not valid JSON (TOK-13). */
function strictUtf8(): TextDecoder {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return decoder
}

function generateKey(algorithm: SignatureAlgorithm): Awaitable<KeyMaterial> {
  const { generateKeyPair, generateKeyPairSync, randomBytes } = builtinCrypto()
  switch (algorithm) {
    case 'ES256':
      return exportPair(algorithm, generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    case 'EdDSA':
      return exportPair(algorithm, generateKeyPairSync('ed25519'))
    case 'RS256':
      // Finding primes takes a tenth of a second or more, too long to block the event loop.
      return new Promise((resolve, reject) => {
        generateKeyPair('rsa', { modulusLength: 2048 }, (error, publicKey, privateKey) => {
          if (error === null) resolve(exportPair(algorithm, { publicKey, privateKey }))
          else reject(error)
        })
      })
    case 'HS256': {
      const secret: Jwk = { kty: 'oct', k: randomBytes(32).toString('base64url'), alg: algorithm }
      return { privateKey: secret, publicKey: secret }
    }
  }
}

function exportPair(
  algorithm: SignatureAlgorithm,
  pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): KeyMaterial {
  return {
    privateKey: { ...pair.privateKey.export({ format: 'jwk' }), alg: algorithm },
    publicKey: { ...pair.publicKey.export({ format: 'jwk' }), alg: algorithm },
  }
}

function signer(algorithm: SignatureAlgorithm, jwk: Jwk): Signer {
  if (algorithm === 'HS256') return hmacOf(jwk)
  const { sign } = builtinCrypto()
  const key = importKey(algorithm, jwk, 'private')
  if (algorithm === 'ES256') {
    return input => Buffer.from(rawSignature(sign('sha256', Buffer.from(input), key))).toString('base64url')
  }
  const digest = algorithm === 'RS256' ? 'sha256' : null
  return input => sign(digest, Buffer.from(input), key).toString('base64url')
}

function verifier(algorithm: SignatureAlgorithm, jwk: Jwk): SignatureVerifier {
  if (algorithm === 'HS256') {
    const expected = hmacOf(jwk)
    return (input, signature) => constantTimeEqual(expected(input), signature)
  }
  const { verify } = builtinCrypto()
  const key = importKey(algorithm, jwk, 'public')
  // An RSA signature is as long as the modulus; the others have 64 bytes, 86 characters.
  const length = algorithm === 'RS256' ? jwk.n?.length ?? 0 : 86
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  const toOpenssl = algorithm === 'ES256' ? derSignature : (bytes: Uint8Array): Uint8Array => bytes
  return (input, text) => (
    text.length === length && isBase64url(text)
      && verify(digest, Buffer.from(input), key, toOpenssl(Buffer.from(text, 'base64url')))
  )
}

function decodeText(segment: string): string | null {
  if (!isBase64url(segment)) return null
  const bytes = Buffer.from(segment, 'base64url')
  const text = bytes.toString()
  // Invalid UTF-8 is decoded to U+FFFD, which a valid string may also contain.
  return !text.includes('\uFFFD') || isUtf8(bytes) ? text : null
}

/** The block and the digest of SHA-256, in bytes. */
const BLOCK = 64
const DIGEST = 32
/** The longest message, in bytes, that fits into the prepared buffer: access tokens and all that is shorter. */
const CAPACITY = 2048

/**
 * HMAC-SHA-256 with one key (RFC 2104) as two calls of `hash`. `createHmac` creates an object for each of the three
 * messages of a refresh: this saves 0.06 to 0.10 of it (docs/decisions/0006-platform-crypto.md).
 */
function hmacSha256(key: Uint8Array): (message: string) => string {
  const { hash } = builtinCrypto()
  const padded = Buffer.alloc(BLOCK)
  padded.set(key.length > BLOCK ? hash('sha256', key, 'buffer') : key)
  const inner = Buffer.concat([padded.map(byte => byte ^ 0x36), Buffer.alloc(CAPACITY)])
  const outer = Buffer.concat([padded.map(byte => byte ^ 0x5c), Buffer.alloc(DIGEST)])
  return message => {
    // A character has at most three bytes.
    const input = message.length * 3 > CAPACITY
      ? Buffer.concat([inner.subarray(0, BLOCK), Buffer.from(message)])
      : inner.subarray(0, BLOCK + inner.write(message, BLOCK))
    outer.write(hash('sha256', input, 'binary'), BLOCK, 'binary')
    return hash('sha256', outer, 'base64url')
  }
}

function hmacOf(jwk: Jwk): (input: string) => string {
  return hmacSha256(Buffer.from(checkJwk('HS256', jwk, 'private').k ?? '', 'base64url'))
}

function importKey(algorithm: SignatureAlgorithm, jwk: Jwk, half: KeyHalf): KeyObject {
  const { createPrivateKey, createPublicKey } = builtinCrypto()
  const key = checkJwk(algorithm, jwk, half)
  try {
    return half === 'public' ? createPublicKey({ key, format: 'jwk' }) : createPrivateKey({ key, format: 'jwk' })
  } catch (cause) {
    throw new GeneralError('MISUSE', `the key for ${algorithm} is invalid`, { cause })
  }
}

function cipher(secret: string): Cipher {
  const { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } = builtinCrypto()
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', encryptionKeyLabel, 32)))
  const name = Buffer.from(hkdfSync('sha256', secret, '', secretNameLabel, SECRET_NAME_BYTES)).toString('base64url')
  return {
    encrypt(plaintext, context) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      const bytes = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
      return formatCiphertext(name, bytes.toString('base64url'))
    },
    decrypt(ciphertext, context) {
      const bytes = Buffer.from(parseCiphertext(name, ciphertext) ?? '', 'base64url')
      if (bytes.length < 28) return null
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
          .setAAD(Buffer.from(context))
          .setAuthTag(bytes.subarray(-16))
        return strictUtf8().decode(Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]))
      } catch {
        return null
      }
    },
  }
}

// `#crypto` on this platform.
export { nodeCrypto as crypto }

type NodeCrypto = typeof import('node:crypto')

let loaded: NodeCrypto | undefined

/**
 * `node:crypto`, loaded at its first use: loading takes 4 ms, which would delay the start of an application. It is not
 * loaded with `import`, because that would also load WebCrypto and other lazy parts of the module.
 */
function builtinCrypto(): NodeCrypto {
  return loaded ??= process.getBuiltinModule('node:crypto')
}
