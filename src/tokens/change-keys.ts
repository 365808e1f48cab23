import type { Clock, EpochMilliseconds } from '../base/time.ts'
import { encryptionError, findEncryptionFault, mustRemoveAddedKey } from './encryption.ts'
import type { KeyLoader } from './key-material.ts'
import { keyPurposes, rotates } from './key-store.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { LONGEST_RETENTION, newestOf, planEarlyRotation, planRepetition, resolveKeyRequest } from './plan-rotation.ts'
import type { KeyRequest, KeyPlace, SigningKeyRequest } from './plan-rotation.ts'

/** What the functions that change the keys of a store need. */
export interface KeyChanger {
  readonly store: KeyStore
  readonly loader: KeyLoader
  readonly clock: Clock
}

/**
 * Reads the keys of the store.
 * @throws GeneralError (`MISUSE`) if they must not be used, see {@link KeyLoader.accept}.
 */
export async function readKeys({ store, loader }: KeyChanger): Promise<readonly StoredKey[]> {
  const keys = await store.listKeys()
  await loader.accept(keys)
  return keys
}

/** The key that this process added (null if another process was faster), and the keys of the store afterwards. */
interface Addition {
  readonly added: StoredKey | null
  readonly keys: readonly StoredKey[]
}

/**
 * Adds a key, if `newest` is still the newest of its purpose. Then reads the keys again, before another key is added.
 * @throws GeneralError (`MISUSE`) if the keys must no longer be used, for example because another process has encrypted
 * them.
 */
export async function addKey(
  changer: KeyChanger,
  keyRequest: KeyRequest,
  place: KeyPlace,
): Promise<Addition> {
  const addition = await tryToAdd(changer, keyRequest, place)
  await changer.loader.accept(addition.keys)
  return addition
}

async function tryToAdd(
  { store, loader, clock }: KeyChanger,
  keyRequest: KeyRequest,
  { activeFrom, newest }: KeyPlace,
): Promise<Addition> {
  const key = await loader.create(keyRequest, clock(), activeFrom)
  const isAdded = await store.addKeyIfNewest(key, newest)
  const keys = await store.listKeys()
  if (isAdded && mustRemoveAddedKey(key, keys)) await store.removeKey(key.kid, clock() + LONGEST_RETENTION)
  return { added: isAdded ? key : null, keys }
}

/** The result of a rotation. */
export interface KeyRotation {
  /** The newest key of each purpose: it is used from its `activeFrom` on. */
  readonly newest: readonly StoredKey[]
  /** Those of them that this call added. */
  readonly added: readonly StoredKey[]
}

/**
 * Adds a key of each purpose, which is published now and used after the publication lead. A key that is published and
 * not used yet is returned again, whichever process added it (V-03).
 * @throws GeneralError (`MISUSE`) before it adds a key, if the existing keys must not be used.
 */
export async function rotateKeys(
  changer: KeyChanger,
  keyRequests: readonly (KeyRequest | SigningKeyRequest)[],
): Promise<KeyRotation> {
  const newest: StoredKey[] = []
  const added: StoredKey[] = []
  let keys = await readKeys(changer)
  for (const keyRequest of keyRequests) {
    let next = planRepetition(keys, keyRequest.purpose, changer.clock())
    if (next === null) {
      const place = planEarlyRotation(keys, keyRequest.purpose, changer.clock())
      const step = await addKey(changer, resolveKeyRequest(keys, keyRequest), place)
      if (step.added !== null) added.push(step.added)
      keys = step.keys
      // If another process was faster, its key is the next one.
      next = step.added ?? newestOf(keys, keyRequest.purpose)
    }
    if (next !== null) newest.push(next)
  }
  return { newest, added }
}

/**
 * Replaces all keys of the store that rotate: adds a new key of each purpose, then removes all older ones. Returns the
 * new keys.
 *
 * - Static keys stay: what they signed may be valid for decades. Sessions end all the same, with the refresh keys.
 * - With a secret, existing keys need not be decryptable. A static key that no secret decrypts is replaced, too,
 *   because otherwise no process could use the store.
 * - The store is never empty: a process without the secret would take it for a new store.
 * - New keys are used only after the old ones are removed, and refresh keys are replaced first. So no session can
 *   move from an old key to a new one.
 * @throws GeneralError (`MISUSE`) if there are encrypted keys and no secret.
 */
export async function replaceKeys(changer: KeyChanger, until: EpochMilliseconds): Promise<readonly StoredKey[]> {
  const { store, loader, clock } = changer
  const made: StoredKey[] = []
  const old: StoredKey[] = []
  let keys = await store.listKeys()
  for (const purpose of keyPurposes) {
    if (!rotates(purpose) && await areUsable(loader, keys.filter(key => key.purpose === purpose))) continue
    const fault = findEncryptionFault(keys, loader.hasSecret)
    if (fault?.kind === 'secret-missing') throw encryptionError(fault)
    const place = planEarlyRotation(keys, purpose, clock())
    const newest = keys.find(({ kid }) => kid === place.newest)
    if (newest === undefined) continue
    old.push(...keys.filter(key => key.purpose === purpose))
    const step = await tryToAdd(changer, { purpose, algorithm: newest.algorithm }, place)
    // If another process was faster, its key is as new as this one.
    if (step.added !== null) made.push(step.added)
    keys = step.keys
  }
  for (const { kid } of old) await store.removeKey(kid, until)
  return made
}

async function areUsable(loader: KeyLoader, keys: readonly StoredKey[]): Promise<boolean> {
  return loader.accept(keys).then(() => true, () => false)
}

/**
 * Encrypts keys in the store. Returns the encrypted keys; leaves out keys that have changed since they were read.
 * @throws GeneralError (`MISUSE`) if there is no secret.
 */
export async function encryptKeys(
  { store, loader }: Pick<KeyChanger, 'store' | 'loader'>,
  keys: readonly StoredKey[],
): Promise<readonly StoredKey[]> {
  const done: StoredKey[] = []
  for (const key of keys) {
    if (await store.replaceKeyMaterial(key.kid, key.material, await loader.encrypt(key))) done.push(key)
  }
  return done
}
