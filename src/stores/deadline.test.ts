import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDeadline } from './deadline.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const never = new Promise<never>(() => undefined)
const late = 'the test database did not answer within 100 ms'

/** The outcome of a promise, as far as it is known. */
function watch(promise: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'pending' }
  promise.then(value => watched.outcome = value, (error: unknown) => {
    watched.outcome = error instanceof Error ? error.message : error
  })
  return watched
}

test('work that ends before the deadline resolves or rejects as it would alone', async () => {
  const within = createDeadline(100, 'the test database')
  const reason = new Error('refused')
  await expect(within(Promise.resolve('done'))).resolves.toBe('done')
  await expect(within(Promise.reject(reason))).rejects.toBe(reason)
})

test('work that fails before the deadline rejects with the error that the store makes', async () => {
  const within = createDeadline(100, 'the test database', cause => new Error('translated', { cause }))
  const reason = new Error('secret')
  await expect(within(Promise.reject(reason))).rejects.toMatchObject({ message: 'translated', cause: reason })
})

test('each call has its own deadline, whatever other calls do', async () => {
  const within = createDeadline(100, 'the test database')
  const first = watch(within(never))
  await vi.advanceTimersByTimeAsync(60)
  const second = watch(within(never))
  await within(Promise.resolve())
  await vi.advanceTimersByTimeAsync(39)
  expect(first.outcome).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)
  expect(first.outcome).toBe(late)
  await vi.advanceTimersByTimeAsync(59)
  expect(second.outcome).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)
  expect(second.outcome).toBe(late)
})

test('a call after a long pause has its full time', async () => {
  const within = createDeadline(100, 'the test database')
  await within(Promise.resolve())
  await vi.advanceTimersByTimeAsync(5000)
  const call = watch(within(never))
  await vi.advanceTimersByTimeAsync(99)
  expect(call.outcome).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)
  expect(call.outcome).toBe(late)
})

test('calls that are all answered share one timer, which ends when no call is pending', async () => {
  const within = createDeadline(100, 'the test database')
  for (let call = 0; call < 50; call++) {
    await within(Promise.resolve())
    expect(vi.getTimerCount()).toBe(1)
  }
  await vi.advanceTimersByTimeAsync(100)
  expect(vi.getTimerCount()).toBe(0)
})

test('a time limit works where timers are numbers', async () => {
  const timers: (() => void)[] = []
  vi.stubGlobal('setTimeout', (task: () => void) => timers.push(task))
  try {
    const call = watch(createDeadline(0, 'the test database')(never))
    expect(timers).toHaveLength(1)
    timers[0]?.()
    await Promise.resolve()
    expect(call.outcome).toBe('the test database did not answer within 0 ms')
  } finally {
    vi.unstubAllGlobals()
  }
})
