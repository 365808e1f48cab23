import type { Clock, EpochMilliseconds } from '../base/time.ts'
import { encryptionError, findEncryptionFault, mustTakeBack } from './encryption.ts'
import type { KeyLoader } from './key-material.ts'
import { keyPurposes, rotates } from './key-store.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { LONGEST_RETENTION, planEarlyRotation, settleDemand } from './plan-rotation.ts'
import type { KeyDemand, KeyPlace, SigningDemand } from './plan-rotation.ts'

/** What changing the keys of a store takes. */
export interface KeyChanger {
  readonly store: KeyStore
  readonly loader: KeyLoader
  readonly clock: Clock
}

/** The keys of the store. @throws GeneralError (`MISUSE`) if they may not be used, see {@link KeyLoader.accept}. */
export async function readKeys({ store, loader }: KeyChanger): Promise<readonly StoredKey[]> {
  const keys = await store.listKeys()
  await loader.accept(keys)
  return keys
}

/** A key that this process tried to add (null if another was quicker), and the keys of the store afterwards. */
interface Addition {
  readonly added: StoredKey | null
  readonly keys: readonly StoredKey[]
}

/**
 * Adds one key to keys that were accepted, if `newest` is still the newest of its purpose, and reads the keys again
 * before anything else can be added.
 * @throws GeneralError (`MISUSE`) if the keys may no longer be used: others have been encrypted meanwhile, say.
 */
export async function addKey(
  changer: KeyChanger,
  demand: KeyDemand,
  place: KeyPlace,
): Promise<Addition> {
  const addition = await tryToAdd(changer, demand, place)
  await changer.loader.accept(addition.keys)
  return addition
}

async function tryToAdd(
  { store, loader, clock }: KeyChanger,
  demand: KeyDemand,
  { activeFrom, newest }: KeyPlace,
): Promise<Addition> {
  const key = await loader.create(demand, clock(), activeFrom)
  const isAdded = await store.addKeyIfNewest(key, newest)
  const keys = await store.listKeys()
  if (isAdded && mustTakeBack(key, keys)) await store.removeKey(key.kid, clock() + LONGEST_RETENTION)
  return { added: isAdded ? key : null, keys }
}

/**
 * Adds a key of each kind, published now and used after the publication lead. Returns those that were added: fewer if
 * another process was quicker.
 * @throws GeneralError (`MISUSE`) before the first is added, if the keys may not be used.
 */
export async function rotateKeys(
  changer: KeyChanger,
  demands: readonly (KeyDemand | SigningDemand)[],
): Promise<readonly StoredKey[]> {
  const made: StoredKey[] = []
  let keys = await readKeys(changer)
  for (const demand of demands) {
    const place = planEarlyRotation(keys, demand.purpose, changer.clock())
    const step = await addKey(changer, settleDemand(keys, demand), place)
    if (step.added !== null) made.push(step.added)
    keys = step.keys
  }
  return made
}

/**
 * Replaces all keys of the store that rotate: adds a new one of each purpose, then removes all that were there. What
 * static keys signed stays valid, as it was promised for decades; their sessions end with the refresh keys. With a
 * secret, it does not matter how keys are encrypted: a static key that the secrets do not decrypt is replaced like the
 * others, or no process could go on. The store is never empty, so that no process without the secret can take it
 * for a new one. The new keys are used as soon as the others are gone and not before, and refresh keys go first: no
 * session passes from an old key to a new one. Returns the new keys.
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
    // If another process was quicker, its key is as new as ours.
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
 * Encrypts keys where they lie. Returns those that were: others have changed since they were read.
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
