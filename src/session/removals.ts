import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { notBeforeAt } from './policy.ts'
import { REMOVAL_LIMIT } from './store.ts'
import type { Removal, RemovedExpired, RemovedOfUser, RemovedPage, SessionStore, UserRemoval } from './store.ts'

// Removals of any number of sessions, in calls that are each short. If one of them fails, what came before is removed:
// the caller can repeat the whole.

/** Removes these sessions. Yields each part when it is removed. */
export async function* removeInParts(
  store: Pick<SessionStore, 'remove'>,
  handles: readonly SessionHandle[],
  from: EpochMilliseconds,
): AsyncGenerator<Removal> {
  for (let start = 0; start < handles.length; start += REMOVAL_LIMIT) {
    yield await store.remove(handles.slice(start, start + REMOVAL_LIMIT), from)
  }
}

/** Removes the sessions of a user, newest first. Yields each part when it is removed. */
export async function* removeOfUser(
  store: Pick<SessionStore, 'removeByUser'>,
  removal: Omit<UserRemoval, 'limit' | 'after'>,
): AsyncGenerator<Removal> {
  let after: string | null = null
  do {
    const part: RemovedOfUser = await store.removeByUser({ ...removal, limit: REMOVAL_LIMIT, after })
    yield part
    after = part.next
  } while (after !== null)
}

/** Removes the sessions of all users that were not created after `now`. Call it after their keys were replaced. */
export async function removeEverySession(
  store: Pick<SessionStore, 'removeAll'>,
  now: EpochMilliseconds,
): Promise<void> {
  const notBefore = notBeforeAt(now)
  let after: string | null = null
  do {
    const page: RemovedPage = await store.removeAll({ notBefore, limit: REMOVAL_LIMIT, after })
    after = page.next
  } while (after !== null)
}

/** Removes what has expired. Yields the number of sessions after each part; the caller may stop between two parts. */
export async function* removeAllExpired(
  store: Pick<SessionStore, 'removeExpired'>,
  clock: () => EpochMilliseconds,
  limit: number,
): AsyncGenerator<number> {
  let more = true
  while (more) {
    const part: RemovedExpired = await store.removeExpired(clock(), limit)
    yield part.removed
    more = part.more
  }
}
