import { outsideRequests } from './outside-requests.ts'
import type { Scheduler } from './scheduler.ts'
import type { Milliseconds } from './time.ts'

/** A timer that can begin and cease to keep the process alive, where the runtime supports that. It begins with it. */
export interface Timer {
  keepAlive(needed: boolean): void
  cancel(): void
}

interface NodeTimer {
  ref(): void
  unref(): void
}

/** Runtimes without Node's timers return a number. */
const isNodeTimer = (timer: unknown): timer is NodeTimer => typeof timer === 'object'

/** Runs a task after a delay, outside of any request. */
export function startTimer(task: () => void, delay: Milliseconds): Timer {
  const timer = outsideRequests(() => setTimeout(task, delay))
  return {
    keepAlive(needed) {
      if (!isNodeTimer(timer)) return
      if (needed) timer.ref()
      else timer.unref()
    },
    cancel: () => clearTimeout(timer),
  }
}

/** Runs a task after a delay, outside of any request. The timer does not keep the process alive. */
export const runLater: Scheduler = (task, delay) => {
  const timer = startTimer(task, delay)
  timer.keepAlive(false)
  return timer.cancel
}
