import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'

// Read before a test can replace it: fake timers must not stop the store. Not every runtime has it.
const immediately = globalThis.setImmediate ?? ((task: () => void) => setTimeout(task, 0))

/** Runs a task at the end of this tick of the event loop. */
export function atEndOfTick(task: () => void): void {
  immediately(task)
}

/** Lets the event loop run: resolves in its next tick. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => atEndOfTick(resolve))
}

/** Runs a task after a delay. The timer does not keep the process alive, where the runtime supports that. */
export const runLater: Scheduler = (task, delay) => {
  const timer = setTimeout(task, delay)
  // Runtimes without Node's timers return a number.
  if (typeof timer === 'object') timer.unref()
  return () => clearTimeout(timer)
}

/** Waits. The timer does not keep the process alive. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    runLater(resolve, duration)
  })
}
