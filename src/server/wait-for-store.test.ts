import { describe, expect, test } from 'vitest'
import { GeneralError } from '../base/errors.ts'
import { waitForStore } from './wait-for-store.ts'
import type { StoreWait } from './wait-for-store.ts'

const away = (): GeneralError => new GeneralError('STORE_UNAVAILABLE', 'the store does not answer')

/** A wait whose pauses take no time. */
function world(
  limit: number,
  signal: AbortSignal | null = null,
): { wait: StoreWait; pauses: number[]; lines: string[] } {
  let now = 0
  const pauses: number[] = []
  const lines: string[] = []
  const log = (_: unknown, message: string): void => void lines.push(message)
  const wait = {
    limit, signal, now: () => now, logger: { debug: log, info: log, warn: log, error: log },
    async pause(time: number) {
      pauses.push(time)
      now += time
    },
  }
  return { wait, pauses, lines }
}

/** Fails so often, then succeeds. */
function failing(times: number, error: () => Error): { attempt: () => Promise<string>; calls: () => number } {
  let calls = 0
  return {
    calls: () => calls,
    async attempt() {
      calls += 1
      if (calls <= times) throw error()
      return 'open'
    },
  }
}

describe('V-09: --store-wait', () => {
  test('repeats the start while the store does not answer, with growing pauses and one line in the log', async () => {
    const { wait, pauses, lines } = world(60_000)
    const { attempt, calls } = failing(6, away)
    expect(await waitForStore(attempt, wait)).toBe('open')
    expect([calls(), pauses.length, lines]).toEqual([7, 6, ['the store does not answer yet: waiting for it']])
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(Math.min(2000, 200 * 2 ** index))
      expect(pause).toBeGreaterThan(0)
    }
  })

  test('ends with the last failure at its limit, and never waits longer', async () => {
    const { wait, pauses } = world(5000)
    await expect(waitForStore(failing(1000, away).attempt, wait)).rejects.toThrow('the store does not answer')
    expect(pauses.reduce((sum, pause) => sum + pause)).toBe(5000)
  })

  test.each([
    ['without a limit', 0, away, null],
    ['for a failure that waiting does not cure', 60_000, () => new GeneralError('MISUSE', 'no secret decrypts the key'),
      null],
    ['after a signal to stop', 60_000, away, AbortSignal.abort()],
  ])('does not repeat it %s', async (_, limit, error, signal) => {
    const { wait, pauses } = world(limit, signal)
    const { attempt, calls } = failing(1, error)
    await expect(waitForStore(attempt, wait)).rejects.toThrow()
    expect([calls(), pauses]).toEqual([1, []])
  })
})
