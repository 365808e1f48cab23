import { atMost } from '../base/at-most.ts'
import { closeOnce } from '../base/close-once.ts'
import type { Entropy } from '../base/entropy.ts'
import { GeneralError } from '../base/errors.ts'
import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import { jitter } from '../base/jitter.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock, Milliseconds } from '../base/time.ts'
import type { Crypto } from '../tokens/crypto.ts'
import { createKeyRingProvider } from '../tokens/key-ring-provider.ts'
import type { KeyRingProvider } from '../tokens/key-ring-provider.ts'
import type { SigningPurpose } from '../tokens/key-store.ts'
import { createKeyPolicy } from '../tokens/plan-rotation.ts'
import type { SigningKeyRequest } from '../tokens/plan-rotation.ts'
import type { ApplicationIdentity } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenFormat, TokenStyle } from '../tokens/token-format.ts'
import type { Codecs } from './application-data.ts'
import { countEvents } from './count-events.ts'
import { createConfirmations } from './confirmations.ts'
import type { Confirmations } from './confirmations.ts'
import { createEmitter } from './events.ts'
import { createEvidenceLog } from './evidence-log.ts'
import type { EvidenceLog } from './evidence-log.ts'
import type { Emit, SessionEvents } from './events.ts'
import { createRevocationFeed } from './feed.ts'
import { createPulledFeed } from './pulled-feed.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import { observeStore } from './observed-store.ts'
import type { StoreFailure } from './observed-store.ts'
import { createBackgroundCleanup } from './background-cleanup.ts'
import type { BackgroundCleanup } from './background-cleanup.ts'
import type { SessionPolicy } from './policy.ts'
import { createSessionReader } from './session-reader.ts'
import type { SessionReader } from './session-reader.ts'
import { createGivenClock, createStoreClock } from './store-clock.ts'
import type { SessionTime } from './store-clock.ts'
import type { SessionStore } from './store.ts'
import { Tally } from './tally.ts'
import type { TokenCache, VerifiedToken } from './token-cache.ts'
import type { Vitals } from './vitals.ts'

/** What all session flows on one store share, independent of the token format. */
export interface Engine extends Vitals, Pick<SessionTime, 'clock' | 'now'> {
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly entropy: Entropy
  readonly host: Host
  readonly policy: SessionPolicy
  readonly keys: KeyRingProvider
  /** The purpose of the keys that sign its access tokens; of the first, if there are several token formats. */
  readonly signingPurpose: SigningPurpose
  readonly feed: RevocationFeed
  readonly reader: SessionReader
  readonly confirmations: Confirmations
  readonly evidence: EvidenceLog
  readonly cleanup: BackgroundCleanup
  readonly emit: Emit
  /** What was counted. */
  readonly tally: Tally
  /** The caches of verified tokens, one for each token format. */
  readonly caches: Set<Pick<TokenCache<VerifiedToken>, 'hits' | 'misses' | 'size' | 'values' | 'incompleteUntil'>>
  /** The last failure of the store; null if there was none. */
  lastFailure(): StoreFailure | null
  /**
   * Stops all timers and the feed, writes queued confirmations and events, and closes the store. All calls return one
   * promise, which settles within 20 seconds.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the store fails to close, or does not in that time.
   */
  close(): Promise<void>
}

/** What the session flows of one token format share. All side effects go through it. */
export interface CoreParts<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
> extends Engine, Codecs<Payload, Info> {
  readonly format: TokenFormat<Style, Claims>
}

/** What an {@link Engine} is created from. */
export interface EngineDependencies {
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly clock: Clock
  /** Whether the store's clock corrects `clock`. False if the application passed a clock. */
  readonly followStoreTime: boolean
  readonly entropy: Entropy
  readonly schedule: Scheduler
  /** Default: one where timers and promises outlive requests. */
  readonly host?: Host
  readonly policy: SessionPolicy
  readonly events: SessionEvents
  /** The signing keys that the token formats need. */
  readonly keyRequests: readonly SigningKeyRequest[]
  /** The application whose refresh tokens are accepted. */
  readonly application: ApplicationIdentity
  /** The first encrypts the keys in the store, any decrypts them. If there is none, they are not encrypted (ST-02). */
  readonly secrets: readonly string[]
  /** Counts what happens. Default: one for this engine alone. */
  readonly tally?: Tally
}

/**
 * How long closing waits for what is under way, and then again for the store. Stores give up their own calls earlier.
 */
export const CLOSE_LIMIT: Milliseconds = 10_000

/** Creates an engine. Opens and reads nothing yet. @throws GeneralError (`MISUSE`) for short secrets (TOK-22). */
export function createEngine(dependencies: EngineDependencies): Engine {
  const { crypto, entropy, policy, keyRequests, application, secrets, host = longLivedHost } = dependencies
  const random = (): number => (entropy(1)[0] ?? 0) / 256
  // Every timer is shortened at random: many processes that start together must not go on together.
  const schedule: Scheduler = (task, delay) => (
    outsideRequests(() => dependencies.schedule(task, jitter(delay, random)))
  )
  const { tally = new Tally() } = dependencies
  const { store, lastFailure } = observeStore(dependencies.store, tally, dependencies.clock)
  const emit = countEvents(createEmitter(dependencies.events, host), tally)
  const failed = (during: string) => (error: unknown): void => emit('onBackgroundError', { during, error })
  const time = dependencies.followStoreTime
    ? createStoreClock({ store, host, clock: dependencies.clock, onError: failed('store clock') })
    : createGivenClock(dependencies.clock)
  const { clock, now } = time
  const following = {
    store, time, schedule, policy, host,
    onKeysChanged: (): Promise<unknown> => keys.reload(),
    onError: failed('revocation feed'),
  }
  const feed = host.isLongLived ? createRevocationFeed(following) : createPulledFeed(following)
  const keys: KeyRingProvider = createKeyRingProvider({
    store, host, crypto, clock, random, keyRequests, application, secrets,
    learnTime: time.sync,
    keyPolicy: createKeyPolicy(policy),
    onRotated: key => emit('onKeyRotated', { kid: key.kid, purpose: key.purpose }),
    onSessionsEnded: feed.endAll,
    onError: failed('key rotation'),
  })
  const reader = createSessionReader({ store, host, schedule, clock: dependencies.clock })
  const confirmations = createConfirmations({ store, host, schedule, onError: failed('confirmation') })
  const evidence = createEvidenceLog({ store, host, entropy, schedule, emit, onError: failed('event log') })
  const cleanup = createBackgroundCleanup({ store, host, clock, schedule, entropy, onError: failed('cleanup') })
  let vitals: Promise<Vitals> | null = null
  /** Loaded by the first call. */
  const loadVitals = (): Promise<Vitals> => vitals ??= outsideRequests(() => (
    import('./create-vitals.ts').then(({ createVitals }) => createVitals(engine, dependencies.schedule))
  ))
  const engine: Engine = {
    store, crypto, entropy, host, policy, clock, now, keys, feed, reader, confirmations, evidence, cleanup, emit, tally,
    lastFailure,
    caches: new Set(),
    signingPurpose: keyRequests[0]?.purpose ?? 'access',
    ready: async options => (await loadVitals()).ready(options),
    health: async () => (await loadVitals()).health(),
    close: closeOnce(async () => {
      cleanup.close()
      await atMost(CLOSE_LIMIT, Promise.all([feed.close().then(confirmations.close), evidence.close()]))
      if (await atMost(CLOSE_LIMIT, store.close())) return
      throw new GeneralError('STORE_UNAVAILABLE', `the session store did not close within ${CLOSE_LIMIT} ms`)
    }),
  }
  return engine
}
