import { decodeBase64url, encodeBase64url } from '../base/base64url.ts'
import { GeneralError } from '../base/errors.ts'
import type {
  Cipher, Crypto, KeyMaterial, SignatureAlgorithm, SignatureVerifier, VerificationCrypto,
} from '../tokens/crypto.ts'
import { checkHmacKey, checkJwk } from '../tokens/jwk.ts'
import type { Jwk, KeyHalf } from '../tokens/jwk.ts'
import {
  encryptionKeyLabel, formatCiphertext, parseCiphertext, SECRET_NAME_BYTES, secretNameLabel,
} from './ciphertext.ts'

// Test environments that imitate a browser lack some of it (L-37). So nothing is read before it is used.
let encoder: TextEncoder | null = null
let decoder: TextDecoder | null = null

/** @throws GeneralError (`MISUSE`) where there is no WebCrypto */
function subtle(): SubtleCrypto {
  const host: { readonly crypto?: { readonly subtle?: SubtleCrypto } } = globalThis
  const found = host.crypto?.subtle
  if (found !== undefined) return found
  throw new GeneralError('MISUSE', 'there is no WebCrypto (crypto.subtle): run tests of a server in the test '
    + 'environment "node"')
}

function utf8(): TextEncoder {
  encoder ??= new TextEncoder()
  return encoder
}

/** `ignoreBOM` keeps a byte order mark, so that the string is not valid JSON (TOK-13). */
function strictUtf8(): TextDecoder {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return decoder
}

interface Scheme {
  /** The parameters for importing and generating keys. */
  readonly key: EcKeyImportParams | RsaHashedImportParams | HmacImportParams | { readonly name: 'Ed25519' }
  /** The parameters for signing and verifying. */
  readonly use: EcdsaParams | { readonly name: string }
}

const schemes: Readonly<Record<SignatureAlgorithm, Scheme>> = {
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, use: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { key: { name: 'Ed25519' }, use: { name: 'Ed25519' } },
  RS256: { key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, use: { name: 'RSASSA-PKCS1-v1_5' } },
  HS256: { key: { name: 'HMAC', hash: 'SHA-256' }, use: { name: 'HMAC' } },
}

/** `Crypto` with WebCrypto, for runtimes without `node:crypto`. */
export const webCrypto: Crypto = {
  randomBytes: length => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  sha256,
  digest: sha256,
  async mac(key) {
    checkHmacKey(key)
    const secret = await subtle().importKey('raw', owned(key), schemes.HS256.key, false, ['sign'])
    return async message => encode(await subtle().sign('HMAC', secret, utf8().encode(message)))
  },
  generateKey,
  async signer(algorithm, jwk) {
    const key = await importKey(algorithm, jwk, 'private')
    const { use } = schemes[algorithm]
    return async input => encode(await subtle().sign(use, key, utf8().encode(input)))
  },
  verifier,
  decodeText,
  encodeText,
  cipher,
}

async function verifier(algorithm: SignatureAlgorithm, jwk: Jwk): Promise<SignatureVerifier> {
  const key = await importKey(algorithm, jwk, 'public')
  const { use } = schemes[algorithm]
  return async (input, text) => {
    const signature = decodeBase64url(text)
    return signature !== null && subtle().verify(use, key, owned(signature), utf8().encode(input))
  }
}

function decodeText(segment: string): string | null {
  const bytes = decodeBase64url(segment)
  if (bytes === null) return null
  try {
    return strictUtf8().decode(bytes)
  } catch {
    return null
  }
}

function encodeText(text: string): string {
  return encodeBase64url(utf8().encode(text))
}

async function sha256(text: string): Promise<string> {
  return encode(await subtle().digest('SHA-256', utf8().encode(text)))
}

async function generateKey(algorithm: SignatureAlgorithm): Promise<KeyMaterial> {
  if (algorithm === 'HS256') {
    const secret: Jwk = { kty: 'oct', k: encodeBase64url(webCrypto.randomBytes(32)), alg: algorithm }
    return { privateKey: secret, publicKey: secret }
  }
  const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
  const how = algorithm === 'RS256' ? { ...schemes.RS256.key, ...rsa } : schemes[algorithm].key
  const pair = await subtle().generateKey(how, true, ['sign', 'verify'])
  if (!('publicKey' in pair)) throw new TypeError('the WebCrypto of this runtime generated no key pair')
  return {
    privateKey: await exportKey(algorithm, pair.privateKey, 'private'),
    publicKey: await exportKey(algorithm, pair.publicKey, 'public'),
  }
}

/** Exports only the members of the key itself: runtimes differ in `key_ops`, `ext` and the `alg` of an exported key. */
async function exportKey(algorithm: SignatureAlgorithm, key: CryptoKey, half: KeyHalf): Promise<Jwk> {
  const jwk: Jwk = await subtle().exportKey('jwk', key)
  return { ...checkJwk(algorithm, { ...jwk, alg: algorithm }, half), alg: algorithm }
}

async function importKey(algorithm: SignatureAlgorithm, jwk: Jwk, half: KeyHalf): Promise<CryptoKey> {
  const key = checkJwk(algorithm, jwk, half)
  try {
    return await subtle().importKey('jwk', key, schemes[algorithm].key, false, [half === 'public' ? 'verify' : 'sign'])
  } catch (cause) {
    throw new GeneralError('MISUSE', `the key for ${algorithm} is invalid`, { cause })
  }
}

async function cipher(secret: string): Promise<Cipher> {
  const material = await subtle().importKey('raw', utf8().encode(secret), 'HKDF', false, ['deriveKey', 'deriveBits'])
  const derivation = (label: string): HkdfParams => (
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8().encode(label) }
  )
  const name = encode(await subtle().deriveBits(derivation(secretNameLabel), material, SECRET_NAME_BYTES * 8))
  const key = await subtle().deriveKey(
    derivation(encryptionKeyLabel), material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'],
  )
  return {
    async encrypt(plaintext, context) {
      const nonce = globalThis.crypto.getRandomValues(new Uint8Array(12))
      const how = { name: 'AES-GCM', iv: nonce, additionalData: utf8().encode(context) }
      const ciphertext = new Uint8Array(await subtle().encrypt(how, key, utf8().encode(plaintext)))
      const bytes = new Uint8Array(nonce.length + ciphertext.length)
      bytes.set(nonce)
      bytes.set(ciphertext, nonce.length)
      return formatCiphertext(name, encodeBase64url(bytes))
    },
    async decrypt(ciphertext, context) {
      const bytes = decodeBase64url(parseCiphertext(name, ciphertext) ?? '')
      if (bytes === null || bytes.length < 28) return null
      const how = { name: 'AES-GCM', iv: owned(bytes.slice(0, 12)), additionalData: utf8().encode(context) }
      try {
        return strictUtf8().decode(await subtle().decrypt(how, key, owned(bytes.slice(12))))
      } catch {
        return null
      }
    },
  }
}

function encode(bytes: ArrayBuffer): string {
  return encodeBase64url(new Uint8Array(bytes))
}

/** Copies the bytes into an `ArrayBuffer`, as the types of WebCrypto require. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

/** `#crypto` on this platform: only what verification needs, so that bundles leave out the rest. */
export const crypto: VerificationCrypto = { verifier, decodeText, encodeText }
