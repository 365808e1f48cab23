import type { Milliseconds } from '../../base/time.ts'

/** Looks for new entries of the change log, where the database cannot push. */
export interface HeadPoller {
  /** Resolves once the head is known, so that every change after it is noticed. @throws what the first read throws. */
  start(): Promise<void>
  stop(): void
}

/**
 * Reads the head of the log every `interval` and calls `wake` when it is another one than before. A failing read is
 * passed over: hints may be lost, and `changesSince` tells the reader what is wrong.
 */
export function createHeadPoller(
  readHead: () => Promise<string>,
  interval: Milliseconds,
  wake: () => void,
): HeadPoller {
  let timer: ReturnType<typeof setTimeout> | null = null
  let seen = ''

  async function look(): Promise<void> {
    const head = await readHead()
    if (seen === head) return
    seen = head
    wake()
  }

  function plan(): void {
    const planned = setTimeout(() => {
      void look().catch(() => undefined).finally(() => {
        if (timer === planned) plan()
      })
    }, interval)
    planned.unref()
    timer = planned
  }

  return {
    async start() {
      if (timer !== null) return
      seen = await readHead()
      if (timer === null) plan()
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
    },
  }
}
