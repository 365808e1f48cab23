import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds } from '../base/time.ts'

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
