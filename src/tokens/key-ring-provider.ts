import { GeneralError, isSessionError } from '../base/errors.ts'
import { longLivedHost, shareOn } from '../base/host.ts'
import { jitter } from '../base/jitter.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { addKey, replaceKeys, rotateKeys } from './change-keys.ts'
import type { KeyChanger } from './change-keys.ts'
import { createKeyLoader } from './key-material.ts'
import type { KeyLoader } from './key-material.ts'
import type { KeyRingProviderDependencies } from './key-ring-provider-dependencies.ts'
import { createKeyRing } from './key-ring.ts'
import type { KeyRing, LoadedKey } from './key-ring.ts'
import { rotates } from './key-store.ts'
import type { KeyPurpose, StoredKey } from './key-store.ts'
import { acceptedKeys, LONGEST_RETENTION, planRotation, retiredKeys, resolveKeyRequest } from './plan-rotation.ts'
import type { KeyRequest, SigningKeyRequest } from './plan-rotation.ts'
import { checkSecrets } from './secrets.ts'

/** Holds the key ring of one process: reads the keys, adds new ones when they are due, and removes old ones. */
export interface KeyRingProvider {
  /**
   * The key ring in memory, if it is recent enough; reloads it in the background when that is due. Null before the
   * first load, and after an hour without one: {@link KeyRingProvider.current} then waits for the store.
   */
  cached(now: EpochMilliseconds): KeyRing | null
  /** The key ring in memory, or else of the store. @throws GeneralError if there is none and the store fails. */
  current(): Promise<KeyRing>
  /** The keys that the store had at the last load, for monitoring; null before the first. */
  listed(): readonly StoredKey[] | null
  /** Why the keys could not be read since then; null if they could. */
  failure(): unknown
  /** Reads the keys from the store, starting after this call. @throws GeneralError if they cannot be read. */
  reload(): Promise<KeyRing>
  /**
   * The key ring for a token of an unknown key. Reads the store at most once per 5 s, for all callers together;
   * otherwise returns the key ring in memory (TOK-06).
   * @throws GeneralError if the last such read failed: the key may exist.
   */
  reloadForUnknownKid(): Promise<KeyRing>
  /**
   * Adds a key of each purpose that rotates, published now and used after the publication lead (TOK-20), unless there
   * is one already. With `purpose`, only of that one, static keys included. Returns the newest key of each purpose.
   */
  rotateNow(purpose?: KeyPurpose): Promise<readonly StoredKey[]>
  /**
   * Replaces every key of the store that rotates: all sessions end, and existing access tokens are rejected, except
   * those of static keys (REV-03). The entry in the change log is kept until `until`.
   * @throws GeneralError (`MISUSE`) if there are encrypted keys and no secret.
   */
  replaceAll(until: EpochMilliseconds): Promise<void>
}

/** The age at which the key ring is reloaded in the background, before it is shortened at random. */
const REREAD: Milliseconds = 60_000
/** The shortest time between a failed read, or a read for an unknown key, and the next one. */
const RETRY: Milliseconds = 5_000
/** How often to plan again because another process was faster. */
const ATTEMPTS = 5

/** Creates the provider of a process. Reads nothing yet. @throws GeneralError (`MISUSE`) for short secrets (TOK-22). */
export function createKeyRingProvider(dependencies: KeyRingProviderDependencies): KeyRingProvider {
  const { store, crypto, clock, random, learnTime, application, keyPolicy, secrets } = dependencies
  const { host = longLivedHost, onRotated, onSessionsEnded, onError } = dependencies
  // Refresh keys come first, because every kind of process has them. If several processes start on an empty store at
  // once, one adds the first key, and whether that key is encrypted decides for all (S-04).
  const keyRequests: readonly (KeyRequest | SigningKeyRequest)[] = [
    { purpose: 'refresh', algorithm: 'HMAC-SHA-256' }, ...dependencies.keyRequests,
  ]
  checkSecrets(secrets)
  let prepared: KeyChanger | null = null
  /** The loaded keys of the ring, by id. */
  let loaded = new Map<string, LoadedKey>()
  let refreshKids: readonly string[] = []
  let current: KeyRing | null = null
  let epoch = 0
  /** How many reads have begun, and which of them was applied: of two at once, the one that began later counts. */
  let reads = 0
  let latest = 0
  let readAt: EpochMilliseconds = 0
  let rereadAfter = REREAD
  /** When the last read failed; null if it succeeded. */
  let failedAt: EpochMilliseconds | null = null
  let known: readonly StoredKey[] | null = null
  let failure: unknown = null
  let queued: Promise<KeyRing> | null = null
  /** When the keys were last read for an unknown key, and why that failed; null if it did not. */
  let unknownKidAt = Number.NEGATIVE_INFINITY
  let unknownKidFailure: unknown = null

  async function prepare(): Promise<KeyChanger> {
    return prepared ??= { store, clock, loader: await createKeyLoader(crypto, secrets) }
  }

  /** Whether there is a key for each purpose. */
  function isComplete(keys: readonly StoredKey[]): boolean {
    return keyRequests.every(({ purpose }) => keys.some(key => key.purpose === purpose))
  }

  /**
   * Adds the keys that are due, one after the other. Checks between them which keys other processes have added. Of
   * processes that try at once, exactly one succeeds; the others read its key.
   */
  async function addDueKeys(changer: KeyChanger, accepted: readonly StoredKey[]): Promise<readonly StoredKey[]> {
    let keys = accepted
    for (let attempt = 0; attempt < ATTEMPTS * keyRequests.length; attempt++) {
      const now = clock()
      const due = keyRequests
        .map(each => resolveKeyRequest(keys, each))
        .map(keyRequest => ({ keyRequest, plan: planRotation(keys, keyRequest, now, keyPolicy) }))
        .find(({ plan }) => plan.kind === 'add')
      if (due?.plan.kind !== 'add') break
      const step = await addKey(changer, due.keyRequest, due.plan)
      if (step.added !== null) onRotated(step.added)
      keys = step.keys
    }
    return keys
  }

  async function read(): Promise<KeyRing> {
    const place = ++reads
    const isOutdated = (): boolean => place < latest
    const [listed, changer] = await Promise.all([store.listKeys(), prepare(), learnTime()])
    const { loader } = changer
    const startedAt = clock()
    if (current !== null && isOutdated()) return current
    latest = place
    await dropRemoved(loader, listed, isOutdated)
    await loader.accept(listed)
    let stored = listed
    try {
      stored = await addDueKeys(changer, listed)
    } catch (error) {
      // Old keys are better than none.
      if (!isComplete(stored)) throw error
      onError(error)
    }
    const accepted = acceptedKeys(stored, startedAt, keyPolicy)
    const wanted = accepted.filter(key => keyRequests.some(({ purpose }) => purpose === key.purpose))
    const ring = await toRing(loader, wanted, isOutdated)
    if (isOutdated()) return ring
    current = ring
    known = stored
    failure = null
    readAt = startedAt
    rereadAfter = jitter(REREAD, random)
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

  /** Drops removed keys from the ring at once, even if the remaining keys must not be used. */
  async function dropRemoved(
    loader: KeyLoader, stored: readonly StoredKey[], isOutdated: () => boolean,
  ): Promise<void> {
    const left = stored.filter(({ kid }) => loaded.has(kid))
    if (current !== null && left.length < loaded.size) {
      current = isComplete(left) ? await toRing(loader, left, isOutdated) : null
    }
    // Only refresh keys count: a session ends if its refresh key is removed, not if a signing key is.
    if (refreshKids.length === 0 || stored.some(({ kid }) => refreshKids.includes(kid))) return
    refreshKids = []
    onSessionsEnded()
  }

  /**
   * The current ring if the keys are the same, so that verified tokens stay in the cache, or if a later read has made
   * it; else a new ring.
   */
  async function toRing(
    loader: KeyLoader, stored: readonly StoredKey[], isOutdated: () => boolean,
  ): Promise<KeyRing> {
    if (current !== null && stored.length === loaded.size && stored.every(key => loaded.has(key.kid))) return current
    const next = new Map<string, LoadedKey>()
    for (const key of stored) next.set(key.kid, loaded.get(key.kid) ?? await loader.load(key, application))
    if (current !== null && isOutdated()) return current
    const ring = createKeyRing(crypto, [...next.values()], ++epoch)
    refreshKids = stored.filter(({ purpose }) => purpose === 'refresh').map(({ kid }) => kid)
    loaded = next
    return ring
  }

  function readOrExplain(): Promise<KeyRing> {
    return read().catch((cause: unknown) => {
      failedAt = clock()
      failure = cause
      if (isSessionError(cause)) throw cause
      throw new GeneralError('STORE_UNAVAILABLE', 'the keys cannot be read from the store', { cause })
    })
  }

  /** Reads the keys, or joins a read that is running. */
  const { run: load, isRunning } = shareOn(host, readOrExplain)

  function reload(): Promise<KeyRing> {
    if (!isRunning()) return load()
    // The running read may have started before the change that this call is about.
    if (!host.isLongLived) {
      const answer = readOrExplain()
      host.keepAlive(answer)
      return answer
    }
    queued ??= outsideRequests(() => load().catch(() => null).then(() => {
      queued = null
      return load()
    }))
    return queued
  }

  const rereading = shareOn(host, async () => {
    try {
      await reload()
      unknownKidFailure = null
    } catch (error) {
      unknownKidFailure = error
      throw error
    }
  })

  /** Reloads the ring. Resolves to the ring in memory if that fails and there is one. */
  function refreshRing(): Promise<KeyRing> {
    return load().catch((error: unknown) => {
      if (current === null) throw error
      onError(error)
      return current
    })
  }

  function cached(now: EpochMilliseconds): KeyRing | null {
    if (current === null) return null
    const age = now - readAt
    if (age >= 0 && age < rereadAfter) return current
    if (failedAt === null) {
      // If the ring is older than the publication lead, other processes may sign with a key that it lacks.
      if (age >= keyPolicy.publicationLead) return null
      if (!isRunning()) refreshRing().catch(onError)
    } else if (!isRunning() && Math.abs(now - failedAt) >= RETRY) {
      refreshRing().catch(onError)
    }
    return current
  }

  return {
    listed: () => known,
    failure: () => failure,
    cached,
    current: async () => cached(clock()) ?? refreshRing(),
    reload,

    async reloadForUnknownKid() {
      const now = clock()
      const isRecent = Math.abs(now - unknownKidAt) < RETRY
      if (!isRecent) unknownKidAt = now
      if (!isRecent || rereading.isRunning()) await rereading.run()
      else if (unknownKidFailure !== null) throw unknownKidFailure
      return current ?? load()
    },

    async rotateNow(named) {
      const chosen = keyRequests.filter(({ purpose }) => named === undefined ? rotates(purpose) : purpose === named)
      const { newest, added } = await rotateKeys(await prepare(), chosen)
      for (const key of added) onRotated(key)
      await reload()
      return newest
    },

    async replaceAll(until) {
      for (const key of await replaceKeys(await prepare(), until)) onRotated(key)
      await reload()
    },
  }
}
