import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { SessionPolicy } from './policy.ts'
import { RevocationList } from './revocation-list.ts'
import { RevocationListeners } from './revocation-listeners.ts'
import type { SessionTime } from './store-clock.ts'
import type { Change, SessionStore } from './store.ts'

/** What a feed needs to read the change log. */
export interface LogReaderDependencies {
  readonly store: SessionStore
  readonly time: Omit<SessionTime, 'now'>
  readonly policy: SessionPolicy
  /** Called when the log says that keys have changed. If it rejects, the log counts as not read. */
  readonly onKeysChanged: () => Promise<unknown>
  /** Called when the log could not be read. */
  readonly onError: (error: unknown) => void
}

/** What a process knows of the change log, and how it reads what is new. */
export interface LogReader {
  readonly list: RevocationList
  readonly watchers: RevocationListeners
  /** Applies a change, and calls the listeners of the sessions that it revokes. */
  apply(change: Change): void
  /**
   * Reads what is new, to the end of the log. After a failure, the next read continues where this one was. Calls
   * `betweenPages` before each further page, and stops if it resolves to false: the log then counts as not read.
   * Resolves to whether nothing failed; never rejects.
   */
  read(betweenPages: () => Promise<boolean>): Promise<boolean>
  /** Whether the log was read within `maxStaleness`, and the clock was neither set back nor corrected since then. */
  isCurrent(now: EpochMilliseconds): boolean
  /** Whether the clock was corrected since the last read began. */
  wasCorrected(): boolean
  /** When the last read began that reached the end; minus infinity before the first. */
  readAt(): EpochMilliseconds
  /** Why the last read failed; null if it did not. */
  failure(): unknown
}

/** How many changes one read returns at most: with all their handles, about a megabyte. */
const PAGE = 500

/** If the clock goes back further, the whole log is read again. Entries are kept longer than their tokens by more. */
const CLOCK_SLIP: Milliseconds = 60_000

/** Creates the reader of one process. Reads nothing yet. */
export function createLogReader({ store, time, policy, onKeysChanged, onError }: LogReaderDependencies): LogReader {
  const list = new RevocationList()
  const watchers = new RevocationListeners(onError)
  let cursor: string | null = null
  let readAt = Number.NEGATIVE_INFINITY
  let failure: unknown = null
  /** The clock's offset at the start of the last read. */
  let offset = time.offset()
  let latest = Number.NEGATIVE_INFINITY
  /** How often the log said that keys have changed, and how many of these changes the keys in memory have. */
  let keyChanges = 0
  let keysRead = 0

  function apply(change: Change): void {
    list.apply(change)
    if (change.kind === 'revoked') for (const handle of change.handles) watchers.notify(handle)
  }

  async function readToEnd(betweenPages: () => Promise<boolean>): Promise<void> {
    const begun = time.clock()
    const begunWith = time.offset()
    // While the clock was ahead, entries may have been pruned too early.
    if (begun < latest - CLOCK_SLIP) {
      cursor = null
      latest = begun
    }
    for (;;) {
      const page = await store.changesSince(cursor, PAGE)
      for (const change of page.changes) {
        apply(change)
        if (change.kind === 'keys') keyChanges += 1
      }
      cursor = page.cursor
      if (!page.more) break
      if (!await betweenPages()) return
    }
    if (keysRead < keyChanges) {
      const changes = keyChanges
      await onKeysChanged()
      keysRead = Math.max(keysRead, changes)
    }
    list.prune(begun)
    latest = begun
    readAt = begun
    failure = null
    offset = begunWith
  }

  return {
    list,
    watchers,
    apply,
    async read(betweenPages) {
      try {
        await readToEnd(betweenPages)
        return true
      } catch (error) {
        failure = error
        onError(error)
        return false
      }
    },
    isCurrent: now => now - readAt <= policy.maxStaleness && now >= readAt && offset === time.offset(),
    wasCorrected: () => offset !== time.offset(),
    readAt: () => readAt,
    failure: () => failure,
  }
}
