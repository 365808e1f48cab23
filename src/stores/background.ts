import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'

/** Runs a task later. Where the runtime can tell, its timer does not keep the process alive. */
export const runLater: Scheduler = (task, delay) => {
  const timer = setTimeout(task, delay)
  // Runtimes without Node's timers give a number.
  if (typeof timer === 'object') timer.unref()
  return () => clearTimeout(timer)
}

/** Waits. Does not keep the process alive. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    runLater(resolve, duration)
  })
}
