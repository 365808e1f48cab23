import type { Milliseconds } from './time.ts'

/**
 * Runs a task once, after the delay. Returns a function that cancels the task. A task with a delay does not keep the
 * process alive; one without does, because work waits there only to let the event loop run.
 */
export type Scheduler = (task: () => void, delay: Milliseconds) => () => void
