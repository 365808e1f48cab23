import { GeneralError, isSessionError } from '../base/errors.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { addKey, replaceKeys, rotateKeys } from './change-keys.ts'
import type { KeyChanger } from './change-keys.ts'
import type { Crypto } from './crypto.ts'
import { createKeyLoader } from './key-material.ts'
import type { KeyLoader } from './key-material.ts'
import { createKeyRing } from './key-ring.ts'
import type { KeyRing, LoadedKey } from './key-ring.ts'
import { rotates } from './key-store.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { acceptedKeys, LONGEST_RETENTION, planRotation, retiredKeys, settleDemand } from './plan-rotation.ts'
import type { KeyDemand, KeyPolicy, SigningDemand } from './plan-rotation.ts'
import type { ApplicationIdentity } from './refresh-token.ts'

/** Keeps the keys of one process: reads them, makes new ones in time, drops old ones. */
export interface KeyRingProvider {
  /**
   * The keys that were read not long ago; when it is time, they are read again in the background. Null before the first
   * reading, and after an hour without any: then {@link KeyRingProvider.current} waits for the store.
   */
  atHand(now: EpochMilliseconds): KeyRing | null
  /** The keys at hand, else those of the store. @throws GeneralError if the keys were never read and cannot be. */
  current(): Promise<KeyRing>
  /** Reads the keys, beginning after this call. @throws GeneralError if they can not be read. */
  reload(): Promise<KeyRing>
  /**
   * The keys for a token that names an unknown one: reads the store at most once per 5 s, for all callers together,
   * and gives the keys at hand otherwise (TOK-06).
   * @throws GeneralError if the last such reading failed: the key may exist.
   */
  reloadForUnknownKid(): Promise<KeyRing>
  /** Makes a new key of each purpose that rotates, published now and used after the publication lead (TOK-20). */
  rotateNow(): Promise<void>
  /**
   * Replaces every key of the store that rotates: no session goes on, and no access token that exists is accepted any
   * more but those of static keys (REV-03). The change is kept in the log until `until`.
   * @throws GeneralError (`MISUSE`) if there are encrypted keys and no secret.
   */
  replaceAll(until: EpochMilliseconds): Promise<void>
}

/** What a key provider needs. */
export interface KeyRingProviderDependencies {
  readonly store: KeyStore
  readonly crypto: Crypto
  readonly clock: Clock
  /** Sets the clock right, if it can be. Called with every reading of the keys, which are judged by the time. */
  readonly learnTime: () => Promise<void>
  /**
   * The signing keys that are needed, one for each purpose. Keys of other purposes in the store are those of another
   * kind of process. Those of other algorithms go on verifying until they retire.
   */
  readonly demands: readonly SigningDemand[]
  /** The application whose refresh tokens are accepted. */
  readonly application: ApplicationIdentity
  /** How keys come and go. */
  readonly keyPolicy: KeyPolicy
  /** The first encrypts the keys in the store, any decrypts them; none: they are stored unencrypted (ST-02). */
  readonly secrets: readonly string[]
  /** Called after this process made a key. */
  readonly onRotated: (key: StoredKey) => void
  /** Called when none of the refresh keys at hand is in the store any more: every session so far is over (REV-03). */
  readonly onSessionsEnded: () => void
  /** Called when work in the background failed. The keys at hand go on being used. */
  readonly onError: (error: unknown) => void
}

/** How old the keys at hand may be before they are read again in the background. */
const REREAD: Milliseconds = 60_000
/** How long after a failed reading, or one for an unknown key, the next one is due. */
const RETRY: Milliseconds = 5_000
/** How often a plan is made anew because another process was quicker. */
const ATTEMPTS = 5

/** The shortest secret that keys may be encrypted with. */
export const MIN_SECRET_LENGTH = 32

/** Makes the key provider of a process. Reads nothing yet. @throws GeneralError (`MISUSE`) for short secrets (TOK-22). */
export function createKeyRingProvider(dependencies: KeyRingProviderDependencies): KeyRingProvider {
  const { store, crypto, clock, learnTime, application, keyPolicy, secrets } = dependencies
  const { onRotated, onSessionsEnded, onError } = dependencies
  // Refresh keys come first because every kind of process has them: of processes that start on an empty store at once,
  // one adds the first key, and whether that is encrypted decides for all (S-04).
  const demands: readonly (KeyDemand | SigningDemand)[] = [
    { purpose: 'refresh', algorithm: 'HMAC-SHA-256' }, ...dependencies.demands,
  ]
  checkSecrets(secrets)
  let prepared: KeyChanger | null = null
  /** The keys of the ring, ready for use, by their ids. */
  let loaded = new Map<string, LoadedKey>()
  let refreshKids: readonly string[] = []
  let current: KeyRing | null = null
  let epoch = 0
  let readAt: EpochMilliseconds = 0
  /** When the last reading failed, if it did. */
  let failedAt: EpochMilliseconds | null = null
  let reading: Promise<KeyRing> | null = null
  let queued: Promise<KeyRing> | null = null
  let unknownKid: { readonly at: EpochMilliseconds; readonly answer: Promise<KeyRing> } | null = null

  async function prepare(): Promise<KeyChanger> {
    return prepared ??= { store, clock, loader: await createKeyLoader(crypto, secrets) }
  }

  /** Whether there is a key for each purpose. */
  function isComplete(keys: readonly StoredKey[]): boolean {
    return demands.every(({ purpose }) => keys.some(key => key.purpose === purpose))
  }

  /**
   * Adds what is due, one key after the other: what others have added meanwhile is judged before the next. Exactly one
   * of the processes that try succeeds; the others read what it made.
   */
  async function addDueKeys(changer: KeyChanger, accepted: readonly StoredKey[]): Promise<readonly StoredKey[]> {
    let keys = accepted
    for (let attempt = 0; attempt < ATTEMPTS * demands.length; attempt++) {
      const now = clock()
      const due = demands
        .map(each => settleDemand(keys, each))
        .map(demand => ({ demand, plan: planRotation(keys, demand, now, keyPolicy) }))
        .find(({ plan }) => plan.kind === 'add')
      if (due?.plan.kind !== 'add') break
      const step = await addKey(changer, due.demand, due.plan)
      if (step.added !== null) onRotated(step.added)
      keys = step.keys
    }
    return keys
  }

  async function read(): Promise<KeyRing> {
    const [listed, changer] = await Promise.all([store.listKeys(), prepare(), learnTime()])
    const { loader } = changer
    const startedAt = clock()
    await dropRemoved(loader, listed)
    await loader.accept(listed)
    let stored = listed
    try {
      stored = await addDueKeys(changer, listed)
    } catch (error) {
      // Keys that are there are better than none, though they grow old.
      if (!isComplete(stored)) throw error
      onError(error)
    }
    const accepted = acceptedKeys(stored, startedAt, keyPolicy)
    const ring = await toRing(loader, accepted.filter(key => demands.some(({ purpose }) => purpose === key.purpose)))
    current = ring
    readAt = startedAt
    failedAt = null
    try {
      const retired = retiredKeys(stored, startedAt, keyPolicy)
      for (const { kid } of retired) await store.removeKey(kid, startedAt + LONGEST_RETENTION)
      for (const key of stored.filter(each => !retired.includes(each))) {
        const material = await loader.reencrypt(key)
        if (material !== null) await store.replaceKeyMaterial(key.kid, key.material, material)
      }
    } catch (error) {
      onError(error)
    }
    return ring
  }

  /** Keys that were removed are refused at once, whether or not those that are there may be used. */
  async function dropRemoved(loader: KeyLoader, stored: readonly StoredKey[]): Promise<void> {
    const left = stored.filter(({ kid }) => loaded.has(kid))
    if (current !== null && left.length < loaded.size) current = isComplete(left) ? await toRing(loader, left) : null
    // Refresh keys alone: others may be replaced one after the other, and are not what a session lives by.
    if (refreshKids.length === 0 || stored.some(({ kid }) => refreshKids.includes(kid))) return
    refreshKids = []
    onSessionsEnded()
  }

  /** The ring at hand if the keys are still the same, so that what was verified with it stays verified. */
  async function toRing(loader: KeyLoader, stored: readonly StoredKey[]): Promise<KeyRing> {
    if (current !== null && stored.length === loaded.size && stored.every(key => loaded.has(key.kid))) return current
    const next = new Map<string, LoadedKey>()
    for (const key of stored) next.set(key.kid, loaded.get(key.kid) ?? await loader.load(key, application))
    const ring = createKeyRing(crypto, [...next.values()], ++epoch)
    refreshKids = stored.filter(({ purpose }) => purpose === 'refresh').map(({ kid }) => kid)
    loaded = next
    return ring
  }

  /** Reads, or joins the reading under way. */
  function load(): Promise<KeyRing> {
    reading ??= read().catch((cause: unknown) => {
      failedAt = clock()
      if (isSessionError(cause)) throw cause
      throw new GeneralError('STORE_UNAVAILABLE', 'the keys can not be read from the store', { cause })
    }).finally(() => {
      reading = null
    })
    return reading
  }

  function reload(): Promise<KeyRing> {
    if (reading === null) return load()
    // The reading under way may have passed what this call is about.
    queued ??= reading.catch(() => null).then(() => {
      queued = null
      return load()
    })
    return queued
  }

  /** Reads in the background of a call; resolves to the keys at hand if that fails and there are any left. */
  function refreshRing(): Promise<KeyRing> {
    return load().catch((error: unknown) => {
      if (current === null) throw error
      onError(error)
      return current
    })
  }

  function atHand(now: EpochMilliseconds): KeyRing | null {
    if (current === null) return null
    const age = now - readAt
    if (age >= 0 && age < REREAD) return current
    if (failedAt === null) {
      // Older than the publication lead, the ring may lack the key that others sign with by now.
      if (age >= keyPolicy.publicationLead) return null
      if (reading === null) refreshRing().catch(onError)
    } else if (reading === null && Math.abs(now - failedAt) >= RETRY) {
      refreshRing().catch(onError)
    }
    return current
  }

  return {
    atHand,
    current: async () => atHand(clock()) ?? refreshRing(),
    reload,

    reloadForUnknownKid() {
      const now = clock()
      if (unknownKid !== null && Math.abs(now - unknownKid.at) < RETRY) {
        return unknownKid.answer.then(() => current ?? load())
      }
      unknownKid = { at: now, answer: reload() }
      return unknownKid.answer
    },

    async rotateNow() {
      for (const key of await rotateKeys(await prepare(), demands.filter(({ purpose }) => rotates(purpose)))) onRotated(key)
      await reload()
    },

    async replaceAll(until) {
      for (const key of await replaceKeys(await prepare(), until)) onRotated(key)
      await reload()
    },
  }
}

/** Refuses secrets that could be guessed. @throws GeneralError (`MISUSE`) (TOK-22). */
function checkSecrets(secrets: readonly string[]): void {
  if (secrets.every(secret => typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH)) return
  throw new GeneralError('MISUSE', `each of the secrets must be a text of at least ${MIN_SECRET_LENGTH} characters`)
}
