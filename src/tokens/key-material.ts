import type { Awaitable } from '../base/awaitable.ts'
import { decodeBase64url, encodeBase64url } from '../base/base64url.ts'
import { GeneralError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Crypto, KeyMaterial, Cipher } from './crypto.ts'
import { encryptionError, findEncryptionFault, isEncrypted } from './encryption.ts'
import { createSigningKey } from './key-ring.ts'
import type { LoadedKey } from './key-ring.ts'
import type { Jwk } from './jwk.ts'
import type { StoredKey } from './key-store.ts'
import type { KeyRequest } from './plan-rotation.ts'
import { createRefreshKey } from './refresh-token.ts'
import type { ApplicationIdentity } from './refresh-token.ts'
import { MAC_KEY_BYTES } from './token-mac.ts'

/** Creates and loads keys, encrypted with the application's secrets. */
export interface KeyLoader {
  /** Whether there is a secret. Without one, keys are stored unencrypted. */
  readonly hasSecret: boolean
  /** Creates a key, encrypted if there is a secret. Does not check whether it may be added to the store. */
  create(
    keyRequest: KeyRequest,
    createdAt: EpochMilliseconds,
    activeFrom: EpochMilliseconds,
  ): Promise<StoredKey>
  /**
   * Checks that the keys of a store may be used and others added (S-04): all are encrypted and can be decrypted, or
   * there is no secret and none is encrypted.
   * @throws GeneralError (`MISUSE`) that names the keys that must not be used, and what to do.
   */
  accept(keys: readonly StoredKey[]): Promise<void>
  /** Loads a key. @throws GeneralError (`MISUSE`) as `accept` does, or if it does not match its algorithm. */
  load(stored: StoredKey, application: ApplicationIdentity): Promise<LoadedKey>
  /**
   * The index of the secret that decrypts the key; 0 is the newest. Null if the key is not encrypted.
   * @throws GeneralError (`MISUSE`) if no secret decrypts it.
   */
  secretOf(stored: StoredKey): Promise<number | null>
  /** Encrypts the material of an unencrypted key. @throws GeneralError (`MISUSE`) without a secret. */
  encrypt(stored: StoredKey): Promise<string>
  /** The material, encrypted with the newest secret, if an older secret encrypted it; null otherwise (ST-02). */
  reencrypt(stored: StoredKey): Promise<string | null>
}

/**
 * Prepares the secrets: the first encrypts, any decrypts. To replace a secret, first add the new one after the old one
 * in every process, then move it before the old one, then remove the old one.
 */
export async function createKeyLoader(crypto: Crypto, secrets: readonly string[]): Promise<KeyLoader> {
  const ciphers: Cipher[] = []
  for (const secret of secrets) ciphers.push(await crypto.cipher(secret))
  const [newest] = ciphers
  const hasSecret = newest !== undefined

  function encrypted(key: StoredKey, text: string): Awaitable<string> {
    if (newest !== undefined) return newest.encrypt(text, contextOf(key))
    throw new GeneralError('MISUSE', 'keys cannot be encrypted without a secret')
  }

  async function decrypt(stored: StoredKey): Promise<{ readonly secret: number | null; readonly text: string }> {
    if (!isEncrypted(stored)) return { secret: null, text: stored.material }
    for (const [secret, cipher] of ciphers.entries()) {
      const text = await cipher.decrypt(stored.material, contextOf(stored))
      if (text !== null) return { secret, text }
    }
    throw new GeneralError('MISUSE', `no configured secret decrypts the key ${stored.kid}: `
      + 'also configure the secret that encrypted it, or remove the key, which ends the sessions that use it', {
      reason: 'keys-undecryptable',
    })
  }

  async function accept(keys: readonly StoredKey[]): Promise<void> {
    const fault = findEncryptionFault(keys, hasSecret)
    if (fault !== null) throw encryptionError(fault)
    for (const key of keys) await decrypt(key)
  }

  async function textOf(stored: StoredKey): Promise<string> {
    await accept([stored])
    return (await decrypt(stored)).text
  }

  async function loadKeyPair(stored: StoredKey): Promise<KeyMaterial & { readonly macKey: Uint8Array | null }> {
    const { privateKey, publicKey, macKey } = parseJsonObject(await textOf(stored)) ?? {}
    if (!isJwk(privateKey) || !isJwk(publicKey)) throw malformed(stored.kid)
    if (macKey === undefined) return { privateKey, publicKey, macKey: null }
    const bytes = typeof macKey === 'string' ? decodeBase64url(macKey) : null
    if (bytes === null) throw malformed(stored.kid)
    return { privateKey, publicKey, macKey: bytes }
  }

  return {
    hasSecret,

    async create({ purpose, algorithm }, createdAt, activeFrom) {
      const key: StoredKey = {
        kid: createKid(crypto),
        purpose,
        algorithm,
        createdAt,
        activeFrom,
        material: JSON.stringify(algorithm === 'HMAC-SHA-256'
          ? { kty: 'oct', k: encodeBase64url(crypto.randomBytes(32)) }
          : { ...await crypto.generateKey(algorithm), ...hasMac(purpose, algorithm) ? createMacKey(crypto) : {} }),
      }
      return hasSecret ? { ...key, material: await encrypted(key, key.material) } : key
    },

    accept,

    async load(stored, application) {
      const { kid, purpose, algorithm, activeFrom } = stored
      if (purpose !== 'refresh') {
        if (algorithm === 'HMAC-SHA-256') throw malformed(kid)
        const { macKey, ...pair } = await loadKeyPair(stored)
        return createSigningKey(crypto, { ...stored, purpose, algorithm, macKey }, pair)
      }
      const material = algorithm === 'HMAC-SHA-256' ? parseJsonObject(await textOf(stored)) : null
      const bytes = typeof material?.['k'] === 'string' ? decodeBase64url(material['k']) : null
      if (bytes === null) throw malformed(kid)
      return createRefreshKey(crypto, { kid, activeFrom, bytes }, application)
    },

    secretOf: async stored => (await decrypt(stored)).secret,

    encrypt: async stored => encrypted(stored, stored.material),

    async reencrypt(stored) {
      const { secret, text } = await decrypt(stored)
      return secret === null || secret === 0 ? null : encrypted(stored, text)
    },
  }
}

/** Only the library's format sends MACs. With `HS256`, the signature itself is one. */
function hasMac(purpose: StoredKey['purpose'], algorithm: StoredKey['algorithm']): boolean {
  return purpose === 'access' && algorithm !== 'HS256'
}

function createMacKey(crypto: Crypto): { readonly macKey: string } {
  return { macKey: encodeBase64url(crypto.randomBytes(MAC_KEY_BYTES)) }
}

/** The context that encryption binds material to: encrypted for one key, it cannot be decrypted as another (ST-02). */
function contextOf(key: StoredKey): string {
  return `${key.purpose} ${key.algorithm} ${key.kid}`
}

function malformed(kid: string): GeneralError {
  return new GeneralError('MISUSE', `the key ${kid} in the store is malformed`)
}

/** Whether a value can be passed to `checkJwk`, which checks its members. */
function isJwk(value: JsonValue | undefined): value is Jwk & JsonObject {
  return isJsonObject(value)
}

/** 95 random bits. The first character is a letter, because a command line reads a leading hyphen as an option. */
function createKid({ randomBytes }: Crypto): string {
  const [first = 0, ...rest] = randomBytes(12)
  return encodeBase64url(Uint8Array.of(first & 0x7f, ...rest))
}
