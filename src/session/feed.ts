import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'
import { createLogReader } from './log-reader.ts'
import type { LogReaderDependencies } from './log-reader.ts'
import type { RevocationFeed } from './revocation-feed.ts'

interface FeedDependencies extends LogReaderDependencies {
  readonly schedule: Scheduler
}

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

/** Creates the feed of one process. Reads nothing before `start`. */
export function createRevocationFeed(dependencies: FeedDependencies): RevocationFeed {
  const { store, time, schedule, policy, onError } = dependencies
  const log = createLogReader(dependencies)
  const { list, watchers } = log
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

  async function readOnce(): Promise<boolean> {
    const lapsed = started && !isAsleep && !log.isCurrent(time.clock())
    const succeeded = await log.read(betweenPages)
    // The store was unavailable, or this machine's clock was changed: the offset may be wrong.
    if (succeeded && lapsed && !closed) void time.sync()
    return succeeded
  }

  /** Nobody waits for a second page. Returns whether to read it. */
  async function betweenPages(): Promise<boolean> {
    if (closed) return false
    endPatience?.()
    // Stores on this thread answer at once: here other work gets its turn.
    await new Promise<void>(resolve => {
      endTurn = resolve
      schedule(resolve, 0)
    })
    return !closed
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
      } while (await readOnce() && again && !closed)
    })().finally(() => {
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
      if (log.wasCorrected()) await read()
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
      readAt: log.readAt() === Number.NEGATIVE_INFINITY ? null : log.readAt(),
      failure: log.failure(),
    }),
    isFresh(now) {
      isUsed = true
      return started && !isAsleep && log.isCurrent(now)
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
    applyLocally: log.apply,
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
