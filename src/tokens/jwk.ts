import { decodeBase64url } from '../base/base64url.ts'
import { GeneralError } from '../base/errors.ts'
import type { SignatureAlgorithm } from './crypto.ts'

/** A JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037) of the kinds that Keyturn uses. */
export type Jwk = {
  readonly kty?: string
  readonly alg?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
  readonly d?: string
  readonly p?: string
  readonly q?: string
  readonly dp?: string
  readonly dq?: string
  readonly qi?: string
  readonly k?: string
}

/** A public key for other services: public members only (TOK-21). */
export interface PublicJwk {
  /** The type of the key (RFC 7517 section 4.1). */
  readonly kty: string
  /** The id of the key (RFC 7517 section 4.5). */
  readonly kid: string
  /** The signature algorithm (RFC 7517 section 4.4). */
  readonly alg: SignatureAlgorithm
  /** The use of the key: `sig` (RFC 7517 section 4.2). */
  readonly use: 'sig'
  /** The curve (RFC 7518 section 6.2.1.1, RFC 8037 section 2). */
  readonly crv?: string
  /** A coordinate, or the public key of Ed25519. */
  readonly x?: string
  /** The other coordinate. */
  readonly y?: string
  /** The modulus of an RSA key (RFC 7518 section 6.3.1.1). */
  readonly n?: string
  /** The exponent of an RSA key (RFC 7518 section 6.3.1.2). */
  readonly e?: string
}

/** A JSON Web Key Set (RFC 7517 section 5). */
export interface JwkSet {
  /** The public keys. */
  readonly keys: readonly PublicJwk[]
}

/** Which half of a key pair. */
export type KeyHalf = 'public' | 'private'

type NumberMember = 'x' | 'y' | 'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi' | 'k'

interface KeyKind {
  readonly kty: string
  readonly crv?: string
  readonly publicMembers: readonly NumberMember[]
  readonly privateMembers: readonly NumberMember[]
}

const kinds: Readonly<Record<SignatureAlgorithm, KeyKind>> = {
  ES256: { kty: 'EC', crv: 'P-256', publicMembers: ['x', 'y'], privateMembers: ['d'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', publicMembers: ['x'], privateMembers: ['d'] },
  RS256: { kty: 'RSA', publicMembers: ['n', 'e'], privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  HS256: { kty: 'oct', publicMembers: ['k'], privateMembers: [] },
}

/**
 * Checks a key, and returns the members that this half of a key of this algorithm has, and no others.
 * @throws GeneralError (`MISUSE`) if `alg`, `kty` or `crv` do not match the algorithm, if the key is malformed
 * (TOK-03), or if it is too weak (TOK-22).
 */
export function checkJwk(algorithm: SignatureAlgorithm, jwk: Jwk, half: KeyHalf): Jwk {
  const { kty, crv, publicMembers, privateMembers } = kinds[algorithm]
  if (jwk.alg !== algorithm) throw new GeneralError('MISUSE', `the member alg of the key must be "${algorithm}"`)
  if (jwk.kty !== kty || jwk.crv !== crv) {
    const curve = crv === undefined ? 'no crv' : `the crv "${crv}"`
    throw new GeneralError('MISUSE', `a key for ${algorithm} must have the kty "${kty}" and ${curve}`)
  }
  const members: [string, string][] = []
  for (const name of half === 'public' ? publicMembers : [...publicMembers, ...privateMembers]) {
    const value = jwk[name]
    const bytes = typeof value === 'string' ? decodeBase64url(value) : null
    if (value === undefined || bytes === null || !isStrong(algorithm, name, bytes)) {
      throw new GeneralError('MISUSE', `the member ${name} of the key for ${algorithm} is malformed or too weak`)
    }
    members.push([name, value])
  }
  return { kty, ...(crv === undefined ? {} : { crv }), ...Object.fromEntries(members) }
}

/** The public key of a key pair, for the key set. @throws GeneralError as {@link checkJwk} does. */
export function toPublicJwk(kid: string, algorithm: SignatureAlgorithm, jwk: Jwk): PublicJwk {
  return { ...checkJwk(algorithm, jwk, 'public'), kty: kinds[algorithm].kty, kid, alg: algorithm, use: 'sig' }
}

/** Rejects a key for HMAC-SHA-256 that is too short or all zero. @throws GeneralError (`MISUSE`) (TOK-22). */
export function checkHmacKey(bytes: Uint8Array): void {
  if (isStrongSecret(bytes)) return
  throw new GeneralError('MISUSE', 'an HMAC key must have at least 32 bytes, and not all of them zero')
}

function isStrongSecret(bytes: Uint8Array): boolean {
  return bytes.length >= 32 && bytes.some(byte => byte !== 0)
}

function isStrong(algorithm: SignatureAlgorithm, name: NumberMember, bytes: Uint8Array): boolean {
  if (algorithm === 'HS256') return isStrongSecret(bytes)
  if (algorithm === 'ES256' || algorithm === 'EdDSA') return bytes.length === 32
  if (name === 'n') return bytes.length >= 256 && (bytes[0] ?? 0) >= 0x80
  // Only 65537, the usual exponent: it is large enough against every known attack on small exponents.
  if (name === 'e') return bytes.length === 3 && bytes[0] === 1 && bytes[1] === 0 && bytes[2] === 1
  return bytes.length > 0
}
