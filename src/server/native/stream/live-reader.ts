import { jitter } from '../../../base/jitter.ts'
import type { Scheduler } from '../../../base/scheduler.ts'
import type { Milliseconds } from '../../../base/time.ts'
import type { ReaderDependencies } from './backlog.ts'
import { createEventPage, PAGE } from './event-page.ts'
import type { EventPage } from './event-page.ts'

/** Reads new changes for all streams of an application. */
export interface LiveReader {
  /** The cursor of the last page that was delivered, or is being delivered. */
  cursor(): string | null
  /** Stops reading. Resolves when the last read has ended. */
  stop(): Promise<void>
}

interface LiveReaderDependencies extends ReaderDependencies {
  /** Receives each page with changes. The next one is read after it resolves. */
  readonly deliver: (page: EventPage) => Promise<void>
}

/** The shortest time between two reads: with many changes, one read per change would overload the store. */
const PAUSE: Milliseconds = 50

/** Starts to follow the change log from a cursor. If the log cannot be read, the next attempt has the same cursor. */
export function startLiveReader(dependencies: LiveReaderDependencies, from: string | null): LiveReader {
  const { store, schedule, pollInterval, deliver, onError, random } = dependencies
  const sleeper = createSleeper(schedule)
  let cursor = from
  let isStopped = false
  let unfollow: (() => Promise<void>) | null = null

  async function follow(): Promise<void> {
    try {
      unfollow ??= await store.follow(sleeper.wake)
    } catch (error) {
      if (!isStopped) onError(error)
    }
  }

  /** Reads a page. Returns whether there are more. */
  async function read(): Promise<boolean> {
    if (isStopped) return false
    try {
      const page = await store.changesSince(cursor, PAGE)
      if (isStopped) return false
      cursor = page.cursor
      if (page.changes.length > 0) await deliver(createEventPage(page))
      return page.more
    } catch (error) {
      if (!isStopped) onError(error)
      return false
    }
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await follow()
      const more = await read()
      await sleeper.sleep(PAUSE)
      if (!more) await sleeper.sleepUntilWoken(jitter(pollInterval, random))
    }
    try {
      await unfollow?.()
    } catch (error) {
      onError(error)
    }
  }

  const ended = run()
  return {
    cursor: () => cursor,
    async stop() {
      isStopped = true
      sleeper.stop()
      await ended
    },
  }
}

interface Sleeper {
  sleep(duration: Milliseconds): Promise<void>
  /** Sleeps until `wake` is called, but at most `limit`. Not at all if it was called since the last such sleep. */
  sleepUntilWoken(limit: Milliseconds): Promise<void>
  readonly wake: () => void
  /** Ends this sleep and all later ones at once. */
  stop(): void
}

function createSleeper(schedule: Scheduler): Sleeper {
  let isAwake = false
  let isStopped = false
  let end = (): void => undefined
  let endLightSleep = (): void => undefined

  async function sleep(duration: Milliseconds): Promise<void> {
    if (isStopped) return
    await new Promise<void>(resolve => {
      const cancel = schedule(resolve, duration)
      end = () => {
        cancel()
        resolve()
      }
    })
  }

  return {
    sleep,
    async sleepUntilWoken(limit) {
      if (!isAwake) {
        const asleep = sleep(limit)
        endLightSleep = end
        await asleep
        endLightSleep = () => undefined
      }
      isAwake = false
    },
    wake() {
      isAwake = true
      endLightSleep()
    },
    stop() {
      isStopped = true
      end()
    },
  }
}
