import { describe, expect, test } from 'vitest'
import { createDrain } from './drain.ts'

const DELAY = 10_000

/** A drain whose time stands still; `advance` runs what is due. */
function world(
  delay = DELAY,
): {
  drain: ReturnType<typeof createDrain>
  advance: (time: number) => Promise<void>
  ended: () => boolean
  leave: () => void
} {
  let now = 0
  let due: { at: number; task: () => void }[] = []
  let isOver = false
  const drain = createDrain(delay, (task, after) => {
    due.push({ at: now + after, task })
    return () => undefined
  }, () => now)
  return {
    drain,
    ended: () => isOver,
    leave: () => void drain.leave().then(() => { isOver = true }),
    async advance(time) {
      now += time
      const ready = due.filter(({ at }) => at <= now)
      due = due.filter(({ at }) => at > now)
      for (const { task } of ready) task()
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

describe('V-08: a server that stops', () => {
  test('is not ready at first, then closes connections, then ends', async () => {
    const { drain, advance, ended, leave } = world()
    drain.noteRequest()()
    expect([drain.isReady(), drain.isClosing()]).toEqual([true, false])
    leave()
    await advance(DELAY / 2 - 1)
    expect([drain.isReady(), drain.isClosing(), ended()]).toEqual([false, false, false])
    await advance(1)
    expect([drain.isReady(), drain.isClosing(), ended()]).toEqual([false, true, false])
    await advance(DELAY / 2 - 1)
    expect(ended()).toBe(false)
    await advance(1)
    expect(ended()).toBe(true)
  })

  test('ends at once if it has had no request for as long as the delay', async () => {
    for (const [answeredBefore, atOnce] of [[null, true], [DELAY, true], [DELAY - 1, false]] as const) {
      const { drain, advance, ended, leave } = world()
      if (answeredBefore !== null) {
        drain.noteRequest()()
        await advance(answeredBefore)
      }
      leave()
      await advance(0)
      expect([answeredBefore, ended()]).toEqual([answeredBefore, atOnce])
    }
  })

  test('waits if a request is in progress, however old that is', async () => {
    const { drain, advance, ended, leave } = world()
    drain.noteRequest()
    await advance(5 * DELAY)
    leave()
    await advance(0)
    expect(ended()).toBe(false)
  })

  test('without a delay, ends at once', async () => {
    const { drain, advance, ended, leave } = world(0)
    drain.noteRequest()
    leave()
    await advance(0)
    expect([ended(), drain.isReady(), drain.isClosing()]).toEqual([true, false, true])
  })
})
