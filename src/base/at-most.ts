import type { Milliseconds } from './time.ts'

/**
 * Waits for work, but at most `limit` milliseconds. Returns whether the work has ended; rejects if it does. The timer
 * keeps the process alive: somebody waits.
 */
export async function atMost(limit: Milliseconds, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), limit)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
