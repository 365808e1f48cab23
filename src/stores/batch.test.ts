import { expect, test } from 'vitest'
import { batch } from './batch.ts'

const endOfTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function recorder() {
  const done: (readonly number[])[] = []
  const answer = (input: number) => ({ input })
  const gathered = batch(
    async (input: number) => {
      done.push([input])
      return answer(input)
    },
    async inputs => {
      done.push(inputs)
      if (inputs.includes(13)) throw new Error('the disk is full')
      return inputs.filter(input => input !== 404).map(answer)
    })
  return { done, ...gathered }
}

test('a lonely call is done at once', async () => {
  const { call, done } = recorder()
  const answer = call(1)
  expect(done).toEqual([[1]])
  expect(await answer).toEqual({ input: 1 })
  await endOfTurn()
  void call(2)
  expect(done).toEqual([[1], [2]])
})

test('the others of a turn are done together when it ends, each with its own answer', async () => {
  const { call, done } = recorder()
  const answers = Promise.all([call(1), call(2), call(3)])
  expect(done).toEqual([[1]])
  expect(await answers).toEqual([{ input: 1 }, { input: 2 }, { input: 3 }])
  expect(done).toEqual([[1], [2, 3]])
})

test('a single one that is left is done as a lonely one', async () => {
  const { call, done } = recorder()
  expect(await Promise.all([call(1), call(2)])).toEqual([{ input: 1 }, { input: 2 }])
  expect(done).toEqual([[1], [2]])
})

test('no more than 64 are done together, and they do not wait for the end of the turn', async () => {
  const { call, done } = recorder()
  const numbers = Array.from({ length: 130 }, (_, index) => 1000 + index)
  const answers = Promise.all(numbers.map(call))
  expect(done.map(inputs => inputs.length)).toEqual([1, 64, 64])
  expect(await answers).toEqual(numbers.map(input => ({ input })))
  expect(done.map(inputs => inputs.length)).toEqual([1, 64, 64, 1])
  expect(done.flat()).toEqual(numbers)
})

test('calls that had company wait for company, until one finds none', async () => {
  const { call, done } = recorder()
  await Promise.all([call(1), call(2), call(3)])
  const second = Promise.all([call(4), call(5), call(6)])
  expect(done).toEqual([[1], [2, 3]])
  await second
  expect(done).toEqual([[1], [2, 3], [4, 5, 6]])
  const third = call(7)
  expect(done).toHaveLength(3)
  await third
  await endOfTurn()
  void call(8)
  expect(done).toEqual([[1], [2, 3], [4, 5, 6], [7], [8]])
})

test('calls that follow each other without a pause let timers run', async () => {
  const { call } = batch(async (input: number) => ({ input }), async inputs => inputs.map(input => ({ input })))
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  // Counted, not timed: on a busy machine a process may not get to run at all for a while.
  for (let calls = 0; ticks < 3 && calls < 1_000_000; calls++) await call(1)
  clearInterval(timer)
  expect(ticks).toBe(3)
})

test('a call after one that failed, or together with one that did, is as good as any', async () => {
  const { call, done } = recorder()
  const refuse = batch<number, null>(() => Promise.reject(new Error('no')), () => Promise.reject(new Error('no')))
  for (let round = 0; round < 3; round++) {
    expect(await Promise.allSettled([refuse.call(1), refuse.call(2), refuse.call(3)]))
      .toMatchObject([1, 2, 3].map(() => ({ status: 'rejected' })))
  }
  await refuse.settled()
  await Promise.allSettled([call(1), call(13), call(3)])
  await call(4)
  await endOfTurn()
  void call(5)
  expect(done.at(-1)).toEqual([5])
})

test('what throws at once, instead of later, is the failure of that call', async () => {
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

test('settled waits for every answer, and for those that come by themselves', async () => {
  const order: string[] = []
  const { call, settled } = batch(
    async (input: number) => ({ input }),
    async inputs => inputs.map(async input => {
      await endOfTurn()
      return { input }
    }))
  await settled()
  const calls = [call(1), call(2), call(3)].map(answer => answer.then(({ input }) => order.push(`${input}`)))
  await settled()
  order.push('settled')
  await Promise.all(calls)
  expect(order).toEqual(['1', '2', '3', 'settled'])
})

test('a call that comes while another is under way waits for the end of its turn only', async () => {
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
  await endOfTurn()
  const answers = Promise.all([call(2), call(3)])
  expect(done).toEqual([[1]])
  expect(await answers).toEqual([{ input: 2 }, { input: 3 }])
  void call(4)
  await endOfTurn()
  expect(done).toEqual([[1], [2, 3], [4]])
})

test('an answer may be a promise of its own, and fail by itself', async () => {
  const { call } = batch(
    async (input: number) => ({ input }),
    async inputs => inputs.map(async input => {
      if (input === 2) throw new Error('no such session')
      return { input }
    }))
  const settled = await Promise.allSettled([call(1), call(2), call(3)])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('what fails together is told to each, and the next turn works again', async () => {
  const { call } = recorder()
  const settled = await Promise.allSettled([call(1), call(13), call(3)])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(await Promise.all([call(4), call(5), call(6)])).toEqual([{ input: 4 }, { input: 5 }, { input: 6 }])
})

test('REV-11: a call without an answer is an error, never "no session"', async () => {
  const { call } = recorder()
  const settled = await Promise.allSettled([call(1), call(2), call(404)])
  expect(settled[2]).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } })
})

test('settled begins at once what waits', async () => {
  const { call, done, settled } = recorder()
  const answers = Promise.all([call(1), call(2), call(3)])
  void settled()
  expect(done).toEqual([[1], [2, 3]])
  await answers
  await endOfTurn()
  expect(done).toEqual([[1], [2, 3]])
})
