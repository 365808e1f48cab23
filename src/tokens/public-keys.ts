import { GeneralError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { VerificationKeys } from './access-token.ts'
import type { SignatureAlgorithm, VerificationCrypto, SignatureVerifier } from './crypto.ts'
import { headerSegment } from './key-ring.ts'
import type { Jwk } from './jwk.ts'

/** The asymmetric algorithms. A public key set contains no keys of other algorithms. */
const algorithms: ReadonlySet<string> = new Set<SignatureAlgorithm>(['ES256', 'EdDSA', 'RS256'])

/**
 * Loads a JSON Web Key Set (RFC 7517 section 5) for verification. Ignores keys of other types or uses, without a `kid`
 * or too weak, as the RFC requires. Of two keys with the same `kid`, the first is used.
 * @throws GeneralError (`STORE_UNAVAILABLE`) if it is not a key set, or contains no usable key.
 */
export async function createVerificationKeys(crypto: VerificationCrypto, set: unknown): Promise<VerificationKeys> {
  const keys = isJsonObject(set) && Array.isArray(set['keys']) ? set['keys'] : []
  const byHeader = new Map<string, { readonly verify: SignatureVerifier }>()
  const kids = new Set<string>()
  for (const key of keys) {
    const named = isJsonObject(key) ? nameOf(key) : null
    if (named === null || kids.has(named.kid)) continue
    const verify = await tryVerifier(crypto, named.algorithm, named.jwk)
    if (verify === null) continue
    kids.add(named.kid)
    byHeader.set(headerSegment(crypto, named.algorithm, named.kid), { verify })
  }
  if (kids.size === 0) {
    throw new GeneralError('STORE_UNAVAILABLE', 'the key set contains no key that can verify access tokens')
  }
  return {
    accessKeyByHeader: segment => byHeader.get(segment) ?? null,
    hasAccessKey: kid => kids.has(kid),
    decodeText: segment => crypto.decodeText(segment),
  }
}

interface NamedKey {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly jwk: Jwk
}

function nameOf(jwk: JsonObject): NamedKey | null {
  const { kid, alg, use } = jwk
  if (typeof kid !== 'string' || !isAlgorithm(alg) || (use !== undefined && use !== 'sig')) return null
  return { kid, algorithm: alg, jwk: textMembers(jwk) }
}

function isAlgorithm(alg: unknown): alg is SignatureAlgorithm {
  return typeof alg === 'string' && algorithms.has(alg)
}

/** Keys of the supported algorithms have string members only. */
function textMembers(jwk: JsonObject): Jwk {
  return Object.fromEntries(Object.entries(jwk).filter(([, value]) => typeof value === 'string'))
}

async function tryVerifier(
  crypto: VerificationCrypto,
  algorithm: SignatureAlgorithm,
  jwk: Jwk,
): Promise<SignatureVerifier | null> {
  try {
    return await crypto.verifier(algorithm, jwk)
  } catch {
    return null
  }
}
