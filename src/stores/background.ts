import { outsideRequests } from '../base/outside-requests.ts'
import type { Milliseconds } from '../base/time.ts'
import { startTimer } from '../base/timer.ts'

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

/** Waits. The timer keeps the process alive: the caller of a store waits for it. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    startTimer(resolve, duration)
  })
}
