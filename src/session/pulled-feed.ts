import { shareOn } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { within } from '../base/within.ts'
import { createLogReader } from './log-reader.ts'
import type { LogReaderDependencies } from './log-reader.ts'
import type { FeedStatus, RevocationFeed } from './revocation-feed.ts'

interface PulledFeedDependencies extends LogReaderDependencies {
  readonly schedule: Scheduler
  readonly host: Host
}

/** How long a request waits for the log. */
const PATIENCE: Milliseconds = 1_000

/**
 * Creates the feed of an isolate, where no timer runs between two requests and nothing can be pushed. Verifications
 * read the log. One that finds the list older than `pollInterval` starts a read and does not wait for it; one that
 * finds it older than `maxStaleness` waits. So an isolate that was idle is not behind: it reads before it answers.
 */
export function createPulledFeed(dependencies: PulledFeedDependencies): RevocationFeed {
  const { time, policy, schedule, host } = dependencies
  const log = createLogReader(dependencies)
  const { list, watchers } = log
  /** After a read that failed or took too long, no request waits for the next one before this time. */
  let waitAgainAt = Number.NEGATIVE_INFINITY
  let closed = false

  const reading = shareOn(host, async () => {
    if (!await log.read(betweenPages)) pauseWaiting()
  })

  async function betweenPages(): Promise<boolean> {
    // Stores on this thread answer at once: here other work gets its turn.
    await new Promise<void>(resolve => void schedule(resolve, 0))
    return !closed
  }

  function pauseWaiting(): void {
    waitAgainAt = time.clock() + policy.pollInterval
  }

  /** Reads the log, and the store's clock unless it is known. */
  async function readAll(): Promise<void> {
    await Promise.all([reading.run(), time.sync()])
    // The clock was corrected during the read, so the read does not count.
    if (log.wasCorrected() && log.failure() === null) await reading.run()
  }

  function mayWait(now: EpochMilliseconds): boolean {
    return now >= waitAgainAt || waitAgainAt - now > policy.pollInterval
  }

  async function catchUp(): Promise<void> {
    const now = time.clock()
    if (closed || log.isCurrent(now) || !mayWait(now)) return
    const late = Symbol('late')
    try {
      await within(readAll(), { limit: PATIENCE, schedule, late: () => late })
    } catch (error) {
      if (error !== late) throw error
      pauseWaiting()
    }
  }

  function isFresh(now: EpochMilliseconds): boolean {
    if (!log.isCurrent(now)) return false
    const isDue = now - log.readAt() > policy.pollInterval
    if (isDue && mayWait(now) && !reading.isRunning() && !closed) host.keepAlive(reading.run())
    return true
  }

  /** Reads the log again and again for a listener, for as long as the request lives that has registered it. */
  function pollFor(isWatching: () => boolean): void {
    schedule(() => {
      if (!isWatching() || closed) return
      void (time.clock() - log.readAt() < policy.pollInterval ? Promise.resolve() : reading.run())
        .then(() => pollFor(isWatching))
    }, policy.pollInterval)
  }

  function onRevoked(handle: SessionHandle, listener: () => unknown): () => void {
    let isWatching = true
    const unwatch = watchers.watch(handle, listener)
    host.keepAlive(catchUp().then(() => {
      if (list.isRevoked(handle)) watchers.notify(handle)
    }))
    pollFor(() => isWatching)
    return () => {
      isWatching = false
      unwatch()
    }
  }

  /** A list that is old because nobody asked is no trouble: the next verification reads the log. */
  function state(): FeedStatus['state'] {
    if (closed || (log.readAt() === Number.NEGATIVE_INFINITY && log.failure() === null)) return 'stopped'
    return log.failure() === null && !log.isCurrent(time.clock()) ? 'asleep' : 'following'
  }

  return {
    start: catchUp,
    catchUp,
    read: readAll,
    status: () => ({
      state: state(),
      readAt: log.readAt() === Number.NEGATIVE_INFINITY ? null : log.readAt(),
      failure: log.failure(),
    }),
    isFresh,
    isRevoked: handle => list.isRevoked(handle),
    payloadVersion: handle => list.payloadVersion(handle),
    onRevoked,
    endAll: () => watchers.notifyAll(),
    applyLocally: log.apply,
    async close(): Promise<void> {
      closed = true
      if (reading.isRunning()) await reading.run()
    },
  }
}
