import type { Scheduler } from '../../../src/base/scheduler.ts'

/** Timers that run when a test lets time pass. */
export interface ManualScheduler {
  readonly schedule: Scheduler
  /** Runs what is due after this time, in order, and lets it finish. */
  pass(milliseconds: number): Promise<void>
}

interface Task {
  readonly due: number
  readonly run: () => void
}

export function createManualScheduler(): ManualScheduler {
  const tasks = new Set<Task>()
  let now = 0
  return {
    schedule(run, delay) {
      const task = { run, due: now + delay }
      tasks.add(task)
      return () => void tasks.delete(task)
    },
    async pass(milliseconds) {
      now += milliseconds
      const due = [...tasks].filter(task => task.due <= now).toSorted((one, other) => one.due - other.due)
      for (const task of due) {
        tasks.delete(task)
        task.run()
      }
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}
