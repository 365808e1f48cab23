import { expect, onTestFinished, test, vi } from 'vitest'
import { createConnectionLender } from './lender.ts'
import type { ConnectionLender } from './lender.ts'

const refusal = new Error('too many connections')
const endOfTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A pool that keeps what was returned, on a server that allows this many connections. */
function createPool(allowed: number, size = Number.POSITIVE_INFINITY): {
  readonly pool: { allowed: number; idle: number; open: number; asked: number }
  readonly lender: ConnectionLender
  take(): Promise<void>
  giveBack(): void
} {
  const pool = { allowed, idle: 0, open: 0, asked: 0 }
  const lender = createConnectionLender(error => error === refusal, size)
  const connect = async (): Promise<void> => {
    if (pool.idle > 0) {
      pool.idle -= 1
      return
    }
    pool.asked += 1
    await endOfTick()
    if (pool.open >= pool.allowed) throw refusal
    pool.open += 1
  }
  return {
    pool,
    lender,
    take: () => lender.take(connect),
    giveBack() {
      pool.idle += 1
      lender.returned()
    },
  }
}

test('P-08: calls that the server refuses a connection get those that are returned, in their order', async () => {
  const { pool, take, giveBack } = createPool(3)
  const got: number[] = []
  const calls = Array.from({ length: 20 }, (_, number) => take().then(() => got.push(number)))
  while (got.length < 20) {
    await endOfTick()
    if (got.length >= 3) giveBack()
  }
  await Promise.all(calls)
  expect(pool.open).toBe(3)
  expect(got.slice(0, 3)).toEqual([0, 1, 2])
})

test('P-08: after a refusal, further calls do not ask the server for more', async () => {
  const { pool, take, giveBack } = createPool(2)
  await Promise.all([take(), take()])
  const waiting = take()
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  const { asked } = pool
  const others = Array.from({ length: 50 }, take)
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  expect(pool.asked).toBe(asked)
  giveBack()
  await waiting
  for (let rest = 0; rest < 50; rest++) {
    giveBack()
    await endOfTick()
  }
  await Promise.all(others)
  expect(pool.asked).toBe(asked)
})

test('P-08: the server is never asked for more connections than the pool has, however many calls wait', async () => {
  const { pool, take, giveBack } = createPool(3, 10)
  const calls = Array.from({ length: 300 }, take)
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  expect([pool.open, pool.asked]).toEqual([3, 10])
  for (let call = 0; call < 300; call++) {
    giveBack()
    await endOfTick()
  }
  await Promise.all(calls)
  expect(pool.asked).toBe(10)
})

test('P-08: without a connection to wait for, each call gets the error, and a later one works', async () => {
  const { pool, take } = createPool(0)
  const settled = await Promise.allSettled(Array.from({ length: 5 }, take))
  expect(settled).toEqual(Array.from({ length: 5 }, () => ({ status: 'rejected', reason: refusal })))
  pool.allowed = 1
  await take()
})

test('P-08: a connection that is returned while another one is refused is used', async () => {
  const { pool, take, giveBack } = createPool(1)
  await take()
  const second = take()
  while (pool.asked < 2) await Promise.resolve()
  giveBack()
  await second
  expect(pool.open).toBe(1)
})

test('P-08: calls go on with what is returned while the server leaves a question unanswered', async () => {
  const lender = createConnectionLender(error => error === refusal, 10)
  await lender.take(async () => undefined)
  const unanswered = lender.take(() => new Promise(() => undefined))
  const refused = lender.take(async () => {
    await endOfTick()
    if (isRefusing) throw refusal
  })
  let isRefusing = true
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  isRefusing = false
  lender.returned()
  await refused
  expect(await Promise.race([unanswered.then(() => 'answered'), Promise.resolve('unanswered')])).toBe('unanswered')
})

test('P-08: a second after a refusal one more is tried, by the call that waits longest', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { pool, take, giveBack } = createPool(2)
  await Promise.all([take(), take()])
  const got: string[] = []
  const calls = ['first', 'second'].map(name => take().then(() => got.push(name)))
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  pool.allowed = 3
  vi.advanceTimersByTime(1000)
  calls.push(take().then(() => got.push('third')))
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  expect([got, pool.open]).toEqual([[], 2])
  giveBack()
  for (let tick = 0; tick < 5; tick++) await endOfTick()
  expect([got, pool.open]).toEqual([['first', 'second'], 3])
  giveBack()
  await Promise.all(calls)
})

test('another error than a refusal is thrown at once', async () => {
  const lender = createConnectionLender(error => error === refusal, 10)
  await lender.take(async () => undefined)
  await expect(lender.take(() => Promise.reject(new Error('no route')))).rejects.toThrow('no route')
})
