import type { Awaitable } from '../base/awaitable.ts'
import type { Jwk } from './jwk.ts'

/**
 * Signature algorithms of access tokens (RFC 7518, RFC 8037). The key determines the algorithm, never the token
 * (TOK-02).
 */
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'HS256'

/** A signing key as JSON Web Keys (RFC 7517): private and public key. For `HS256`, both are the secret. */
export interface KeyMaterial {
  readonly privateKey: Jwk
  readonly publicKey: Jwk
}

/** Signs an ASCII string. The signature is base64url; for ES256 the raw `r || s` (RFC 7518 section 3.4). */
export type Signer = (input: string) => Awaitable<string>

/** Verifies the base64url signature of an ASCII string. Never throws for a malformed signature. */
export type SignatureVerifier = (input: string, signature: string) => Awaitable<boolean>

/** HMAC-SHA-256 with one key, of a string in UTF-8; base64url. */
export type Mac = (message: string) => Awaitable<string>

/**
 * The cryptographic operations that Keyturn needs, implemented by the platform: with synchronous `node:crypto` where it
 * exists, with WebCrypto elsewhere. Keys are imported once; the returned functions keep them.
 */
export interface Crypto {
  /** Whether no operation returns a promise. Verification is then synchronous. Default: false. */
  readonly isSynchronous?: boolean
  /** Random bytes of the platform's secure generator. */
  randomBytes(length: number): Uint8Array
  /** SHA-256 of a string in UTF-8, base64url. */
  sha256(text: string): Awaitable<string>
  /** The same digest in the encoding that is computed fastest. Compare it within this process only. */
  digest(text: string): Awaitable<string>
  /** Prepares HMAC-SHA-256 with this key. */
  mac(key: Uint8Array): Awaitable<Mac>
  /** Generates a key pair, or a secret for `HS256`. */
  generateKey(algorithm: SignatureAlgorithm): Awaitable<KeyMaterial>
  /** Prepares signing. @throws if the key does not fit the algorithm or is too weak (TOK-22). */
  signer(algorithm: SignatureAlgorithm, privateKey: Jwk): Awaitable<Signer>
  /** Prepares verification. @throws if the key does not fit the algorithm or is too weak (TOK-22). */
  verifier(algorithm: SignatureAlgorithm, publicKey: Jwk): Awaitable<SignatureVerifier>
  /** Decodes base64url to a string; `null` unless it is canonical base64url of valid UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
  /** Encodes a string as UTF-8, then base64url. */
  encodeText(text: string): string
  /** Prepares AES-256-GCM with a key that is derived from the secret with HKDF-SHA-256 (ST-02). */
  cipher(secret: string): Awaitable<Cipher>
}

/** The operations that verifying the tokens of another service needs. */
export type VerificationCrypto = Pick<Crypto, 'verifier' | 'decodeText' | 'encodeText'>

/** Authenticated encryption of short strings, bound to a context: the same context is needed for decryption. */
export interface Cipher {
  /** Encrypts. The result contains an id of the secret, so that secrets can be replaced. */
  encrypt(plaintext: string, context: string): Awaitable<string>
  /** Decrypts; `null` if secret or context are different, or the ciphertext was changed. */
  decrypt(ciphertext: string, context: string): Awaitable<string | null>
}
