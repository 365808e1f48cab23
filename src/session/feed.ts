import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SessionPolicy } from './policy.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import { RevocationList } from './revocation-list.ts'
import type { SessionTime } from './store-clock.ts'
import type { Change, SessionStore } from './store.ts'
import { RevocationListeners } from './revocation-listeners.ts'

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

/** How many changes one read returns at most: with all their handles, about a megabyte. */
const PAGE = 500

/**
 * The pause between two reads because of notifications. With many changes, one read per change would overload the
 * store.
 */
const PUSH_PAUSE: Milliseconds = 50

/** How long a request waits for the feed. */
const PATIENCE: Milliseconds = 1_000

/** A feed that no verification has asked for this long sleeps: it stops following and reads the log rarely. */
const IDLE_AFTER: Milliseconds = 10_000

/** The interval between two reads of a feed that sleeps. They keep the read short that wakes it. */
const SLEEPING_INTERVAL: Milliseconds = 20_000

/** If the clock goes back further, the whole log is read again. Entries are kept longer than their tokens by more. */
const CLOCK_SLIP: Milliseconds = 60_000

/** Creates the feed of one process. Reads nothing before `start`. */
export function createRevocationFeed(dependencies: FeedDependencies): RevocationFeed {
  const { store, time, schedule, policy, onKeysChanged, onError } = dependencies
  const list = new RevocationList()
  const watchers = new RevocationListeners(onError)
  let cursor: string | null = null
  let readAt = Number.NEGATIVE_INFINITY
  /** Why the last reading failed; null if it did not. */
  let failure: unknown = null
  /** The clock's offset at the start of the last read. */
  let offset = time.offset()
  let latest = Number.NEGATIVE_INFINITY
  /** Whether the log says that keys have changed, and they have not been read since. */
  let keysChanged = false
  let starting: Promise<void> | null = null
  let started = false
  let closed = false
  let reading: Promise<void> | null = null
  let again = false
  let woken = false
  let endPause: (() => void) | null = null
  let endTurn: (() => void) | null = null
  /** How to stop following, once the store follows; null if it failed to. */
  let following: Promise<(() => Promise<void>) | null> | null = null
  let cancelPoll: (() => void) | null = null
  /** Whether a verification has asked the feed since the last poll. */
  let isUsed = false
  /** How long no verification has asked it, in polls of `pollInterval` each. */
  let idle: Milliseconds = 0
  let isAsleep = false
  let catchingUp: Promise<void> | null = null
  let endPatience: (() => void) | null = null

  function apply(change: Change): void {
    list.apply(change)
    if (change.kind === 'revoked') for (const handle of change.handles) watchers.notify(handle)
  }

  /** Reads what is new. After a failure, the next read continues where this one was. */
  async function readOnce(): Promise<void> {
    const begun = time.clock()
    const begunWith = time.offset()
    const lapsed = started && !isAsleep && !isCurrent(begun)
    // While the clock was ahead, entries may have been pruned too early.
    if (begun < latest - CLOCK_SLIP) {
      cursor = null
      latest = begun
    }
    for (;;) {
      const page = await store.changesSince(cursor, PAGE)
      for (const change of page.changes) {
        apply(change)
        keysChanged ||= change.kind === 'keys'
      }
      cursor = page.cursor
      if (!page.more) break
      if (closed) return
      endPatience?.()
      // Stores on this thread answer at once: here other work gets its turn.
      await new Promise<void>(resolve => {
        endTurn = resolve
        schedule(resolve, 0)
      })
      if (closed) return
    }
    if (keysChanged) {
      await onKeysChanged()
      keysChanged = false
    }
    list.prune(begun)
    latest = begun
    readAt = begun
    failure = null
    offset = begunWith
    // The store was unavailable, or this machine's clock was changed: the offset may be wrong.
    if (lapsed) void time.sync()
  }

  function isCurrent(now: EpochMilliseconds): boolean {
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
      failure = error
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
    cancelPoll?.()
    if (closed) return
    cancelPoll = schedule(() => {
      void tick().then(poll)
    }, isAsleep ? Math.max(SLEEPING_INTERVAL, policy.pollInterval) : policy.pollInterval)
  }

  async function tick(): Promise<void> {
    idle = isUsed || watchers.size > 0 ? 0 : idle + policy.pollInterval
    isUsed = false
    if (idle >= IDLE_AFTER) isAsleep = true
    // The log is read meanwhile: what comes before the store follows is in the next read.
    void (isAsleep ? stopFollowing() : follow())
    await read()
  }

  async function follow(): Promise<void> {
    if (closed) return
    following ??= startFollowing()
    await following
  }

  function startFollowing(): Promise<(() => Promise<void>) | null> {
    const attempt = store.follow(() => outsideRequests(wake)).catch((error: unknown) => {
      if (following === attempt) following = null
      onError(error)
      return null
    })
    return attempt
  }

  async function stopFollowing(): Promise<void> {
    const stopping = following
    following = null
    const stop = await stopping
    await stop?.().catch(onError)
  }

  function start(): Promise<void> {
    starting ??= outsideRequests(() => Promise.all([follow().then(read), time.sync()]).then(async () => {
      // The clock was corrected during the read, so the read does not count.
      if (offset !== time.offset()) await read()
      started = true
      catchingUp = null
      poll()
    }))
    return starting
  }

  function catchUp(): Promise<void> {
    isUsed = true
    if (started && !isAsleep) return Promise.resolve()
    catchingUp ??= outsideRequests(wakeUp)
    return catchingUp
  }

  async function wakeUp(): Promise<void> {
    await patiently(isAsleep ? Promise.all([follow(), read(), time.sync()]) : start())
    if (isAsleep) {
      isAsleep = false
      idle = 0
      poll()
    }
    // While a long log is still being read, nobody waits for it a second time.
    if (started) catchingUp = null
  }

  function patiently(work: Promise<unknown>): Promise<void> {
    return new Promise(resolve => {
      const cancel = schedule(resolve, PATIENCE)
      endPatience = () => {
        cancel()
        endPatience = null
        resolve()
      }
      void work.then(endPatience)
    })
  }

  return {
    start,
    catchUp,
    read,
    status: () => ({
      state: !started || closed ? 'stopped' : isAsleep ? 'asleep' : 'following',
      readAt: readAt === Number.NEGATIVE_INFINITY ? null : readAt,
      failure,
    }),
    isFresh(now) {
      isUsed = true
      return !isAsleep && isCurrent(now)
    },
    isRevoked: handle => list.isRevoked(handle),
    payloadVersion: handle => list.payloadVersion(handle),
    onRevoked(handle, listener) {
      const unwatch = watchers.watch(handle, listener)
      void catchUp()
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
      endTurn?.()
      await reading
      await stopFollowing()
    },
  }
}
