import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Change } from './store.ts'

/** Follows the store's change log, so that verification needs no store call. */
export interface RevocationFeed {
  /**
   * Starts to follow the change log. Reads the log and the store's clock before it resolves. Further calls do nothing.
   * Never rejects.
   */
  start(): Promise<void>
  /**
   * Starts the feed, or wakes it if it sleeps, and waits until the log is read: for one page and a second at most,
   * since a long log or a silent store must not hold up a request. Until the feed is fresh, sessions are read from the
   * store. Never rejects.
   */
  catchUp(): Promise<void>
  /** Reads the log to its end. Never rejects. */
  read(): Promise<void>
  /** What the feed is doing, for monitoring. */
  status(): FeedStatus
  /**
   * Whether the feed has started, does not sleep, and the log was read within `maxStaleness`. The feed is also stale if
   * the clock was set back or corrected since then.
   */
  isFresh(now: EpochMilliseconds): boolean
  isRevoked(handle: SessionHandle): boolean
  /** The newest version of the session's JWT payload in the log; 0 if there is none. */
  payloadVersion(handle: SessionHandle): number
  /**
   * Calls the listener once, as soon as the feed contains the revocation of this session; soon, if it already does.
   * Starts the feed. Returns a function that removes the listener.
   */
  onRevoked(handle: SessionHandle, listener: () => unknown): () => void
  /** Calls all listeners, because every key was replaced: all sessions have ended. */
  endAll(): void
  /** Applies a change of this process at once, before it is read from the log. */
  applyLocally(change: Change): void
  /** Stops the feed. */
  close(): Promise<void>
}

/** What the feed is doing. It sleeps while no verification asks it. */
export interface FeedStatus {
  readonly state: 'stopped' | 'following' | 'asleep'
  /** When the log was last read to its end; null if it never was. */
  readonly readAt: EpochMilliseconds | null
  /** Why it could not be read since then; null if it could. */
  readonly failure: unknown
}
