import type { Awaitable } from '../base/awaitable.ts'
import type { Jwk } from './jwk.ts'

/**
 * Signature algorithms of access tokens (RFC 7518, RFC 8037). The key fixes the algorithm, never the token (TOK-02).
 */
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'HS256'

/** Private and public halves of a signing key as JSON Web Keys (RFC 7517); for `HS256` both are the one secret. */
export interface KeyMaterial {
  readonly privateKey: Jwk
  readonly publicKey: Jwk
}

/** Signs an ASCII text; the signature is base64url, for ES256 the raw `r || s` (RFC 7518 section 3.4). */
export type Signer = (input: string) => Awaitable<string>

/** Whether the base64url signature is this key's over the ASCII text. Never throws on a malformed signature. */
export type SignatureVerifier = (input: string, signature: string) => Awaitable<boolean>

/** HMAC-SHA-256 under one key: a UTF-8 text in, base64url out. */
export type Mac = (message: string) => Awaitable<string>

/**
 * The few cryptographic operations that Keyturn needs, over the platform's own implementation: synchronous
 * `node:crypto` where it exists, WebCrypto elsewhere. Keys are imported once and held by the returned functions.
 */
export interface Crypto {
  /** Whether every operation answers at once, none with a promise: a verification then never waits. Default: false. */
  readonly isSynchronous?: boolean
  /** Bytes of the platform's secure generator. */
  randomBytes(length: number): Uint8Array
  /** SHA-256 of a UTF-8 text, base64url. */
  sha256(text: string): Awaitable<string>
  /** The same digest in the form that is made quickest, for comparing within this process alone. */
  digest(text: string): Awaitable<string>
  /** Prepares HMAC-SHA-256 under this key. */
  mac(key: Uint8Array): Awaitable<Mac>
  /** Makes a new key pair, or a new secret for `HS256`. */
  generateKey(algorithm: SignatureAlgorithm): Awaitable<KeyMaterial>
  /** Prepares signing. @throws if the key does not fit the algorithm or is too weak (TOK-22). */
  signer(algorithm: SignatureAlgorithm, privateKey: Jwk): Awaitable<Signer>
  /** Prepares verification. @throws if the key does not fit the algorithm or is too weak (TOK-22). */
  verifier(algorithm: SignatureAlgorithm, publicKey: Jwk): Awaitable<SignatureVerifier>
  /** Decodes base64url to text; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
  /** Encodes a text as UTF-8, then base64url. */
  encodeText(text: string): string
  /** Prepares AES-256-GCM encryption under a key derived from the secret by HKDF-SHA-256 (ST-02). */
  cipher(secret: string): Awaitable<Cipher>
}

/** What verifying the tokens of another service needs. */
export type VerificationCrypto = Pick<Crypto, 'verifier' | 'decodeText' | 'encodeText'>

/** Authenticated encryption of small texts, bound to the context in which they may be opened. */
export interface Cipher {
  /** Encrypts; the result names the secret it needs, so that secrets can be changed. */
  encrypt(plaintext: string, context: string): Awaitable<string>
  /** Decrypts; `null` if this secret or context is the wrong one, or the text was changed. */
  decrypt(ciphertext: string, context: string): Awaitable<string | null>
}
