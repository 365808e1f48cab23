import { GeneralError } from '../base/errors.ts'
import { jitter } from '../base/jitter.ts'
import { shareWork } from '../base/shared-work.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { VerificationKeys } from './access-token.ts'
import type { VerificationCrypto } from './crypto.ts'
import { createVerificationKeys } from './public-keys.ts'

/** The public keys of another service, fetched from it and cached. */
export interface RemoteKeys {
  /**
   * The cached keys if they are less than a minute old, or if fetching fails; otherwise the fetched ones.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if they were never fetched, without an attempt within 1 s of a failure.
   */
  current(): Promise<VerificationKeys>
  /** The keys for a token of an unknown key: fetched again, but at most once per 5 s (TOK-06). */
  reloadForUnknownKid(): Promise<VerificationKeys>
}

/** What remote keys need. */
export interface RemoteKeysDependencies {
  /** Fetches the key set and parses its JSON. */
  readonly read: () => Promise<unknown>
  readonly crypto: VerificationCrypto
  readonly clock: Clock
  /** Whether concurrent calls may share a fetch. Default: as the runtime allows it. */
  readonly isShared?: boolean
}

/** How long a key set is cached. Keys are published for longer than this before their first use (TOK-20). */
const FRESH: Milliseconds = 60_000
/** The shortest time between two attempts. */
const RETRY: Milliseconds = 5_000
/** The same, after a failure, for the first key set: until there is one, no token can be verified. */
const FIRST_RETRY: Milliseconds = 1_000

/**
 * Creates the cache of another service's keys. Fetches nothing yet. Concurrent calls share one fetch, where the runtime
 * allows that; on Cloudflare Workers and the like, each call that needs the keys fetches them itself.
 */
export function createRemoteKeys({ read, crypto, clock, isShared }: RemoteKeysDependencies): RemoteKeys {
  let keys: VerificationKeys | null = null
  let readAt: EpochMilliseconds = 0
  let triedAt: EpochMilliseconds = 0
  /** Whether the last attempt failed. */
  let isFailing = false
  // Services that started together must not all fetch in the same second.
  let freshFor = jitter(FRESH)

  const { run: load, isRunning } = shareWork(loadAlone, isShared)

  async function loadAlone(): Promise<VerificationKeys> {
    const startedAt = clock()
    triedAt = startedAt
    let loaded: VerificationKeys
    try {
      loaded = await readKeys()
      isFailing = false
    } catch (error) {
      isFailing = true
      throw error
    }
    // If two fetches run at once, the result of the one that started later counts.
    if (keys === null || startedAt >= readAt) {
      keys = loaded
      readAt = startedAt
      freshFor = jitter(FRESH)
    }
    return keys
  }

  async function readKeys(): Promise<VerificationKeys> {
    let set: unknown
    try {
      set = await read()
    } catch (cause) {
      throw new GeneralError('STORE_UNAVAILABLE', 'the key set cannot be fetched', {
        cause,
        reason: 'keys-unreachable',
      })
    }
    return createVerificationKeys(crypto, set)
  }

  /** The first keys. Every verification needs them: if they cannot be fetched, only one per second tries. */
  async function loadFirst(): Promise<VerificationKeys> {
    if (isRunning() || !isFailing || isOver(triedAt, FIRST_RETRY)) return load()
    throw new GeneralError('STORE_UNAVAILABLE', 'the key set could not be fetched a moment ago', {
      reason: 'keys-unreachable',
    })
  }

  /** Whether an age has reached the limit. If the clock was set back, it has. */
  function isOver(since: EpochMilliseconds, limit: Milliseconds): boolean {
    const age = clock() - since
    return age >= limit || age < 0
  }

  return {
    async current() {
      if (keys === null) return loadFirst()
      if (!isOver(readAt, freshFor) || !isOver(triedAt, RETRY)) return keys
      const cached = keys
      return load().catch(() => cached)
    },
    async reloadForUnknownKid() {
      if (keys === null) return loadFirst()
      return isRunning() || isOver(triedAt, RETRY) ? load() : keys
    },
  }
}
