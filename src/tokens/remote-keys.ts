import { GeneralError } from '../base/errors.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { VerificationKeys } from './access-token.ts'
import type { VerificationCrypto } from './crypto.ts'
import { createVerificationKeys } from './public-keys.ts'

/** The public keys of another service, read from it and kept for a while. */
export interface RemoteKeys {
  /** The keys: those at hand if they were read within the last minute, or can not be read now. */
  current(): Promise<VerificationKeys>
  /** The keys for a token that names an unknown one: read anew, but at most once per 5 s (TOK-06). */
  reloadForUnknownKid(): Promise<VerificationKeys>
}

/** What remote keys need. */
export interface RemoteKeysDependencies {
  /** Gets the parsed JSON of the key set. */
  readonly read: () => Promise<unknown>
  readonly crypto: VerificationCrypto
  readonly clock: Clock
}

/** How long a key set is used without a look for a newer one: keys are published for longer than this (TOK-20). */
const FRESH: Milliseconds = 60_000
/** How long after an attempt the next one is due. */
const RETRY: Milliseconds = 5_000

/**
 * Makes the keys of another service. Reads nothing yet. No promise is shared between two calls: on some platforms
 * what a request began ends with it, and whoever waits for it as well waits forever.
 */
export function createRemoteKeys({ read, crypto, clock }: RemoteKeysDependencies): RemoteKeys {
  let keys: VerificationKeys | null = null
  let readAt: EpochMilliseconds = 0
  let triedAt: EpochMilliseconds = 0

  async function load(): Promise<VerificationKeys> {
    const startedAt = clock()
    triedAt = startedAt
    let set: unknown
    try {
      set = await read()
    } catch (cause) {
      throw new GeneralError('STORE_UNAVAILABLE', 'the key set can not be read', { cause })
    }
    const loaded = await createVerificationKeys(crypto, set)
    // Of two readings under way, the one that began later knows better.
    if (keys === null || startedAt >= readAt) {
      keys = loaded
      readAt = startedAt
    }
    return keys
  }

  /** Whether an age is out of bounds; a clock that was set back makes everything old. */
  function isOver(since: EpochMilliseconds, limit: Milliseconds): boolean {
    const age = clock() - since
    return age >= limit || age < 0
  }

  return {
    async current() {
      if (keys === null) return load()
      if (!isOver(readAt, FRESH) || !isOver(triedAt, RETRY)) return keys
      const atHand = keys
      return load().catch(() => atHand)
    },
    async reloadForUnknownKid() {
      if (keys !== null && !isOver(triedAt, RETRY)) return keys
      return load()
    },
  }
}
