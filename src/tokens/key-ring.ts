import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Crypto, KeyMaterial, SignatureAlgorithm, SignatureVerifier } from './crypto.ts'
import { toPublicJwk } from './jwk.ts'
import type { JwkSet, PublicJwk } from './jwk.ts'
import { ACCESS_TOKEN_TYPE, signingRules } from './key-store.ts'
import type { SigningPurpose, StoredKey } from './key-store.ts'
import type { RefreshKey } from './refresh-token.ts'
import { createTokenMac } from './token-mac.ts'
import type { TokenMac } from './token-mac.ts'

/** A loaded signing key: signs tokens and verifies them. */
export interface SigningKey {
  readonly purpose: SigningPurpose
  /** The `kid` under which verifiers find it. */
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly activeFrom: EpochMilliseconds
  /**
   * The exact header segment of its tokens, unless the token format adds members. The `alg` of a token is never used to
   * choose the algorithm (TOK-02).
   */
  readonly header: string
  /** The public key; null for `HS256`. */
  readonly publicJwk: PublicJwk | null
  /** Creates a compact JWS (RFC 7515 section 7.1). `more`: members that the token format adds to the header. */
  sign(payload: string, more?: JsonObject): Awaitable<string>
  /** Verifies the signature of the header and payload segments. */
  readonly verify: SignatureVerifier
  /** Computes the MAC of its tokens; null if they have none. */
  readonly mac: TokenMac | null
}

/** A loaded key. */
export type LoadedKey = SigningKey | RefreshKey

/** The set of keys in memory. Immutable: when the keys change, there is a new ring. */
export interface KeyRing {
  /**
   * Changes with the set of keys, within one process. Tokens verified with another epoch are verified again (TOK-17).
   */
  readonly epoch: number
  /**
   * The newest signing key of the purpose that is active at `now`; the oldest if none is active yet.
   * @throws GeneralError (`MISUSE`) if the ring was not made for the purpose.
   */
  signingKeyAt(purpose: SigningPurpose, now: EpochMilliseconds): SigningKey
  /** The signing key with this public `kid`, or null. */
  signingKey(kid: string): SigningKey | null
  /** The key whose access tokens have exactly this header segment (TOK-06), or null. */
  accessKeyByHeader(segment: string): SigningKey | null
  /** Whether the ring contains a key for access tokens with this id. */
  hasAccessKey(kid: string): boolean
  /** The newest refresh key that was active at `instant`; the oldest if none was active yet. */
  refreshKeyAt(instant: EpochMilliseconds): RefreshKey
  /** The refresh key with this id, or null. */
  refreshKey(kid: string): RefreshKey | null
  /**
   * The public keys of these purposes, pending and verify-only ones included; of each purpose the newest first (TOK-20,
   * TOK-21). Empty for `HS256`.
   */
  jwks(...purposes: readonly SigningPurpose[]): JwkSet
  /** Decodes a segment of a token; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
}

/** The exact header segment of the access tokens of a key. */
export function headerSegment(crypto: Pick<Crypto, 'encodeText'>, alg: SignatureAlgorithm, kid: string): string {
  return crypto.encodeText(JSON.stringify({ alg, typ: ACCESS_TOKEN_TYPE, kid }))
}

/** What a signing key is created from, besides private and public key. */
export interface SigningKeyParts extends Pick<StoredKey, 'kid' | 'createdAt' | 'activeFrom'> {
  readonly purpose: SigningPurpose
  readonly algorithm: SignatureAlgorithm
  /** The key of its tokens' MACs; null if they have none. */
  readonly macKey: Uint8Array | null
}

/** Loads a signing key. @throws GeneralError (`MISUSE`) if it does not match its algorithm or is too weak. */
export async function createSigningKey(
  crypto: Crypto,
  parts: SigningKeyParts,
  material: KeyMaterial,
): Promise<SigningKey> {
  const { purpose, algorithm, activeFrom, macKey } = parts
  const { typ, publicKid } = signingRules[purpose]
  const kid = publicKid(parts)
  const signer = await crypto.signer(algorithm, material.privateKey)
  const headerOf = (more?: JsonObject): string =>
    crypto.encodeText(JSON.stringify({ alg: algorithm, typ, kid, ...more }))
  const header = headerOf()
  return {
    purpose,
    kid,
    algorithm,
    activeFrom,
    header,
    publicJwk: algorithm === 'HS256' ? null : toPublicJwk(kid, algorithm, material.publicKey),
    sign(payload, more) {
      const input = `${more === undefined ? header : headerOf(more)}.${crypto.encodeText(payload)}`
      const signature = signer(input)
      return typeof signature === 'string' ? `${input}.${signature}` : signature.then(later => `${input}.${later}`)
    },
    verify: await crypto.verifier(algorithm, material.publicKey),
    mac: macKey === null ? null : await createTokenMac(crypto, macKey),
  }
}

/** Creates a ring. @throws GeneralError (`MISUSE`) unless there are a signing key and a refresh key (TOK-24). */
export function createKeyRing(
  crypto: Pick<Crypto, 'decodeText'>,
  keys: readonly LoadedKey[],
  epoch: number,
): KeyRing {
  const signing = newestFirst(keys.filter(key => key.purpose !== 'refresh'))
  const ofPurpose = (purpose: SigningPurpose): readonly SigningKey[] => signing.filter(key => key.purpose === purpose)
  const signingKeys: Readonly<Record<SigningPurpose, readonly SigningKey[]>> = {
    'access': ofPurpose('access'), 'core-dynamic': ofPurpose('core-dynamic'), 'core-static': ofPurpose('core-static'),
  }
  const signingByKid = new Map(signing.map(key => [key.kid, key]))
  const refreshKeys = newestFirst(keys.filter(key => key.purpose === 'refresh'))
  const refreshByKid = new Map(refreshKeys.map(key => [key.kid, key]))
  if (signing.length === 0 || refreshKeys.length === 0) throw keyMissing()
  const accessKeys = signingKeys.access
  return {
    epoch,
    signingKeyAt: (purpose, now) => activeAt(signingKeys[purpose], now),
    signingKey: kid => signingByKid.get(kid) ?? null,
    // With a few keys, comparing strings is faster than hashing one for a Map.
    accessKeyByHeader: segment => accessKeys.find(key => key.header === segment) ?? null,
    hasAccessKey: kid => signingByKid.get(kid)?.purpose === 'access',
    refreshKeyAt: instant => activeAt(refreshKeys, instant),
    refreshKey: kid => refreshByKid.get(kid) ?? null,
    jwks: (...purposes) => ({
      keys: purposes.flatMap(purpose => signingKeys[purpose]).map(key => key.publicJwk).filter(jwk => jwk !== null),
    }),
    decodeText: segment => crypto.decodeText(segment),
  }
}

/** What keys are ordered by. */
export interface Dated {
  readonly kid: string
  readonly activeFrom: EpochMilliseconds
}

/** Orders keys by `activeFrom`, the newest first. */
export function newestFirst<Key extends Dated>(keys: readonly Key[]): readonly Key[] {
  return keys.toSorted((left, right) => right.activeFrom - left.activeFrom || (left.kid < right.kid ? 1 : -1))
}

/**
 * The newest key that is active at the instant; the oldest if none is active yet.
 * @throws GeneralError (`MISUSE`) if there are no keys (TOK-24).
 */
export function activeAt<Key extends Dated>(newestFirst: readonly Key[], instant: EpochMilliseconds): Key {
  const key = newestFirst.find(({ activeFrom }) => activeFrom <= instant) ?? newestFirst.at(-1)
  if (key === undefined) throw keyMissing()
  return key
}

function keyMissing(): GeneralError {
  return new GeneralError('MISUSE', 'a key ring needs a signing key of each purpose and a refresh key')
}
