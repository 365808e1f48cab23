import type { Milliseconds } from '../../src/base/time.ts'

/** The default reuse interval. */
export const R: Milliseconds = 30_000

/**
 * How long a refresh waits after {@link loseAnswers}, in whole seconds: from 4.5R until 2R after the last delivery have
 * passed, which are 42 seconds.
 */
export const BUSY_SECONDS = 43

/**
 * Lets a client lose every response to its refresh token: `refresh` presents the same token again at 0, 1R, 2.5R and
 * 3.9R, and each time the child is delivered again. Leaves the clock at 4.5R, when the next refresh must wait (row
 * 4b).
 */
export async function loseAnswers(
  clock: { advance(by: Milliseconds): void },
  refresh: () => Promise<unknown>,
): Promise<void> {
  await refresh()
  for (const pause of [1, 1.5, 1.4]) {
    clock.advance(pause * R)
    await refresh()
  }
  clock.advance(0.6 * R)
}
