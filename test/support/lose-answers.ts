import type { Milliseconds } from '../../src/base/time.ts'

/** The reuse interval of sessions that nobody has configured. */
export const R: Milliseconds = 30_000

/** How long a refresh waits after {@link loseAnswers}, in whole seconds: from 4.5R until 2R after the last delivery. */
export const BUSY_SECONDS = 42

/**
 * Lets a client lose every answer to its refresh token: `refresh` presents the same one again at 0, 1R, 2.5R and 3.9R,
 * each of which delivers the child anew. Leaves the clock at 4.5R, where the next one is told to wait (row 4b).
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
