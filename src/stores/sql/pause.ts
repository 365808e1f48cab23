import type { Milliseconds } from '../../base/time.ts'

/** Waits. Does not keep the process alive. */
export function pause(duration: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, duration).unref()
  })
}
