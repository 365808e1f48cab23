import { GeneralError } from '../../base/errors.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { Crypto, Verifier } from '../../tokens/crypto.ts'
import { toPublicJwk } from '../../tokens/jwk.ts'
import type { PublicJwk } from '../../tokens/jwk.ts'
import type { RingMaker } from '../../tokens/key-keeper.ts'
import { activeAt, createRefreshKeyRing, newestFirst } from '../../tokens/key-ring.ts'
import type { RefreshKeyRing } from '../../tokens/key-ring.ts'
import type { StoredKey } from '../../tokens/key-store.ts'
import type { KeyPolicy } from '../../tokens/plan-rotation.ts'
import type { Application, RefreshKey } from '../../tokens/refresh-token.ts'

/** A key that signs access tokens of the core protocol: RSA 2048, `RS256`. */
export interface CoreSigningKey {
  /** As the protocol names keys: `d-<creation ms>` for a dynamic one, `s-<id>` for a static one. */
  readonly kid: string
  /** The name under which the store keeps it. */
  readonly storedKid: string
  readonly isDynamic: boolean
  readonly createdAt: EpochMilliseconds
  readonly activeFrom: EpochMilliseconds
  readonly publicJwk: PublicJwk
  /** Writes a compact JWS (RFC 7515 section 7.1). `header` lacks `alg` and `kid`, which are the key's. */
  sign(header: { readonly [name: string]: string | number }, payload: string): Awaitable<string>
  /** Whether the signature is this key's over the header and payload segments. */
  readonly verify: Verifier
}

/** The keys of the core protocol at one moment. */
export interface CoreKeyRing extends RefreshKeyRing {
  /** The dynamic key in force at `now`, or the static one. */
  signingKeyAt(now: EpochMilliseconds, dynamic: boolean): CoreSigningKey
  /** The key of this name, or null. */
  signingKey(kid: string): CoreSigningKey | null
  /** The public keys: the dynamic ones first, then the static ones, the newest first of each. */
  readonly publicKeys: readonly PublicJwk[]
  /** All signing keys, in the same order. */
  readonly signingKeys: readonly CoreSigningKey[]
  /** When the next dynamic key is published. */
  readonly nextKeyAt: EpochMilliseconds
}

type LoadedCoreKey =
  | { readonly kind: 'signing'; readonly key: CoreSigningKey }
  | { readonly kind: 'refresh'; readonly key: RefreshKey }

/** Makes rings of what the store keeps. A key ring of an embedded application in the same store is left alone. */
export function createCoreRingMaker(
  crypto: Crypto,
  policy: KeyPolicy,
  application: Application,
): RingMaker<LoadedCoreKey, CoreKeyRing> {
  return {
    demands: [
      { purpose: 'core-dynamic', algorithm: 'RS256' },
      { purpose: 'core-static', algorithm: 'RS256' },
      { purpose: 'refresh', algorithm: 'HMAC-SHA-256' },
    ],
    async load(vault, stored) {
      if (stored.purpose === 'core-dynamic' || stored.purpose === 'core-static') {
        return { kind: 'signing', key: await createSigningKey(crypto, stored, await vault.loadKeyPair(stored)) }
      }
      const { purpose, key } = await vault.load(stored, application)
      if (purpose === 'refresh') return { kind: 'refresh', key }
      throw new GeneralError('MISUSE', `the key ${stored.kid} in the store is malformed`)
    },
    ring(keys) {
      const signing: CoreSigningKey[] = []
      const refresh: RefreshKey[] = []
      for (const { kind, key } of keys) {
        if (kind === 'signing') signing.push(key)
        else refresh.push(key)
      }
      return createCoreKeyRing(signing, refresh, policy)
    },
  }
}

async function createSigningKey(
  crypto: Crypto,
  stored: StoredKey,
  pair: { readonly privateKey: JsonWebKey; readonly publicKey: JsonWebKey },
): Promise<CoreSigningKey> {
  const { kid: storedKid, purpose, createdAt, activeFrom } = stored
  const isDynamic = purpose === 'core-dynamic'
  const kid = isDynamic ? `d-${createdAt}` : `s-${storedKid}`
  const signer = await crypto.signer('RS256', pair.privateKey)
  return {
    kid, storedKid, isDynamic, createdAt, activeFrom,
    publicJwk: toPublicJwk(kid, 'RS256', pair.publicKey),
    async sign(header, payload) {
      const segment = crypto.encodeText(JSON.stringify({ alg: 'RS256', ...header, kid }))
      const input = `${segment}.${crypto.encodeText(payload)}`
      return `${input}.${await signer(input)}`
    },
    verify: await crypto.verifier('RS256', pair.publicKey),
  }
}

function createCoreKeyRing(
  signing: readonly CoreSigningKey[],
  refresh: readonly RefreshKey[],
  policy: KeyPolicy,
): CoreKeyRing {
  const dynamicKeys = newestFirst(signing.filter(key => key.isDynamic))
  const staticKeys = newestFirst(signing.filter(key => !key.isDynamic))
  const signingKeys = [...dynamicKeys, ...staticKeys]
  const byKid = new Map(signingKeys.map(key => [key.kid, key]))
  return {
    ...createRefreshKeyRing(refresh),
    signingKeyAt: (now, dynamic) => activeAt(dynamic ? dynamicKeys : staticKeys, now),
    signingKey: kid => byKid.get(kid) ?? null,
    publicKeys: signingKeys.map(key => key.publicJwk),
    signingKeys,
    nextKeyAt: dynamicKeys[0].activeFrom + policy.accessKeyLifetime - policy.publicationLead,
  }
}
