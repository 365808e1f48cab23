import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError, isSessionError } from '../base/errors.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { Crypto } from './crypto.ts'
import type { KeyVault } from './key-material.ts'
import type { KeyRing } from './key-ring.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { LONGEST_RETENTION, planEarlyRotation, planRotation, retiredKeys } from './plan-rotation.ts'
import type { KeyDemand, KeyPolicy } from './plan-rotation.ts'

/** Keeps the keys of one process: reads them, makes new ones in time, drops old ones. */
export interface KeyKeeper<Ring = KeyRing> {
  /**
   * The keys. At once when they were read not long ago; they are read again in the background. Only the first call,
   * and the first after an hour without any, wait for the store. `now` is for a caller that has just asked the clock.
   * @throws GeneralError if the keys were never read and can not be.
   */
  current(now?: EpochMilliseconds): Awaitable<Ring>
  /** Reads the keys, beginning after this call. @throws GeneralError if they can not be read. */
  reload(): Promise<Ring>
  /**
   * The keys for a token that names an unknown one: reads the store at most once per 5 s, for all callers together,
   * and gives the keys at hand otherwise (TOK-06).
   * @throws GeneralError if the last such reading failed: the key may exist.
   */
  reloadForUnknownKid(): Promise<Ring>
  /** Makes a new key of each purpose, published now and used after the publication lead (TOK-20). */
  rotateNow(): Promise<void>
  /** Removes a key: its tokens are refused at once. Its change is kept in the log until `until`. Whether it existed. */
  retire(kid: string, until: EpochMilliseconds): Promise<boolean>
  /** Removes every key and makes new ones: no token that exists is good for anything any more (REV-03). */
  replaceAll(until: EpochMilliseconds): Promise<void>
}

/** Which keys a process needs, and what it makes of them. */
export interface RingMaker<Loaded, Ring> {
  /** One for each purpose. Keys of other purposes in the store are somebody else's. */
  readonly demands: readonly KeyDemand[]
  /** Prepares a key. */
  load(vault: KeyVault, stored: StoredKey): Promise<Loaded>
  /** Puts keys together. `epoch` changes with the set of keys, within one process. */
  ring(keys: readonly Loaded[], epoch: number): Ring
}

/** What a key keeper needs. */
export interface RingKeeperDependencies {
  readonly store: KeyStore
  readonly crypto: Crypto
  readonly clock: Clock
  /** Sets the clock right, if it can be. Called with every reading of the keys, which are judged by the time. */
  readonly learnTime: () => Promise<void>
  /** Makes the vault of the keys out of the secrets. Called by the first reading; again, if that failed. */
  readonly createVault: (crypto: Crypto, secrets: readonly string[]) => Promise<KeyVault>
  /** How keys come and go. */
  readonly keyPolicy: KeyPolicy
  /** The first seals keys in the store, any opens them; none: keys lie there in clear (ST-02). */
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

const MIN_SECRET_LENGTH = 32

/** Makes the key keeper of a process. Reads nothing yet. @throws GeneralError (`MISUSE`) for short secrets (TOK-22). */
export function createRingKeeper<Loaded, Ring>(
  dependencies: RingKeeperDependencies,
  maker: RingMaker<Loaded, Ring>,
): KeyKeeper<Ring> {
  const { store, crypto, clock, learnTime, createVault, keyPolicy, secrets } = dependencies
  const { onRotated, onSessionsEnded, onError } = dependencies
  const { demands } = maker
  checkSecrets(secrets)
  let vault: KeyVault | null = null
  let loaded = new Map<string, Loaded>()
  let refreshKids: readonly string[] = []
  let current: { readonly ring: Ring; readonly epoch: number } | null = null
  let readAt: EpochMilliseconds = 0
  /** When the last reading failed, if it did. */
  let failedAt: EpochMilliseconds | null = null
  let reading: Promise<Ring> | null = null
  let queued: Promise<Ring> | null = null
  let unknownKid: { readonly at: EpochMilliseconds; readonly answer: Promise<Ring> } | null = null

  async function openVault(): Promise<KeyVault> {
    return vault ??= await createVault(crypto, secrets)
  }

  async function add(demand: KeyDemand, activeFrom: EpochMilliseconds, newest: string | null): Promise<void> {
    const key = await (await openVault()).create(demand, clock(), activeFrom)
    if (await store.addKeyIfNewest(key, newest)) onRotated(key)
  }

  /** Adds what is due. Exactly one of the processes that try succeeds; the others read what it made. */
  async function addDueKeys(initial: readonly StoredKey[]): Promise<readonly StoredKey[]> {
    let stored = initial
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      let due = false
      for (const demand of demands) {
        const plan = planRotation(stored, demand, clock(), keyPolicy)
        if (plan.kind === 'keep') continue
        due = true
        await add(demand, plan.activeFrom, plan.newest)
      }
      if (!due) return stored
      stored = await store.listKeys()
    }
    return stored
  }

  async function read(): Promise<Ring> {
    let [stored] = await Promise.all([store.listKeys(), learnTime(), openVault()])
    const startedAt = clock()
    try {
      stored = await addDueKeys(stored)
    } catch (error) {
      // Keys that are there are better than none, though they grow old.
      if (!demands.every(({ purpose }) => stored.some(key => key.purpose === purpose))) throw error
      onError(error)
    }
    const retired = new Set(retiredKeys(stored, startedAt, keyPolicy))
    const kept = stored.filter(key => !retired.has(key.kid) && demands.some(({ purpose }) => purpose === key.purpose))
    const next = await toRing(kept)
    current = next
    readAt = startedAt
    failedAt = null
    try {
      for (const kid of retired) await store.removeKey(kid, startedAt + LONGEST_RETENTION)
      for (const key of kept) await sealAnew(key)
    } catch (error) {
      onError(error)
    }
    return next.ring
  }

  async function sealAnew(key: StoredKey): Promise<void> {
    const material = await (await openVault()).reseal(key)
    if (material !== null) await store.replaceKeyMaterial(key.kid, key.material, material)
  }

  /** The ring at hand if the keys are still the same, so that what was verified with it stays verified. */
  async function toRing(stored: readonly StoredKey[]): Promise<{ readonly ring: Ring; readonly epoch: number }> {
    if (current !== null && stored.length === loaded.size && stored.every(key => loaded.has(key.kid))) return current
    const opened = await openVault()
    const next = new Map<string, Loaded>()
    for (const key of stored) next.set(key.kid, loaded.get(key.kid) ?? await maker.load(opened, key))
    const epoch = (current?.epoch ?? 0) + 1
    const ring = maker.ring([...next.values()], epoch)
    // Refresh keys alone: others may be replaced one after the other, and are not what a session lives by.
    if (refreshKids.length > 0 && !refreshKids.some(kid => next.has(kid))) onSessionsEnded()
    refreshKids = stored.filter(({ purpose }) => purpose === 'refresh').map(({ kid }) => kid)
    loaded = next
    return { ring, epoch }
  }

  /** Reads, or joins the reading under way. */
  function load(): Promise<Ring> {
    reading ??= read().catch((cause: unknown) => {
      failedAt = clock()
      if (isSessionError(cause)) throw cause
      throw new GeneralError('STORE_UNAVAILABLE', 'the keys can not be read from the store', { cause })
    }).finally(() => {
      reading = null
    })
    return reading
  }

  function reload(): Promise<Ring> {
    if (reading === null) return load()
    // The reading under way may have passed what this call is about.
    queued ??= reading.catch(() => null).then(() => {
      queued = null
      return load()
    })
    return queued
  }

  /** Reads in the background of a call; resolves to the keys at hand if that fails. */
  function refreshRing(atHand: Ring): Promise<Ring> {
    return load().catch((error: unknown) => {
      onError(error)
      return atHand
    })
  }

  return {
    current(now = clock()) {
      if (current === null) return load()
      const { ring } = current
      const age = now - readAt
      if (age >= 0 && age < REREAD) return ring
      if (failedAt === null) {
        // Older than the publication lead, the ring may lack the key that others sign with by now.
        if (age >= keyPolicy.publicationLead) return refreshRing(ring)
        if (reading === null) void refreshRing(ring)
      } else if (reading === null && Math.abs(now - failedAt) >= RETRY) {
        void refreshRing(ring)
      }
      return ring
    },

    reload,

    reloadForUnknownKid() {
      const now = clock()
      if (unknownKid !== null && Math.abs(now - unknownKid.at) < RETRY) {
        return unknownKid.answer.then(answer => current?.ring ?? answer)
      }
      unknownKid = { at: now, answer: reload() }
      return unknownKid.answer
    },

    async rotateNow() {
      const stored = await store.listKeys()
      for (const demand of demands) {
        const { activeFrom, newest } = planEarlyRotation(stored, demand.purpose, clock())
        await add(demand, activeFrom, newest)
      }
      await reload()
    },

    async retire(kid, until) {
      const removed = await store.removeKey(kid, until)
      await reload()
      return removed
    },

    async replaceAll(until) {
      for (const { kid } of await store.listKeys()) await store.removeKey(kid, until)
      await reload()
    },
  }
}

/** Refuses secrets that could be guessed. @throws GeneralError (`MISUSE`) (TOK-22). */
function checkSecrets(secrets: readonly string[]): void {
  if (secrets.every(secret => typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH)) return
  throw new GeneralError('MISUSE', `each of the secrets must be a text of at least ${MIN_SECRET_LENGTH} characters`)
}
