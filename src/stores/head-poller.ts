import type { Milliseconds } from '../base/time.ts'
import { runLater } from './background.ts'

/** Looks for new entries of the change log, where the database cannot push: what `follow` is made of there. */
export interface HeadPoller {
  /** Resolves once the head is known, so that every change after it is noticed. @throws what the first read throws. */
  start(): Promise<void>
  /** Reads no more, and wakes nobody but for a reading that is under way. */
  stop(): void
}

/**
 * Makes a poller that reads the head of the log every `interval` milliseconds and calls `wake` when it is another one
 * than before. `readHead` gives the newest entry's name or number. A failing read is passed over: hints may be lost, and
 * `changesSince` tells the reader what is wrong.
 */
export function createHeadPoller(
  readHead: () => Promise<string>,
  interval: Milliseconds,
  wake: () => void,
): HeadPoller {
  let stopTimer: (() => void) | null = null
  let seen = ''

  async function look(): Promise<void> {
    const head = await readHead()
    if (seen === head) return
    seen = head
    wake()
  }

  function plan(): void {
    const stop = runLater(() => {
      void look().catch(() => undefined).finally(() => {
        if (stopTimer === stop) plan()
      })
    }, interval)
    stopTimer = stop
  }

  return {
    async start() {
      if (stopTimer !== null) return
      seen = await readHead()
      if (stopTimer === null) plan()
    },
    stop() {
      stopTimer?.()
      stopTimer = null
    },
  }
}
