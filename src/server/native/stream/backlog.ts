import { jitter } from '../../../base/jitter.ts'
import type { Scheduler } from '../../../base/scheduler.ts'
import type { Milliseconds } from '../../../base/time.ts'
import type { SessionStore } from '../../../session/store.ts'
import { createEventPage, PAGE } from './event-page.ts'
import type { EventPage } from './event-page.ts'

/** Reads the changes that streams have missed. */
export interface Backlog {
  /**
   * Reads the page after a cursor; the read begins after this call. Tries again for as long as the log cannot be read.
   * Rejects when the signal aborts.
   */
  read(cursor: string | null, signal: AbortSignal): Promise<EventPage>
}

/** What the readers of the change log for streams need. */
export interface ReaderDependencies {
  readonly store: Pick<SessionStore, 'changesSince' | 'follow'>
  readonly schedule: Scheduler
  /** The longest time between two reads of the log. */
  readonly pollInterval: Milliseconds
  /** Called when the log could not be read. */
  readonly onError: (error: unknown) => void
  /** Returns numbers from 0 to 1, for tests. Default: `Math.random`. */
  readonly random?: () => number
}

/** A read that has not begun, and the streams that wait for it. */
interface PendingRead {
  readonly cursor: string | null
  readonly waiters: Set<(page: EventPage) => void>
}

/** The most reads at once. */
const READS = 4

/**
 * Creates the backlog of an application's streams. After a restart, all clients connect again at once, most of them
 * with the same cursor: reads with the same cursor that have not begun become one.
 */
export function createBacklog({ store, schedule, pollInterval, onError, random }: ReaderDependencies): Backlog {
  const pending = new Map<string | null, PendingRead>()
  let running = 0

  function startReads(): void {
    for (const read of pending.values()) {
      if (running >= READS) return
      pending.delete(read.cursor)
      running += 1
      void perform(read).finally(() => {
        running -= 1
        startReads()
      })
    }
  }

  async function perform({ cursor, waiters }: PendingRead): Promise<void> {
    while (waiters.size > 0) {
      try {
        const page = createEventPage(await store.changesSince(cursor, PAGE))
        for (const resolve of waiters) resolve(page)
        return
      } catch (error) {
        if (waiters.size > 0) onError(error)
        await new Promise<void>(resolve => {
          schedule(resolve, jitter(pollInterval, random))
        })
      }
    }
  }

  return {
    async read(cursor, signal) {
      signal.throwIfAborted()
      const read = pending.get(cursor) ?? { cursor, waiters: new Set() }
      pending.set(cursor, read)
      // Streams that call in the same tick of the event loop share the read.
      queueMicrotask(startReads)
      return new Promise<EventPage>((resolve, reject) => {
        const leave = (): void => {
          signal.removeEventListener('abort', abort)
          read.waiters.delete(finish)
        }
        const finish = (page: EventPage): void => {
          leave()
          resolve(page)
        }
        const abort = (): void => {
          leave()
          // The queue is never longer than the list of streams, however often clients come and go.
          if (read.waiters.size === 0 && pending.get(cursor) === read) pending.delete(cursor)
          reject(signal.reason)
        }
        signal.addEventListener('abort', abort)
        read.waiters.add(finish)
      })
    },
  }
}
