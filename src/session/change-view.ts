import { GeneralError } from '../base/errors.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { RevocationList } from './revocation-list.ts'
import type { ChangePage } from './store.ts'

/** Where changes can be read: a store, or a service that passes on its log. */
export interface ChangeSource {
  /** The changes after the cursor, oldest first; with null from the beginning of what is kept. */
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
}

/** What is known of sessions by their changes. */
export interface ChangeView {
  /** The list, read anew if it is due. @throws GeneralError (`STORE_UNAVAILABLE`) if it can not be read and is too old. */
  current(): Promise<Pick<RevocationList, 'isRevoked' | 'payloadVersion'>>
}

/** How to follow changes. */
export interface ChangeViewOptions {
  readonly source: ChangeSource
  readonly clock: Clock
  readonly pollInterval: Milliseconds
  /** How old the list may be where the source can not be read. */
  readonly maxStaleness: Milliseconds
}

const PAGE = 1000

/**
 * Makes a view of changes that reads when it is asked and has no timers, for platforms that run nothing between two
 * requests. No promise is shared between two calls, because what a request began may end with it.
 */
export function createChangeView({ source, clock, pollInterval, maxStaleness }: ChangeViewOptions): ChangeView {
  const list = new RevocationList()
  let cursor: string | null = null
  let readAt: EpochMilliseconds = Number.NEGATIVE_INFINITY
  let triedAt: EpochMilliseconds = Number.NEGATIVE_INFINITY

  async function read(): Promise<void> {
    const startedAt = clock()
    triedAt = startedAt
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
      if (isWithin(readAt, maxStaleness) && isWithin(triedAt, pollInterval)) return list
      try {
        await read()
      } catch (cause) {
        // What was missed is read from the beginning next time.
        cursor = null
        if (!isWithin(readAt, maxStaleness)) {
          throw new GeneralError('STORE_UNAVAILABLE', 'the changes of sessions can not be read', { cause })
        }
      }
      return list
    },
  }
}
