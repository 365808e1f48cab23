import type { Scheduler } from '../base/scheduler.ts'
import { startTimer } from '../base/timer.ts'

/** The scheduler of every platform: a bundler may choose the files for another runtime than the one that runs them. */
export const schedule: Scheduler = (task, delay) => {
  const timer = startTimer(task, delay)
  timer.keepAlive(delay === 0)
  return timer.cancel
}
