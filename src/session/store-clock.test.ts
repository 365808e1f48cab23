import { expect, test } from 'vitest'
import { createGivenClock, createStoreClock } from './store-clock.ts'

const MINUTE = 60_000

/** A machine whose clock is wrong, and a store that can be down. */
function createWorld(ahead: number | null) {
  const world = {
    machine: 1_700_000_000_000,
    ahead,
    down: false,
    calls: 0,
    errors: [] as unknown[],
  }
  const time = createStoreClock({
    store: {
      async time() {
        world.calls++
        if (world.down) throw new Error('connection refused')
        return world.ahead === null ? null : world.machine + world.ahead
      },
    },
    clock: () => world.machine,
    onError: error => world.errors.push(error),
  })
  return Object.assign(world, { time })
}

test('the first who wants to know waits for the store, the next do not', async () => {
  const world = createWorld(5 * MINUTE)
  const first = world.time.now()
  expect(first).toBeInstanceOf(Promise)
  expect(await Promise.all([first, world.time.now()])).toEqual([world.machine + 5 * MINUTE, world.machine + 5 * MINUTE])
  expect(world.time.now()).toBe(world.machine + 5 * MINUTE)
  expect(world.calls).toBe(1)
})

test('one question at a time, and none for five seconds after an answer', async () => {
  const world = createWorld(0)
  await Promise.all([world.time.sync(), world.time.sync()])
  world.machine += 4_999
  await world.time.sync()
  expect(world.calls).toBe(1)
  world.machine += 1
  await world.time.sync()
  expect(world.calls).toBe(2)
})

test('a machine whose clock was set right is heard of at the next question', async () => {
  const world = createWorld(5 * MINUTE)
  await world.time.sync()
  Object.assign(world, { machine: world.machine + 5 * MINUTE, ahead: 0 })
  await world.time.sync()
  expect(world.time.clock()).toBe(world.machine)
})

test('a store that runs by this machine\'s clock is asked once', async () => {
  const world = createWorld(null)
  expect(await world.time.now()).toBe(world.machine)
  world.machine += 10 * MINUTE
  await world.time.sync()
  expect([world.calls, world.time.offset()]).toEqual([1, 0])
})

test('a failure is told of and fails nobody; the offset stays, and requests do not wait for each further try', async () => {
  const world = createWorld(5 * MINUTE)
  await world.time.sync()
  world.machine += MINUTE
  world.down = true
  await world.time.sync()
  expect(world.errors).toHaveLength(1)
  expect(world.time.now()).toBe(world.machine + 5 * MINUTE)

  const never = createWorld(5 * MINUTE)
  never.down = true
  expect(await never.time.now()).toBe(never.machine)
  expect(never.time.now()).toBe(never.machine)
  expect(never.calls).toBe(1)
  // Whoever reads the keys, or starts the feed, asks again at once: the store may be back.
  never.down = false
  await never.time.sync()
  expect(never.time.clock()).toBe(never.machine + 5 * MINUTE)
})

test('a store that is hours away is told of, and not followed', async () => {
  const world = createWorld(5 * MINUTE)
  await world.time.sync()
  world.machine += MINUTE
  world.ahead = -120 * MINUTE
  await world.time.sync()
  expect(world.time.offset()).toBe(5 * MINUTE)
  expect(world.errors.map(String)).toEqual([expect.stringContaining('7200 s ahead of the store\'s')])
})

test('a clock of the application\'s own is taken at its word, in whole milliseconds', () => {
  const time = createGivenClock(() => 1000.75)
  expect(time.clock()).toBe(1000)
  expect(time.now()).toBe(1000)
})
