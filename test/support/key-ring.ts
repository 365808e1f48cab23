import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import type { Crypto, KeyMaterial, SignatureAlgorithm } from '../../src/tokens/crypto.ts'
import { createKeyRing, createSigningKey } from '../../src/tokens/key-ring.ts'
import type { KeyRing, SigningKey } from '../../src/tokens/key-ring.ts'
import { createKeyLoader } from '../../src/tokens/key-material.ts'
import type { KeyStore } from '../../src/tokens/key-store.ts'
import { createRefreshKey } from '../../src/tokens/refresh-token.ts'
import type { ApplicationIdentity, RefreshKey } from '../../src/tokens/refresh-token.ts'

/** A new signing key. */
export async function sampleAccessKey(
  algorithm: SignatureAlgorithm = 'ES256',
  { kid = newKid(), activeFrom = 0, crypto = nodeCrypto }: { kid?: string; activeFrom?: number; crypto?: Crypto } = {},
): Promise<SigningKey> {
  return accessKeyOf(algorithm, await crypto.generateKey(algorithm), { kid, activeFrom, crypto })
}

/** A signing key with this material. */
export async function accessKeyOf(
  algorithm: SignatureAlgorithm,
  material: KeyMaterial,
  { kid = newKid(), activeFrom = 0, crypto = nodeCrypto }: { kid?: string; activeFrom?: number; crypto?: Crypto } = {},
): Promise<SigningKey> {
  const parts = { purpose: 'access', kid, algorithm, createdAt: activeFrom, activeFrom, macKey: null } as const
  return createSigningKey(crypto, parts, material)
}

/** A new refresh key. */
export async function sampleRefreshKey(
  { kid = newKid(), activeFrom = 0, crypto = nodeCrypto }: { kid?: string; activeFrom?: number; crypto?: Crypto } = {},
): Promise<RefreshKey> {
  return createRefreshKey(crypto, { kid, activeFrom, bytes: crypto.randomBytes(32) }, {
    name: 'default', audience: null,
  })
}

/** The first refresh key of a store without a secret, as an attacker with read access to the store can load it. */
export async function refreshKeyIn(
  store: Pick<KeyStore, 'listKeys'>,
  application: ApplicationIdentity = { name: 'default', audience: null },
): Promise<RefreshKey> {
  const loader = await createKeyLoader(nodeCrypto, [])
  for (const stored of await store.listKeys()) {
    if (stored.purpose !== 'refresh') continue
    const loaded = await loader.load(stored, application)
    if (loaded.purpose === 'refresh') return loaded
  }
  throw new Error('the store has no refresh key')
}

/** A ring of these keys, with a new key for each purpose that is missing. */
export async function sampleRing(
  accessKeys: readonly SigningKey[] = [],
  refreshKeys: readonly RefreshKey[] = [],
  crypto: Crypto = nodeCrypto,
): Promise<KeyRing> {
  return createKeyRing(
    crypto,
    [
      ...accessKeys.length > 0 ? accessKeys : [await sampleAccessKey()],
      ...refreshKeys.length > 0 ? refreshKeys : [await sampleRefreshKey()],
    ],
    1,
  )
}

/** A new name for a key. */
export function newKid(): string {
  return Buffer.from(nodeCrypto.randomBytes(12)).toString('base64url')
}
