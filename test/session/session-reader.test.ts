import { expect, test } from 'vitest'
import { isolateHost, longLivedHost } from '../../src/base/host.ts'
import type { Host } from '../../src/base/host.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import { createSessionReader } from '../../src/session/session-reader.ts'
import { sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import { settle } from '../support/test-core.ts'

const handle = sampleHandle(1)
const record = sampleRecord({ handle })
const isolate = isolateHost(() => undefined)

interface Task {
  readonly run: () => void
  readonly at: number
}

/** A reader, and a store that answers, fails, or is silent until the test answers in its place. */
function createWorld(host: Host = longLivedHost) {
  const world = {
    now: 0,
    store: 'up' as 'up' | 'down' | 'silent',
    asked: 0,
    tasks: [] as Task[],
    answers: [] as ((record: SessionRecord | null) => void)[],
  }
  const reader = createSessionReader({
    host,
    clock: () => world.now,
    schedule(run, delay) {
      const task = { run, at: world.now + delay }
      world.tasks.push(task)
      return () => void (world.tasks = world.tasks.filter(each => each !== task))
    },
    store: {
      async find() {
        world.asked += 1
        if (world.store === 'down') throw new Error('connection refused')
        return world.store === 'up' ? record : new Promise(resolve => void world.answers.push(resolve))
      },
    },
  })
  const outcome = async (): Promise<string> => reader.read(handle).then(
    found => (found === record ? 'found' : 'none'),
    (error: unknown) => (error instanceof Error ? error.message : ''),
  )
  return Object.assign(world, {
    reader,
    outcome,
    async elapse(time: number) {
      world.now += time
      const due = world.tasks.filter(({ at }) => at <= world.now)
      world.tasks = world.tasks.filter(task => !due.includes(task))
      for (const { run } of due) run()
      await settle()
    },
  })
}

test('reads at the same time share one call, and leave nothing behind', async () => {
  const world = createWorld()
  expect(await Promise.all([world.outcome(), world.outcome()])).toEqual(['found', 'found'])
  expect([world.asked, world.tasks.length]).toEqual([1, 0])
  expect([await world.outcome(), world.asked]).toEqual(['found', 2])
})

test('EDGE-01: in an isolate every read is a call of its own', async () => {
  const world = createWorld(isolate)
  expect(await Promise.all([world.outcome(), world.outcome()])).toEqual(['found', 'found'])
  expect(world.asked).toBe(2)
})

test('readAnew waits for the read that runs, and all its callers share the next one', async () => {
  const world = createWorld()
  world.store = 'silent'
  const old = world.outcome()
  const anew = [world.reader.readAnew(handle), world.reader.readAnew(handle)]
  await settle()
  expect(world.asked).toBe(1)
  world.answers[0]?.(record)
  expect(await old).toBe('found')
  await settle()
  expect(world.asked).toBe(2)
  world.answers[1]?.(null)
  expect(await Promise.all(anew)).toEqual([null, null])
  // Without a read that runs, it is the first of a new one.
  world.store = 'up'
  expect([await world.reader.readAnew(handle), world.asked]).toEqual([record, 3])
})

test('readAnew reads also if the read before it fails', async () => {
  const world = createWorld()
  world.store = 'down'
  const failed = world.outcome()
  const anew = world.reader.readAnew(handle)
  world.store = 'up'
  expect([await failed, await anew, world.asked]).toEqual(['connection refused', record, 2])
})

test.each([['on a server', longLivedHost], ['in an isolate', isolate]])(
  'P-04: a silent store is waited for one second, then not asked for three, then by one read (%s)',
  async (_, host) => {
    const world = createWorld(host)
    world.store = 'silent'
    const first = world.outcome()
    await world.elapse(999)
    expect(world.tasks.length).toBeGreaterThan(0)
    await world.elapse(1)
    expect(await first).toBe('the store did not answer within 1000 ms')
    expect([await world.outcome(), world.asked]).toEqual(['the store failed a moment ago', 1])
    await world.elapse(2_999)
    expect([await world.outcome(), world.asked]).toEqual(['the store failed a moment ago', 1])
    await world.elapse(1)
    const trial = world.outcome()
    await settle()
    // Only one read tries the store; the others fail at once.
    const other = await createOther(world)
    expect([other, world.asked]).toEqual(['the store failed a moment ago', 2])
    world.answers[1]?.(record)
    expect(await trial).toBe('found')
    world.store = 'up'
    expect([await world.outcome(), world.asked]).toEqual(['found', 3])
    // Nothing that was scheduled for the pause matters any more.
    await world.elapse(5_000)
    expect(await world.outcome()).toBe('found')
  })

/** The read of another session, while one tries the store. */
async function createOther({ reader }: ReturnType<typeof createWorld>): Promise<string> {
  return reader.read(sampleHandle(2)).then(() => 'found', (error: unknown) => String(Object(error).message))
}

test('P-04: three failures in a row begin a pause, two do not', async () => {
  const world = createWorld()
  world.store = 'down'
  expect([await world.outcome(), await world.outcome()]).toEqual(['connection refused', 'connection refused'])
  world.store = 'up'
  expect(await world.outcome()).toBe('found')
  world.store = 'down'
  for (const _ of [1, 2, 3]) expect(await world.outcome()).toBe('connection refused')
  expect([await world.outcome(), world.asked]).toEqual(['the store failed a moment ago', 6])
  // The read that tries it fails as well: another pause.
  await world.elapse(3_000)
  expect([await world.outcome(), await world.outcome(), world.asked])
    .toEqual(['connection refused', 'the store failed a moment ago', 7])
})

test('in an isolate a clock that was set back ends the pause', async () => {
  const world = createWorld(isolate)
  world.store = 'down'
  for (const _ of [1, 2, 3]) await world.outcome()
  expect(await world.outcome()).toBe('the store failed a moment ago')
  world.store = 'up'
  world.now -= 3_000
  expect(await world.outcome()).toBe('found')
})
