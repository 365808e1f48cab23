import { outsideRequests } from '../base/outside-requests.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'

// Read before a test can replace it: fake timers must not stop the store. Not every runtime has it.
const immediately = globalThis.setImmediate ?? ((task: () => void) => setTimeout(task, 0))

/** Runs a task at the end of this tick of the event loop, outside of any request. */
export function atEndOfTick(task: () => void): void {
  outsideRequests(() => immediately(task))
}

/** Lets the event loop run: resolves in its next tick. */
export function nextEventLoopTurn(): Promise<void> {
  return new Promise(resolve => atEndOfTick(resolve))
}

/** A timer that can begin and cease to keep the process alive, where the runtime supports that. It begins with it. */
export interface Timer {
  keepAlive(needed: boolean): void
  cancel(): void
}

/** Runs a task after a delay, outside of any request. */
export function startTimer(task: () => void, delay: Milliseconds): Timer {
  const timer = outsideRequests(() => setTimeout(task, delay))
  return {
    keepAlive(needed) {
      // Runtimes without Node's timers return a number.
      if (typeof timer !== 'object') return
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

/** Waits. The timer keeps the process alive: the caller of a store waits for it. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    startTimer(resolve, duration)
  })
}
