import { expect, onTestFinished, test, vi } from 'vitest'
import { createHeadPoller } from './head-poller.ts'

test.each([[0, 500], [1, 400]])(
  'P-16: with %d from the source of randomness, the next reading is after %d ms',
  async (random, delay) => {
    vi.useFakeTimers()
    vi.spyOn(Math, 'random').mockReturnValue(random)
    onTestFinished(() => {
      vi.useRealTimers()
      vi.restoreAllMocks()
    })
    let [reads, wakes] = [0, 0]
    const poller = createHeadPoller(async () => `${reads++}`, 500, () => {
      wakes += 1
    })
    await poller.start()
    for (let round = 1; round <= 3; round++) {
      await vi.advanceTimersByTimeAsync(delay - 1)
      expect(reads).toBe(round)
      await vi.advanceTimersByTimeAsync(1)
      expect([reads, wakes]).toEqual([round + 1, round])
    }
    poller.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(reads).toBe(4)
  },
)
