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

test('the first call waits for the store, further calls do not', async () => {
  const world = createWorld(5 * MINUTE)
  const first = world.time.now()
  expect(first).toBeInstanceOf(Promise)
  expect(await Promise.all([first, world.time.now()])).toEqual([world.machine + 5 * MINUTE, world.machine + 5 * MINUTE])
  expect(world.time.now()).toBe(world.machine + 5 * MINUTE)
  expect(world.calls).toBe(1)
})

test('reads the store\'s clock once at a time, and not within five seconds after a response', async () => {
  const world = createWorld(0)
  await Promise.all([world.time.sync(), world.time.sync()])
  world.machine += 4_999
  await world.time.sync()
  expect(world.calls).toBe(1)
  world.machine += 1
  await world.time.sync()
  expect(world.calls).toBe(2)
})

test('a change of the machine\'s clock is noticed at the next reading', async () => {
  const world = createWorld(5 * MINUTE)
  await world.time.sync()
  Object.assign(world, { machine: world.machine + 5 * MINUTE, ahead: 0 })
  await world.time.sync()
  expect(world.time.clock()).toBe(world.machine)
})

test('a store that uses this machine\'s clock is read once', async () => {
  const world = createWorld(null)
  expect(await world.time.now()).toBe(world.machine)
  world.machine += 10 * MINUTE
  await world.time.sync()
  expect([world.calls, world.time.offset()]).toEqual([1, 0])
})

test('a failure is reported and fails no call; the offset stays, and requests do not wait for further attempts', async () => {
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
  // Reading the keys or starting the feed calls `sync` at once, because the store may be available again.
  never.down = false
  await never.time.sync()
  expect(never.time.clock()).toBe(never.machine + 5 * MINUTE)
})

test('a store whose clock is hours off is reported, and its clock is not adopted', async () => {
  const world = createWorld(5 * MINUTE)
  await world.time.sync()
  world.machine += MINUTE
  world.ahead = -120 * MINUTE
  await world.time.sync()
  expect(world.time.offset()).toBe(5 * MINUTE)
  expect(world.errors.map(String)).toEqual([expect.stringContaining('7200 s ahead of the store\'s')])
})

test('a clock of the application is used without correction, in whole milliseconds', () => {
  const time = createGivenClock(() => 1000.75)
  expect(time.clock()).toBe(1000)
  expect(time.now()).toBe(1000)
})
