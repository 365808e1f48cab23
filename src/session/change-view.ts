import { GeneralError } from '../base/errors.ts'
import { jitter } from '../base/jitter.ts'
import { shareWork } from '../base/shared-work.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { RevocationList } from './revocation-list.ts'
import type { ChangePage } from './store.ts'

/** A source of changes: a store, or a service that forwards the change log of one. */
export interface ChangeSource {
  /** The changes after the cursor, oldest first; with null, all that the log still contains. */
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
}

/** A revocation list that is read from a change log on demand. */
export interface ChangeView {
  /**
   * The revocation list; reads the change log first if that is due.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the log cannot be read and the list is older than `maxStaleness`;
   * without an attempt if the last one failed within `pollInterval`.
   */
  current(): Promise<Pick<RevocationList, 'isRevoked' | 'payloadVersion'>>
}

/** The options of {@link createChangeView}. */
export interface ChangeViewOptions {
  readonly source: ChangeSource
  readonly clock: Clock
  readonly pollInterval: Milliseconds
  /** How old the list may be while the source cannot be read. */
  readonly maxStaleness: Milliseconds
  /** Whether concurrent calls may share a reading. Default: as the runtime allows it. */
  readonly isShared?: boolean
}

const PAGE = 1000

/**
 * Creates a view of changes that reads on demand and uses no timers, for platforms that run no code between two
 * requests. Concurrent calls share one reading, where the runtime allows that.
 */
export function createChangeView(options: ChangeViewOptions): ChangeView {
  const { source, clock, pollInterval, maxStaleness, isShared } = options
  const list = new RevocationList()
  let cursor: string | null = null
  let readAt: EpochMilliseconds = Number.NEGATIVE_INFINITY
  let triedAt: EpochMilliseconds = Number.NEGATIVE_INFINITY
  /** Whether the last attempt failed. */
  let isFailing = false
  // Services that started together must not all read in the same moment.
  let interval = jitter(pollInterval)

  const { run: read, isRunning } = shareWork(readAlone, isShared)

  async function readAlone(): Promise<void> {
    const startedAt = clock()
    triedAt = startedAt
    interval = jitter(pollInterval)
    for (;;) {
      const page = await source.changesSince(cursor, PAGE)
      for (const change of page.changes) list.apply(change)
      cursor = page.cursor
      if (!page.more) break
    }
    list.prune(startedAt)
    readAt = startedAt
  }

  function isWithin(since: EpochMilliseconds, limit: Milliseconds): boolean {
    const age = clock() - since
    return age >= 0 && age < limit
  }

  return {
    async current() {
      if (isWithin(readAt, interval)) return list
      // While the source is unavailable, one call per interval asks it, and the others do without it or fail at once.
      if (isFailing && isWithin(triedAt, interval)) {
        if (isWithin(readAt, maxStaleness)) return list
        if (!isRunning()) throw unreadable()
      }
      try {
        await read()
        isFailing = false
      } catch (cause) {
        // The cursor stays: the pages before the failure have been applied.
        isFailing = true
        if (!isWithin(readAt, maxStaleness)) throw unreadable({ cause })
      }
      return list
    },
  }
}

function unreadable(options: { readonly cause?: unknown } = {}): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', 'the revocation feed cannot be read', {
    ...options, reason: 'feed-unreachable',
  })
}
