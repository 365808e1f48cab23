import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, onTestFinished, test, vi } from 'vitest'
import { batch } from './batch.ts'

const endOfTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function recorder() {
  const done: (readonly number[])[] = []
  const answer = (input: number) => ({ input })
  const batched = batch(
    async (input: number) => {
      done.push([input])
      return answer(input)
    },
    async inputs => {
      done.push(inputs)
      if (inputs.includes(13)) throw new Error('the disk is full')
      return inputs.filter(input => input !== 404).map(answer)
    })
  return { done, ...batched }
}

test('a call that is not batched runs at once', async () => {
  const { call, done } = recorder()
  const answer = call(1)
  expect(done).toEqual([[1]])
  expect(await answer).toEqual({ input: 1 })
  await endOfTick()
  void call(2)
  expect(done).toEqual([[1], [2]])
})

test('the other calls of a tick run together when it ends, each with its own result', async () => {
  const { call, done } = recorder()
  const answers = Promise.all([call(1), call(2), call(3)])
  expect(done).toEqual([[1]])
  expect(await answers).toEqual([{ input: 1 }, { input: 2 }, { input: 3 }])
  expect(done).toEqual([[1], [2, 3]])
})

test('if one call is left at the end of the tick, it runs as a single call', async () => {
  const { call, done } = recorder()
  expect(await Promise.all([call(1), call(2)])).toEqual([{ input: 1 }, { input: 2 }])
  expect(done).toEqual([[1], [2]])
})

test('at most 64 calls run together, and a full batch does not wait for the end of the tick', async () => {
  const { call, done } = recorder()
  const numbers = Array.from({ length: 130 }, (_, index) => 1000 + index)
  const answers = Promise.all(numbers.map(call))
  expect(done.map(inputs => inputs.length)).toEqual([1, 64, 64])
  expect(await answers).toEqual(numbers.map(input => ({ input })))
  expect(done.map(inputs => inputs.length)).toEqual([1, 64, 64, 1])
  expect(done.flat()).toEqual(numbers)
})

test('after a batch of several, calls wait for others, until a batch has one call only', async () => {
  const { call, done } = recorder()
  await Promise.all([call(1), call(2), call(3)])
  const second = Promise.all([call(4), call(5), call(6)])
  expect(done).toEqual([[1], [2, 3]])
  await second
  expect(done).toEqual([[1], [2, 3], [4, 5, 6]])
  const third = call(7)
  expect(done).toHaveLength(3)
  await third
  await endOfTick()
  void call(8)
  expect(done).toEqual([[1], [2, 3], [4, 5, 6], [7], [8]])
})

test('calls that follow each other without a pause let timers run', async () => {
  const { call } = batch(async (input: number) => ({ input }), async inputs => inputs.map(input => ({ input })))
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  // Calls are counted, not time: on a busy machine a process may not run at all for a while.
  for (let calls = 0; ticks < 3 && calls < 1_000_000; calls++) await call(1)
  clearInterval(timer)
  expect(ticks).toBe(3)
})

test('a call after a failed call or a failed batch works', async () => {
  const { call, done } = recorder()
  const refuse = batch<number, null>(() => Promise.reject(new Error('no')), () => Promise.reject(new Error('no')))
  for (let round = 0; round < 3; round++) {
    expect(await Promise.allSettled([refuse.call(1), refuse.call(2), refuse.call(3)]))
      .toMatchObject([1, 2, 3].map(() => ({ status: 'rejected' })))
  }
  await refuse.settled()
  await Promise.allSettled([call(1), call(13), call(3)])
  await call(4)
  await endOfTick()
  void call(5)
  expect(done.at(-1)).toEqual([5])
})

test('an error that is thrown synchronously fails that call', async () => {
  const { call } = batch<number, null>(
    input => {
      if (input === 2) throw new Error('at once')
      return Promise.resolve(null)
    },
    () => { throw new Error('all at once') })
  expect(await Promise.allSettled([call(1), call(2)])).toMatchObject([{}, { reason: { message: 'at once' } }])
  const settled = await Promise.allSettled([call(3), call(4), call(5)])
  const together = { reason: { message: 'all at once' } }
  expect(settled).toMatchObject([{}, together, together])
})

test('settled waits for the result of every call, also where results are promises', async () => {
  const order: string[] = []
  const { call, settled } = batch(
    async (input: number) => ({ input }),
    async inputs => inputs.map(async input => {
      await endOfTick()
      return { input }
    }))
  await settled()
  const calls = [call(1), call(2), call(3)].map(answer => answer.then(({ input }) => order.push(`${input}`)))
  await settled()
  order.push('settled')
  await Promise.all(calls)
  expect(order).toEqual(['1', '2', '3', 'settled'])
})

test('a call that begins while another is in progress waits for the end of its tick only', async () => {
  const done: (readonly number[])[] = []
  const { call } = batch(
    (input: number) => {
      done.push([input])
      return new Promise<never>(() => undefined)
    },
    async inputs => {
      done.push(inputs)
      return inputs.map(input => ({ input }))
    })
  void call(1)
  await endOfTick()
  const answers = Promise.all([call(2), call(3)])
  expect(done).toEqual([[1]])
  expect(await answers).toEqual([{ input: 2 }, { input: 3 }])
  void call(4)
  await endOfTick()
  expect(done).toEqual([[1], [2, 3], [4]])
})

test('a result may be a promise, which fails for its call alone', async () => {
  const { call } = batch(
    async (input: number) => ({ input }),
    async inputs => inputs.map(async input => {
      if (input === 2) throw new Error('no such session')
      return { input }
    }))
  const settled = await Promise.allSettled([call(1), call(2), call(3)])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('each call of a failed batch fails, and the next tick works again', async () => {
  const { call } = recorder()
  const settled = await Promise.allSettled([call(1), call(13), call(3)])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(await Promise.all([call(4), call(5), call(6)])).toEqual([{ input: 4 }, { input: 5 }, { input: 6 }])
})

test('REV-11: a call without a result is an error, never "no session"', async () => {
  const { call } = recorder()
  const settled = await Promise.allSettled([call(1), call(2), call(404)])
  expect(settled[2]).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
})

test('settled starts waiting calls at once', async () => {
  const { call, done, settled } = recorder()
  const answers = Promise.all([call(1), call(2), call(3)])
  void settled()
  expect(done).toEqual([[1], [2, 3]])
  await answers
  await endOfTick()
  expect(done).toEqual([[1], [2, 3]])
})

test('P-10: where batches run one at a time, calls of later ticks join the next one, in order', async () => {
  const done: (readonly number[])[] = []
  const pending: (() => void)[] = []
  const work = async (inputs: readonly number[]): Promise<{ input: number }[]> => {
    done.push(inputs)
    await new Promise<void>(resolve => pending.push(resolve))
    return inputs.map(input => ({ input }))
  }
  const { call, settled } = batch(
    async (input: number) => (await work([input]))[0] ?? { input: 0 }, work, 4, 1)
  const answers: Promise<{ input: number }>[] = []
  for (let number = 0; number < 7; number++) {
    answers.push(call(number))
    await endOfTick()
  }
  expect(done).toEqual([[0]])
  pending.shift()?.()
  await answers[0]
  await endOfTick()
  expect(done).toEqual([[0], [1, 2, 3, 4]])
  pending.shift()?.()
  await answers[1]
  await endOfTick()
  expect(done).toEqual([[0], [1, 2, 3, 4], [5, 6]])
  answers.push(call(7))
  const closing = settled()
  await Promise.resolve()
  expect(done.at(-1), 'settled does not wait for the batch in progress').toEqual([7])
  for (const resolve of pending) resolve()
  await closing
  expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(input => ({ input })))
})

test('P-10: a batch that hangs delays the calls behind it by a tenth of a second', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const done: (readonly number[])[] = []
  const { call } = batch(
    (input: number) => {
      done.push([input])
      return input === 1 ? new Promise<never>(() => undefined) : Promise.resolve({ input })
    },
    async inputs => {
      done.push(inputs)
      return inputs.map(input => ({ input }))
    }, 2, 1)
  void call(1)
  await endOfTick()
  const answers = Promise.all([2, 3, 4, 5, 6].map(call))
  await endOfTick()
  vi.advanceTimersByTime(99)
  expect(done).toEqual([[1]])
  vi.advanceTimersByTime(1)
  await Promise.resolve()
  expect(done).toEqual([[1], [2, 3], [4, 5], [6]])
  expect(await answers).toHaveLength(5)
})

test('L-31: calls of several requests run outside of any, and a call that runs alone in its own', async () => {
  const requests = new AsyncLocalStorage<number>()
  const ran: (readonly [inputs: readonly number[], request: number | undefined])[] = []
  const { call } = batch(
    async (input: number) => {
      ran.push([[input], requests.getStore()])
      return { input }
    },
    async inputs => {
      ran.push([inputs, requests.getStore()])
      return inputs.map(input => ({ input }))
    }, 2)
  const answers = [1, 2, 3, 4].map(request => requests.run(request, () => call(request)))
  await Promise.all(answers)
  expect(ran).toEqual([[[1], 1], [[2, 3], undefined], [[4], 4]])
})
