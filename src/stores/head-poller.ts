import { jitter } from '../base/jitter.ts'
import type { Milliseconds } from '../base/time.ts'
import { runLater } from '../base/timer.ts'

/** Polls for new entries of the change log, where the database cannot push: the implementation of `follow` there. */
export interface HeadPoller {
  /** Resolves once the head is known: every later change is noticed. @throws what the first read throws. */
  start(): Promise<void>
  /** Stops polling. A read that is in progress may still call `wake`. */
  stop(): void
}

/**
 * Makes a poller that reads the head of the log about every `interval` milliseconds, and calls `wake` when it has
 * changed. `readHead` returns the name or number of the newest entry. A read that fails is ignored: hints may be lost,
 * and `changesSince` reports the error to the reader.
 */
export function createHeadPoller(
  readHead: () => Promise<string>,
  interval: Milliseconds,
  wake: () => void,
): HeadPoller {
  let stopTimer: (() => void) | null = null
  /** Whether it was stopped since it was last started. */
  let isStopped = false
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
    }, jitter(interval))
    stopTimer = stop
  }

  return {
    async start() {
      isStopped = false
      if (stopTimer !== null) return
      seen = await readHead()
      if (stopTimer === null && !isStopped) plan()
    },
    stop() {
      isStopped = true
      stopTimer?.()
      stopTimer = null
    },
  }
}
