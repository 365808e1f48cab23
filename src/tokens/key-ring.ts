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

/** The keys of one moment. Immutable: a change of the keys makes a new ring. */
export interface KeyRing {
  /** Changes with the set of keys, within one process: what was verified before must be again (TOK-17). */
  readonly epoch: number
  /** The newest signing key that is active at `now`; the oldest if none is yet. */
  signingKeyAt(now: EpochMilliseconds): AccessKey
  /** The key of a header segment, by exact text (TOK-06), or null. */
  accessKeyByHeader(segment: string): AccessKey | null
  /** Whether a signing key of this name is in the ring. */
  hasAccessKey(kid: string): boolean
  /** The newest refresh key that was active at `instant`; the oldest if none was yet. */
  refreshKeyAt(instant: EpochMilliseconds): RefreshKey
  /** The refresh key of this name, or null. */
  refreshKey(kid: string): RefreshKey | null
  /** The public keys that are pending, active or verify-only (TOK-20, TOK-21). Empty for `HS256`. */
  jwks(): JwkSet
  /** Decodes a segment of a token; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
}

/** The `typ` of access tokens (RFC 9068 section 2.1, TOK-07). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** Prepares a signing key. @throws GeneralError (`misuse`) if it does not fit its algorithm or is too weak. */
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
  const header = crypto.encodeText(JSON.stringify({ alg: algorithm, typ: ACCESS_TOKEN_TYPE, kid }))
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

/** Puts keys together. @throws GeneralError (`misuse`) unless there is at least one of each purpose (TOK-24). */
export function createKeyRing(
  crypto: Pick<Crypto, 'decodeText'>,
  accessKeys: readonly AccessKey[],
  refreshKeys: readonly RefreshKey[],
  epoch: number,
): KeyRing {
  const newestAccessFirst = newestFirst(accessKeys)
  const newestRefreshFirst = newestFirst(refreshKeys)
  const byHeader = new Map(accessKeys.map(key => [key.header, key]))
  const accessKids = new Set(accessKeys.map(key => key.kid))
  const refreshByKid = new Map(refreshKeys.map(key => [key.kid, key]))
  const published: JwkSet = { keys: newestAccessFirst.map(key => key.publicJwk).filter(jwk => jwk !== null) }
  return {
    epoch,
    signingKeyAt: now => activeAt(newestAccessFirst, now),
    accessKeyByHeader: segment => byHeader.get(segment) ?? null,
    hasAccessKey: kid => accessKids.has(kid),
    refreshKeyAt: instant => activeAt(newestRefreshFirst, instant),
    refreshKey: kid => refreshByKid.get(kid) ?? null,
    jwks: () => published,
    decodeText: segment => crypto.decodeText(segment),
  }
}

interface Dated {
  readonly kid: string
  readonly activeFrom: EpochMilliseconds
}

/** A key and its elders; at least one. */
type NonEmpty<Key> = readonly [Key, ...Key[]]

function newestFirst<Key extends Dated>(keys: readonly Key[]): NonEmpty<Key> {
  const [newest, ...elders] = keys.toSorted((left, right) => (
    right.activeFrom - left.activeFrom || (left.kid < right.kid ? 1 : -1)
  ))
  if (newest === undefined) throw new GeneralError('misuse', 'a key ring needs a signing key and a refresh key')
  return [newest, ...elders]
}

function activeAt<Key extends Dated>(newestFirst: NonEmpty<Key>, instant: EpochMilliseconds): Key {
  let oldest: Key = newestFirst[0]
  for (const key of newestFirst) {
    if (key.activeFrom <= instant) return key
    oldest = key
  }
  return oldest
}
