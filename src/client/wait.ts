import type { ClientEnvironment } from './environment.ts'

type Timers = Pick<ClientEnvironment, 'after'>

/** Resolves as `task` does, or to undefined if that takes longer than `time` milliseconds. */
export function orLate<Result>(env: Timers, time: number, task: PromiseLike<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const stop = env.after(time, () => resolve(undefined))
    task.then(resolve, reject).then(stop)
  })
}

/** Resolves as `task` does, or rejects when the signal aborts. The task continues. */
export function orAborted<Result>(
  signal: AbortSignal | null | undefined,
  task: Promise<Result>,
): Promise<Result> {
  if (!signal) return task
  return new Promise((resolve, reject) => {
    // React Native's signals have no reason.
    const abort = (): void => reject(signal.reason ?? new Error('aborted'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    void task.then(resolve, reject).then(() => signal.removeEventListener('abort', abort))
  })
}
