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
   * Starts to follow the change log. Reads the log and the store's clock before it resolves. Further calls do nothing.
   * Never rejects.
   */
  start(): Promise<void>
  /**
   * Whether {@link RevocationFeed.start} has resolved and the log was read within `maxStaleness`. The feed is also
   * stale if the clock was set back or corrected since then.
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

interface FeedDependencies {
  readonly store: SessionStore
  readonly time: Omit<SessionTime, 'now'>
  readonly schedule: Scheduler
  readonly policy: SessionPolicy
  /** Called when the log says that keys have changed. If it rejects, the log counts as not read. */
  readonly onKeysChanged: () => Promise<unknown>
  /** Called when the log could not be read. */
  readonly onError: (error: unknown) => void
}

const PAGE = 1000

/**
 * The pause between two reads because of notifications. With many changes, one read per change would overload the
 * store.
 */
const PUSH_PAUSE: Milliseconds = 50

/** If the clock goes back further, the whole log is read again. Entries are kept longer than their tokens by more. */
const CLOCK_SLIP: Milliseconds = 60_000

/** Creates the feed of one process. Reads nothing before `start`. */
export function createRevocationFeed(dependencies: FeedDependencies): RevocationFeed {
  const { store, time, schedule, policy, onKeysChanged, onError } = dependencies
  const list = new RevocationList()
  const watchers = new RevocationListeners(onError)
  let cursor: string | null = null
  let readAt = Number.NEGATIVE_INFINITY
  /** The clock's offset at the start of the last read. */
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
    if (change.kind === 'revoked') for (const handle of change.handles) watchers.notify(handle)
  }

  async function readOnce(): Promise<void> {
    const begun = time.clock()
    const begunWith = time.offset()
    const lapsed = started && !isFresh(begun)
    // While the clock was ahead, entries may have been pruned too early.
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
    // The store was unavailable, or this machine's clock was changed: the offset may be wrong.
    if (lapsed) void time.sync()
  }

  function isFresh(now: EpochMilliseconds): boolean {
    return started && now - readAt <= policy.maxStaleness && now >= readAt && offset === time.offset()
  }

  /** Reads the log. Calls during a read cause one more read, however many there are. */
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
      // The next read starts from the beginning of the log.
      cursor = null
      onError(error)
    }).finally(() => {
      reading = null
    })
    return reading
  }

  /** Handles a notification: reads at once after the first one, and once for all that follow within the pause. */
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
      // The clock was corrected during the read, so the read does not count.
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
        if (list.isRevoked(handle)) watchers.notify(handle)
      })
      return unwatch
    },
    endAll: () => watchers.notifyAll(),
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
