import type { Scheduler } from '../base/scheduler.ts'

/** The scheduler of every platform: a bundler may choose the files for another runtime than the one that runs them. */
export const startTimer: Scheduler = (task, delay) => {
  const timer = setTimeout(task, delay)
  // Runtimes without Node's timers return a number.
  if (delay > 0 && typeof timer === 'object') timer.unref()
  return () => clearTimeout(timer)
}
