import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import { createStoreClock } from '../session/store-clock.ts'
import type { SessionStore } from '../session/store.ts'

/**
 * What time it is for all processes that share the store, by the rules that servers follow: this machine's clock, set
 * right by the store's.
 * @throws GeneralError if the store could not be asked, or if the clocks are half an hour or more apart: one of them is
 * wrong then, and what is judged by either may end sessions for good.
 */
export async function readStoreTime(store: Pick<SessionStore, 'time'>): Promise<EpochMilliseconds> {
  const failures: unknown[] = []
  const time = createStoreClock({ store, clock: platform.clock, onError: error => void failures.push(error) })
  const now = await time.now()
  if (failures.length > 0) throw failures[0]
  return now
}
