import type { SessionHandle } from '../base/handle.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SessionPolicy } from './policy.ts'
import { RevocationList } from './revocation-list.ts'
import type { SessionTime } from './store-clock.ts'
import type { Change, SessionStore } from './store.ts'
import { RevocationListeners } from './revocation-listeners.ts'

/** Follows the store's change log, so that verification needs no store call. */
export interface RevocationFeed {
  /**
   * Starts following, at the first call, and reads the log before it resolves, and the store's time beside it. Never
   * rejects.
   */
  start(): Promise<void>
  /**
   * Whether {@link RevocationFeed.start} has resolved and the log was read within `maxStaleness`. A clock that was set
   * back or corrected since then makes the feed stale, too.
   */
  isFresh(now: EpochMilliseconds): boolean
  isRevoked(handle: SessionHandle): boolean
  /** The newest payload version that was heard of, or 0. */
  payloadVersion(handle: SessionHandle): number
  /**
   * Calls the listener once, as soon as the end of this session is heard of; soon, if it was heard of before. Starts
   * following. Returns how to take that back.
   */
  onRevoked(handle: SessionHandle, listener: () => unknown): () => void
  /** Tells all who wait for the end of a session that it has come: every key was replaced. */
  endAll(): void
  /** Takes in what this process did itself, without waiting for the store to tell it. */
  applyLocally(change: Change): void
  /** Stops following. */
  close(): Promise<void>
}

interface FeedDependencies {
  readonly store: SessionStore
  readonly time: Omit<SessionTime, 'now'>
  readonly schedule: Scheduler
  readonly policy: SessionPolicy
  /** Called when keys were changed. Where it rejects, the log counts as not read. */
  readonly onKeysChanged: () => Promise<unknown>
  /** Called when the log could not be read. */
  readonly onError: (error: unknown) => void
}

const PAGE = 1000

/** How long after one push the next is acted upon: at scale, a reading for each change is the store's whole load. */
const PUSH_PAUSE: Milliseconds = 50

/** How far a clock may go back before all is read again: entries outlive their tokens by more. */
const CLOCK_SLIP: Milliseconds = 60_000

/** Makes the feed of one process. Nothing is read before `start`. */
export function createRevocationFeed(dependencies: FeedDependencies): RevocationFeed {
  const { store, time, schedule, policy, onKeysChanged, onError } = dependencies
  const list = new RevocationList()
  const watchers = new RevocationListeners(onError)
  let cursor: string | null = null
  let readAt = Number.NEGATIVE_INFINITY
  /** The clock's offset when that reading began. */
  let offset = time.offset()
  let latest = Number.NEGATIVE_INFINITY
  let starting: Promise<void> | null = null
  let started = false
  let closed = false
  let reading: Promise<void> | null = null
  let again = false
  let woken = false
  let endPause: (() => void) | null = null
  let unfollow: (() => Promise<void>) | null = null
  let cancelPoll: (() => void) | null = null

  function apply(change: Change): void {
    list.apply(change)
    if (change.kind === 'revoked') for (const handle of change.handles) watchers.tell(handle)
  }

  async function readOnce(): Promise<void> {
    const begun = time.clock()
    const begunWith = time.offset()
    const lapsed = started && !isFresh(begun)
    // While the clock was ahead, too much may have been pruned.
    if (begun < latest - CLOCK_SLIP) cursor = null
    let keysChanged = false
    for (;;) {
      const page = await store.changesSince(cursor, PAGE)
      for (const change of page.changes) {
        apply(change)
        keysChanged ||= change.kind === 'keys'
      }
      cursor = page.cursor
      if (!page.more) break
    }
    if (keysChanged) await onKeysChanged()
    list.prune(begun)
    latest = begun
    readAt = begun
    offset = begunWith
    // The store was away, or this machine's clock has stepped: what was known of the one may not hold for the other.
    if (lapsed) void time.sync()
  }

  function isFresh(now: EpochMilliseconds): boolean {
    return started && now - readAt <= policy.maxStaleness && now >= readAt && offset === time.offset()
  }

  /** Reads now; a call during a read makes it read once more, however many calls there are. */
  function read(): Promise<void> {
    if (reading !== null) {
      again = true
      return reading
    }
    reading = (async (): Promise<void> => {
      do {
        again = false
        await readOnce()
      } while (again && !closed)
    })().catch((error: unknown) => {
      // Whatever was missed, the whole log is read next time.
      cursor = null
      onError(error)
    }).finally(() => {
      reading = null
    })
    return reading
  }

  /** A push: the first is acted upon at once, those that follow soon after it together. */
  function wake(): void {
    if (closed) return
    if (endPause !== null) {
      woken = true
      return
    }
    endPause = schedule(() => {
      endPause = null
      if (!woken) return
      woken = false
      wake()
    }, PUSH_PAUSE)
    void read()
  }

  function poll(): void {
    if (closed) return
    cancelPoll = schedule(() => {
      void follow().then(read).then(poll)
    }, policy.pollInterval)
  }

  async function follow(): Promise<void> {
    if (unfollow !== null || closed) return
    try {
      unfollow = await store.follow(wake)
    } catch (error) {
      onError(error)
    }
  }

  function start(): Promise<void> {
    starting ??= Promise.all([follow().then(read), time.sync()]).then(async () => {
      // What was read by a clock that has been found wrong meanwhile does not count.
      if (offset !== time.offset()) await read()
      started = true
      poll()
    })
    return starting
  }

  return {
    start,
    isFresh,
    isRevoked: handle => list.isRevoked(handle),
    payloadVersion: handle => list.payloadVersion(handle),
    onRevoked(handle, listener) {
      const unwatch = watchers.watch(handle, listener)
      void start().then(() => {
        if (list.isRevoked(handle)) watchers.tell(handle)
      })
      return unwatch
    },
    endAll: () => watchers.tellAll(),
    applyLocally: apply,
    async close(): Promise<void> {
      closed = true
      cancelPoll?.()
      endPause?.()
      await reading
      await unfollow?.()
    },
  }
}
