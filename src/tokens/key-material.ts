import { decodeBase64url, encodeBase64url } from '../base/base64url.ts'
import { GeneralError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Crypto, KeyMaterial, Sealer } from './crypto.ts'
import { createAccessKey } from './key-ring.ts'
import type { AccessKey } from './key-ring.ts'
import type { Jwk } from './jwk.ts'
import type { StoredKey } from './key-store.ts'
import type { KeyDemand } from './plan-rotation.ts'
import { createRefreshKey } from './refresh-token.ts'
import type { Application, RefreshKey } from './refresh-token.ts'

/** A key, ready for use, by its purpose. */
export type LoadedKey =
  | { readonly purpose: 'access'; readonly key: AccessKey }
  | { readonly purpose: 'refresh'; readonly key: RefreshKey }

/** Makes and loads keys, sealed with the application's secrets. */
export interface KeyVault {
  /** Makes a new key. */
  create(
    demand: KeyDemand,
    createdAt: EpochMilliseconds,
    activeFrom: EpochMilliseconds,
  ): Promise<StoredKey>
  /**
   * Loads a key.
   * @throws GeneralError (`MISUSE`) if no secret opens it, or if it does not fit its algorithm. Never makes a new one.
   */
  load(stored: StoredKey): Promise<LoadedKey>
  /** The two halves of a signing key of any purpose. @throws GeneralError as {@link KeyVault.load} does. */
  openKeyPair(stored: StoredKey): Promise<KeyMaterial>
  /** The material sealed with the newest secret, or null if it is already, or if there is no secret (ST-02). */
  reseal(stored: StoredKey): Promise<string | null>
}

/**
 * Prepares the secrets: the first seals, any opens. To change a secret, first add the new one behind the old one in
 * every process, then in front of it, then drop the old one. Refresh keys are bound to the application.
 */
export async function createKeyVault(
  crypto: Crypto,
  secrets: readonly string[],
  application: Application,
): Promise<KeyVault> {
  const sealers: Sealer[] = []
  for (const secret of secrets) sealers.push(await crypto.sealer(secret))
  const [newest] = sealers

  /** Which of the sealers opens the material, or null for material in clear, and what is in it. */
  async function open(stored: StoredKey): Promise<{ readonly by: Sealer | null; readonly text: string }> {
    if (stored.material.startsWith('{')) return { by: null, text: stored.material }
    for (const sealer of sealers) {
      const text = await sealer.open(stored.material, contextOf(stored))
      if (text !== null) return { by: sealer, text }
    }
    throw new GeneralError('MISUSE', `no configured secret opens the key ${stored.kid}: `
      + 'configure the secret that sealed it as well, or remove the key, which ends the sessions that use it')
  }

  async function openKeyPair(stored: StoredKey): Promise<KeyMaterial> {
    const { privateKey, publicKey } = parseJsonObject((await open(stored)).text) ?? {}
    if (!isJwk(privateKey) || !isJwk(publicKey)) throw malformed(stored.kid)
    return { privateKey, publicKey }
  }

  return {
    async create({ purpose, algorithm }, createdAt, activeFrom) {
      const key: StoredKey = {
        kid: encodeBase64url(crypto.randomBytes(12)),
        purpose,
        algorithm,
        createdAt,
        activeFrom,
        material: JSON.stringify(algorithm === 'HMAC-SHA-256'
          ? { kty: 'oct', k: encodeBase64url(crypto.randomBytes(32)) }
          : await crypto.generateKey(algorithm)),
      }
      return newest === undefined ? key : { ...key, material: await newest.seal(key.material, contextOf(key)) }
    },

    async load(stored) {
      const { kid, algorithm, activeFrom } = stored
      if (algorithm === 'HMAC-SHA-256') {
        const material = parseJsonObject((await open(stored)).text)
        const bytes = typeof material?.['k'] === 'string' ? decodeBase64url(material['k']) : null
        if (stored.purpose !== 'refresh' || bytes === null) throw malformed(kid)
        return { purpose: 'refresh', key: await createRefreshKey(crypto, { kid, activeFrom, bytes }, application) }
      }
      if (stored.purpose !== 'access') throw malformed(kid)
      const material = await openKeyPair(stored)
      return { purpose: 'access', key: await createAccessKey(crypto, { kid, algorithm, activeFrom, material }) }
    },

    openKeyPair,

    async reseal(stored) {
      if (newest === undefined) return null
      const { by, text } = await open(stored)
      return by === newest ? null : newest.seal(text, contextOf(stored))
    },
  }
}

/** What sealed material belongs to: sealed under one name it can not be opened under another (ST-02). */
function contextOf(key: StoredKey): string {
  return `${key.purpose} ${key.algorithm} ${key.kid}`
}

function malformed(kid: string): GeneralError {
  return new GeneralError('MISUSE', `the key ${kid} in the store is malformed`)
}

/** Whether a member can be handed to the key check, which looks at each of its members. */
function isJwk(value: JsonValue | undefined): value is Jwk & JsonObject {
  return isJsonObject(value)
}
