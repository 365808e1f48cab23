import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Crypto, KeyMaterial, SignatureAlgorithm, Verifier } from './crypto.ts'
import { toPublicJwk } from './jwk.ts'
import type { JwkSet, PublicJwk } from './jwk.ts'
import type { RefreshKey } from './refresh-token.ts'

/** A signing key, ready for use: it writes access tokens and recognizes its own. */
export interface AccessKey {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly activeFrom: EpochMilliseconds
  /** The one header segment that its tokens have: no token's own `alg` is ever obeyed (TOK-02). */
  readonly header: string
  /** The public half, or null for `HS256`, which has none. */
  readonly publicJwk: PublicJwk | null
  /** Writes a compact JWS over this payload (RFC 7515 section 7.1). */
  sign(payload: string): Awaitable<string>
  /** Whether the signature is this key's over the header and payload segments. */
  readonly verify: Verifier
}

/** The refresh keys of one moment. */
export interface RefreshKeyRing {
  /** The newest refresh key that was active at `instant`; the oldest if none was yet. */
  refreshKeyAt(instant: EpochMilliseconds): RefreshKey
  /** The refresh key of this name, or null. */
  refreshKey(kid: string): RefreshKey | null
}

/** The keys of one moment. Immutable: a change of the keys makes a new ring. */
export interface KeyRing extends RefreshKeyRing {
  /** Changes with the set of keys, within one process: what was verified before must be again (TOK-17). */
  readonly epoch: number
  /** The newest signing key that is active at `now`; the oldest if none is yet. */
  signingKeyAt(now: EpochMilliseconds): AccessKey
  /** The key of a header segment, by exact text (TOK-06), or null. */
  accessKeyByHeader(segment: string): AccessKey | null
  /** Whether a signing key of this name is in the ring. */
  hasAccessKey(kid: string): boolean
  /** The public keys that are pending, active or verify-only (TOK-20, TOK-21). Empty for `HS256`. */
  jwks(): JwkSet
  /** Decodes a segment of a token; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
}

/** The `typ` of access tokens (RFC 9068 section 2.1, TOK-07). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** The one header segment of the tokens of a key, to the byte. */
export function headerSegment(crypto: Pick<Crypto, 'encodeText'>, alg: SignatureAlgorithm, kid: string): string {
  return crypto.encodeText(JSON.stringify({ alg, typ: ACCESS_TOKEN_TYPE, kid }))
}

/** Prepares a signing key. @throws GeneralError (`MISUSE`) if it does not fit its algorithm or is too weak. */
export async function createAccessKey(
  crypto: Crypto,
  key: {
    readonly kid: string
    readonly algorithm: SignatureAlgorithm
    readonly activeFrom: EpochMilliseconds
    readonly material: KeyMaterial
  },
): Promise<AccessKey> {
  const { kid, algorithm, activeFrom, material } = key
  const signer = await crypto.signer(algorithm, material.privateKey)
  const header = headerSegment(crypto, algorithm, kid)
  return {
    kid,
    algorithm,
    activeFrom,
    header,
    publicJwk: algorithm === 'HS256' ? null : toPublicJwk(kid, algorithm, material.publicKey),
    sign(payload) {
      const input = `${header}.${crypto.encodeText(payload)}`
      const signature = signer(input)
      return typeof signature === 'string' ? `${input}.${signature}` : signature.then(later => `${input}.${later}`)
    },
    verify: await crypto.verifier(algorithm, material.publicKey),
  }
}

/** Puts keys together. @throws GeneralError (`MISUSE`) unless there is at least one of each purpose (TOK-24). */
export function createKeyRing(
  crypto: Pick<Crypto, 'decodeText'>,
  accessKeys: readonly AccessKey[],
  refreshKeys: readonly RefreshKey[],
  epoch: number,
): KeyRing {
  const newestAccessFirst = newestFirst(accessKeys)
  const accessKids = new Set(accessKeys.map(key => key.kid))
  const published: JwkSet = { keys: newestAccessFirst.map(key => key.publicJwk).filter(jwk => jwk !== null) }
  return {
    epoch,
    signingKeyAt: now => activeAt(newestAccessFirst, now),
    // To compare a few texts is cheaper than to hash a new one.
    accessKeyByHeader: segment => newestAccessFirst.find(key => key.header === segment) ?? null,
    hasAccessKey: kid => accessKids.has(kid),
    ...createRefreshKeyRing(refreshKeys),
    jwks: () => published,
    decodeText: segment => crypto.decodeText(segment),
  }
}

/** Puts refresh keys together. @throws GeneralError (`MISUSE`) unless there is at least one (TOK-24). */
export function createRefreshKeyRing(refreshKeys: readonly RefreshKey[]): RefreshKeyRing {
  const newestRefreshFirst = newestFirst(refreshKeys)
  const byKid = new Map(refreshKeys.map(key => [key.kid, key]))
  return {
    refreshKeyAt: instant => activeAt(newestRefreshFirst, instant),
    refreshKey: kid => byKid.get(kid) ?? null,
  }
}

/** What orders keys. */
export interface Dated {
  readonly kid: string
  readonly activeFrom: EpochMilliseconds
}

/** A key and its elders; at least one. */
export type NonEmpty<Key> = readonly [Key, ...Key[]]

/** Keys by `activeFrom`. @throws GeneralError (`MISUSE`) unless there is at least one (TOK-24). */
export function newestFirst<Key extends Dated>(keys: readonly Key[]): NonEmpty<Key> {
  const [newest, ...elders] = keys.toSorted((left, right) => (
    right.activeFrom - left.activeFrom || (left.kid < right.kid ? 1 : -1)
  ))
  if (newest === undefined) throw new GeneralError('MISUSE', 'a key ring needs a signing key and a refresh key')
  return [newest, ...elders]
}

/** The newest key that is active at the instant; the oldest if none is yet. */
export function activeAt<Key extends Dated>(newestFirst: NonEmpty<Key>, instant: EpochMilliseconds): Key {
  let oldest: Key = newestFirst[0]
  for (const key of newestFirst) {
    if (key.activeFrom <= instant) return key
    oldest = key
  }
  return oldest
}
