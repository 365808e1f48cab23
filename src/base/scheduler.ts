import type { Milliseconds } from './time.ts'

/** Runs a task once after a while, without keeping the process alive for it. Returns how to call it off. */
export type Scheduler = (task: () => void, delay: Milliseconds) => () => void
