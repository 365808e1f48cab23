import type { Milliseconds } from './time.ts'

/** Runs a task once, after the delay. Does not keep the process alive. Returns a function that cancels the task. */
export type Scheduler = (task: () => void, delay: Milliseconds) => () => void
