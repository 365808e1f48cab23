import { setImmediate as nextTick } from 'node:timers/promises'
import type { Scheduler } from '../../../src/base/scheduler.ts'
import type { Clock, EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'

/** A clock that stands still until it is advanced, and the background work that waits for it. */
export interface SteppedClock {
  readonly clock: Clock
  readonly schedule: Scheduler
  /**
   * Lets time pass in steps to each task that is due, and calls `settle` after each: what a task began is done before
   * the next one is due.
   */
  advance(delay: Milliseconds, settle: () => Promise<void>): Promise<void>
}

interface Task {
  readonly at: EpochMilliseconds
  readonly run: () => void
}

export function createSteppedClock(start: EpochMilliseconds): SteppedClock {
  let now = start
  const tasks = new Set<Task>()
  const firstDue = (end: EpochMilliseconds): Task | undefined => (
    [...tasks].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0]
  )
  return {
    clock: () => now,
    schedule(run, delay) {
      // What shall run at once does not wait for the clock.
      if (delay <= 0) {
        const immediate = setImmediate(run)
        return () => clearImmediate(immediate)
      }
      const task = { at: now + delay, run }
      tasks.add(task)
      return () => void tasks.delete(task)
    },
    async advance(delay, settle) {
      const end = now + delay
      for (let task = firstDue(end); task !== undefined; task = firstDue(end)) {
        tasks.delete(task)
        now = Math.max(now, task.at)
        task.run()
        await nextTick()
        await settle()
      }
      now = end
    },
  }
}
