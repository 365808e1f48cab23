import type { Milliseconds } from '../../base/time.ts'
import { pause } from '../background.ts'

/** How long to wait before the command is sent again. */
const PAUSE: Milliseconds = 100

/** How often a command is sent again. */
const REPEATS = 16

/**
 * Sends a command again for as long as a cluster refuses it only for the moment, but at most 16 times, 100 ms apart:
 * while a slot moves, if some of the command's keys have moved (`TRYAGAIN`), and during a failover (`CLUSTERDOWN`). The
 * cluster has not executed such a command. ioredis does the same by itself.
 */
export async function tryAgain<Reply>(
  send: () => Promise<Reply>,
  wait: (duration: Milliseconds) => Promise<void> = pause,
): Promise<Reply> {
  for (let repeats = 0; ; repeats++) {
    try {
      return await send()
    } catch (error) {
      const isMomentary = error instanceof Error && /^(?:TRYAGAIN|CLUSTERDOWN)\b/.test(error.message)
      if (!isMomentary || repeats === REPEATS) throw error
    }
    await wait(PAUSE)
  }
}
