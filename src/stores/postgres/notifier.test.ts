import { expect, onTestFinished, test, vi } from 'vitest'
import type { Connections } from './connections.ts'
import { createNotifier } from './notifier.ts'

/** Connections to listen on, which can be cut, and what they were asked. */
function fakeConnections(): {
  readonly connections: Connections
  readonly texts: string[]
  cut(): void
  opened: number
} {
  const texts: string[] = []
  let lost = (): void => undefined
  const fake = {
    texts,
    opened: 0,
    cut: () => lost(),
    connections: {
      size: 1,
      ready: () => Promise.reject(new Error('unused')),
      async listen() {
        fake.opened += 1
        return {
          async query({ text }: { readonly text: string }) {
            texts.push(text)
            return { rows: [], rowCount: 0 }
          },
          on(event: string, listener: () => void) {
            if (event === 'end') lost = listener
          },
          announcedPid: null,
          end: () => undefined,
        }
      },
      end: async () => undefined,
      cut: () => undefined,
    },
  }
  return fake
}

test.each([[0, 15_000, 100], [1, 12_000, 80]])('P-16: with %d from the source of randomness, the heartbeat is after %d ms, and a retry after %d ms', async (random, heartbeat, retry) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(Math, 'random').mockReturnValue(random)
  onTestFinished(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
  const fake = fakeConnections()
  const notifier = createNotifier(fake.connections, 'channel', async () => '', 60_000)
  const stop = await notifier.follow(() => undefined)
  for (let beats = 1; beats <= 2; beats++) {
    await vi.advanceTimersByTimeAsync(heartbeat - 1)
    expect(fake.texts.filter(text => text === 'SELECT 1')).toHaveLength(beats - 1)
    await vi.advanceTimersByTimeAsync(1)
    expect(fake.texts.filter(text => text === 'SELECT 1')).toHaveLength(beats)
  }
  fake.cut()
  await vi.advanceTimersByTimeAsync(retry - 1)
  expect(fake.opened).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(fake.opened).toBe(2)
  await stop()
})
