import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import { createStoreClock } from '../session/store-clock.ts'
import type { SessionStore } from '../session/store.ts'

/**
 * The time that all processes with this store use: this machine's clock, corrected by the store's, as in a server.
 * @throws GeneralError if the store's clock cannot be read, or if the clocks are half an hour or more apart: then one
 * of them is wrong, and a decision by the wrong one may end sessions for good.
 */
export async function readStoreTime(store: Pick<SessionStore, 'time'>): Promise<EpochMilliseconds> {
  const failures: unknown[] = []
  const time = createStoreClock({ store, clock: platform.clock, onError: error => void failures.push(error) })
  const now = await time.now()
  if (failures.length > 0) throw failures[0]
  return now
}
