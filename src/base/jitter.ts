import type { Milliseconds } from './time.ts'

/**
 * Shortens a delay by a random part of up to a fifth, so that processes that start together do not go on doing the same
 * in the same moment. `random` returns a number from 0 to 1.
 */
export function jitter(delay: Milliseconds, random: () => number = Math.random): Milliseconds {
  return delay * (1 - 0.2 * random())
}
