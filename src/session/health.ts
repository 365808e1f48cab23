import type { FailureReason } from '../base/errors.ts'
import { GeneralError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import { shareOn } from '../base/host.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { within } from '../base/within.ts'
import { describeKeys } from '../tokens/key-status.ts'
import type { KeyStatus, SigningKeyStatus } from '../tokens/key-status.ts'
import { createKeyPolicy } from '../tokens/plan-rotation.ts'
import type { Blacklisting } from './core.ts'
import type { Engine } from './engine.ts'
import type { FeedStatus } from './revocation-feed.ts'
import { failureOf } from './observed-store.ts'
import type { StoreFailure } from './observed-store.ts'
import type { SessionPolicy } from './policy.ts'

/** Why the status is not `ok`: that of the store's failure, or one of Keyturn's own. */
export type HealthReason =
  | FailureReason | 'feed-stale' | 'revocations-unchecked' | 'keys-missing' | 'key-rotation-overdue'

/**
 * The state of the sessions of one process, for a health check. Points in time are in milliseconds since 1970, spans in
 * milliseconds. No member is a secret.
 */
export interface Health {
  /**
   * `ok`: everything works. `degraded`: access tokens are verified, but something else fails, for example logins.
   * `failing`: this process cannot verify access tokens: send it no requests.
   */
  readonly status: 'ok' | 'degraded' | 'failing'
  /** When `health()` first found this status. */
  readonly since: EpochMilliseconds
  /** Why the status is not `ok`. */
  readonly reasons: readonly HealthReason[]
  /** The state of the store. */
  readonly store: {
    readonly isReachable: boolean
    /** How long the store call of this check took; null if it failed. */
    readonly latency: Milliseconds | null
    /** The last failure of any call, even if the store has answered since; null if there was none. */
    readonly lastFailure: StoreFailure | null
  }
  /** The state of the revocation feed. */
  readonly feed: {
    /** The option `accessTokenBlacklisting`. */
    readonly mode: Blacklisting
    /** `stopped` before the first verification; `asleep` while no verification asks it. */
    readonly state: FeedStatus['state']
    /** Time since the change log was read; null if it never was. */
    readonly age: Milliseconds | null
    /** Whether it is older than `maxStaleness`, although verifications use it. */
    readonly isStale: boolean
    /** What verifications do: read the feed (`none`), the session from the store, or obey `onStoreFailure`. */
    readonly fallback: 'none' | 'store' | 'failOpen' | 'failClosed'
  }
  /** Null before the keys were first read. */
  readonly keys: {
    /** The id of the key that signs access tokens. */
    readonly current: string
    /** Time since it came into use. */
    readonly age: Milliseconds
    /** When the next key comes into use. */
    readonly nextRotation: EpochMilliseconds
    readonly areEncrypted: boolean
    /** The number of keys, of all purposes. */
    readonly count: number
  } | null
  /** The cache of verified access tokens. */
  readonly cache: { readonly entries: number; readonly hits: number; readonly misses: number }
}

/** How long the store may take to answer a health check. */
const LIMIT: Milliseconds = 2000
/** A store call that is not answered for this long never will be: stores give up their own calls earlier. */
const GIVEN_UP: Milliseconds = 10_000
/** How late the next signing key may be: the key ring is read once a minute, and the store may be away for a while. */
const LATE: Milliseconds = 3_600_000

/** What a health check found. */
export interface HealthFacts {
  readonly now: EpochMilliseconds
  /** Why the store call failed; null if it succeeded. */
  readonly storeFailure: FailureReason | null
  readonly feed: FeedStatus
  readonly keys: KeyStatus | null
  /** Why the keys could not be read; null if they could, or were not yet. */
  readonly keyFailure: FailureReason | null
  /** Whether there is a key ring that can be used without the store. */
  readonly hasRing: boolean
  readonly policy: Pick<SessionPolicy, 'blacklisting' | 'maxStaleness' | 'onStoreFailure'>
}

/** The signing key that is in use, and when the next one is; null without keys. Pure. */
export function signingAt({ signing, lifetime }: KeyStatus, now: EpochMilliseconds): {
  readonly current: SigningKeyStatus
  readonly nextAt: EpochMilliseconds
} | null {
  const current = signing.find(({ activeFrom }) => activeFrom <= now) ?? signing.at(-1)
  if (current === undefined) return null
  const pending = signing.findLast(({ activeFrom }) => activeFrom > now)
  return { current, nextAt: pending === undefined ? current.activeFrom + lifetime : pending.activeFrom }
}

/** How the feed is used. A feed that sleeps is read before the next verification answers, so it is not stale. Pure. */
export function judgeFeed(
  { now, storeFailure, feed, policy }: HealthFacts,
): Pick<Health['feed'], 'isStale' | 'fallback'> {
  const { blacklisting, maxStaleness, onStoreFailure } = policy
  const isStale = blacklisting === 'feed' && feed.state === 'following'
    && (feed.readAt === null || now - feed.readAt > maxStaleness || now < feed.readAt)
  const asksStore = isStale || blacklisting === 'strict'
  // In `strict` mode, a session that cannot be read is never accepted.
  const withoutStore = blacklisting === 'strict' ? 'failClosed' : onStoreFailure
  return { isStale, fallback: !asksStore ? 'none' : storeFailure === null ? 'store' : withoutStore }
}

/** The status and its reasons. Pure. */
export function judgeHealth(facts: HealthFacts): Pick<Health, 'status' | 'reasons'> {
  const { now, storeFailure, keys, keyFailure, hasRing } = facts
  const { isStale, fallback } = judgeFeed(facts)
  const signing = keys === null ? null : signingAt(keys, now)
  const isOverdue = signing !== null && now - signing.nextAt > LATE
  const isWithoutKeys = !hasRing && (storeFailure ?? keyFailure) !== null
  const reasons: readonly (HealthReason | false | null)[] = [
    storeFailure, keyFailure === storeFailure ? null : keyFailure,
    isStale && 'feed-stale', fallback === 'failOpen' && 'revocations-unchecked',
    isWithoutKeys && 'keys-missing', isOverdue && 'key-rotation-overdue',
  ]
  const found = reasons.filter(reason => reason !== false && reason !== null)
  if (isWithoutKeys || fallback === 'failClosed') return { status: 'failing', reasons: found }
  return { status: found.length === 0 ? 'ok' : 'degraded', reasons: found }
}

/** What is known of the keys, those of the first format of the engine; null before they were first read. */
export function statusOfKeys({ keys, policy, signingPurpose }: Engine): KeyStatus | null {
  const listed = keys.listed()
  return listed === null ? null : describeKeys(listed, signingPurpose, createKeyPolicy(policy))
}

/** The numbers of all caches together. */
export function totalOf(caches: Engine['caches']): Health['cache'] {
  const total = { entries: 0, hits: 0, misses: 0 }
  for (const { size, hits, misses } of caches) {
    total.entries += size
    total.hits += hits
    total.misses += misses
  }
  return total
}

/** Creates the health check of an engine. */
export function createHealth(engine: Engine, schedule: Scheduler): () => Promise<Health> {
  const { store, host, clock, policy, feed, keys, entropy, caches, lastFailure } = engine
  let last: Pick<Health, 'status' | 'since'> | null = null
  let finding: { readonly at: EpochMilliseconds; readonly answer: Promise<unknown> } | null = null

  /** One store call, which finds nothing. As long as it is not answered, there is no other for a while. */
  function find(): Promise<unknown> {
    if (!host.isLongLived) return store.find(createHandle('header', entropy))
    if (finding !== null && Math.abs(clock() - finding.at) < GIVEN_UP) return finding.answer
    const asked = { at: clock(), answer: outsideRequests(() => store.find(createHandle('header', entropy))) }
    const end = (): void => {
      if (finding === asked) finding = null
    }
    asked.answer.then(end, end)
    finding = asked
    return asked.answer
  }

  /** Waits for the store call. Resolves to why it failed, or null. */
  async function ask(): Promise<FailureReason | null> {
    try {
      await within(find(), {
        limit: LIMIT, schedule, late: () => new GeneralError('STORE_UNAVAILABLE', 'the store does not answer', {
          reason: 'store-unreachable',
        }),
      })
      return null
    } catch (error) {
      return failureOf(error) ?? 'misconfigured'
    }
  }

  async function check(): Promise<Health> {
    const startedAt = performance.now()
    const storeFailure = await ask()
    const latency = storeFailure === null ? performance.now() - startedAt : null
    const now = clock()
    const [feedStatus, keyStatus] = [feed.status(), statusOfKeys(engine)]
    const facts: HealthFacts = {
      now, storeFailure, policy, feed: feedStatus, keys: keyStatus,
      keyFailure: keys.failure() === null ? null : failureOf(keys.failure()) ?? 'misconfigured',
      hasRing: keys.cached(now) !== null,
    }
    const { status, reasons } = judgeHealth(facts)
    last = last?.status === status ? last : { status, since: now }
    const signing = keyStatus === null ? null : signingAt(keyStatus, now)
    return {
      ...last,
      reasons,
      store: { isReachable: storeFailure === null, latency, lastFailure: lastFailure() },
      feed: {
        mode: policy.blacklisting,
        state: feedStatus.state,
        age: feedStatus.readAt === null ? null : Math.max(0, now - feedStatus.readAt),
        ...judgeFeed(facts),
      },
      keys: keyStatus === null || signing === null ? null : {
        current: signing.current.kid,
        age: Math.max(0, now - signing.current.activeFrom),
        nextRotation: signing.nextAt,
        areEncrypted: keyStatus.areEncrypted,
        count: keyStatus.count,
      },
      cache: totalOf(caches),
    }
  }

  return shareOn(host, check).run
}
