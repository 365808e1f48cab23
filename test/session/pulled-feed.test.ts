import { expect, test } from 'vitest'
import { isolateHost } from '../../src/base/host.ts'
import { createPolicy } from '../../src/session/policy.ts'
import { createPulledFeed } from '../../src/session/pulled-feed.ts'
import type { Change } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { sampleHandle } from '../../src/testing/samples.ts'
import { SECOND, settle } from '../support/test-core.ts'

const start = 1_700_000_000_000
const pageSize = 2

interface Task {
  readonly run: () => void
  readonly delay: number
}

/** An isolate, and a change log that can fail, be silent, or correct the isolate's clock while it is read. */
function createWorld() {
  const host = isolateHost(work => void world.kept.push(work))
  const world = {
    now: start,
    offset: 0,
    log: [] as Change[],
    store: 'up' as 'up' | 'down' | 'silent',
    onRead: (): void => undefined,
    reads: 0,
    synced: 0,
    errors: [] as unknown[],
    kept: [] as Promise<unknown>[],
    tasks: [] as Task[],
    /** Ends the reads of a silent store. */
    answer: (): void => undefined,
  }
  const feed = createPulledFeed({
    host,
    policy: createPolicy({ maxStaleness: 5 }, host),
    time: {
      clock: () => world.now,
      offset: () => world.offset,
      sync: async () => void (world.synced += 1),
    },
    schedule(run, delay) {
      const task = { run, delay }
      world.tasks.push(task)
      return () => void (world.tasks = world.tasks.filter(each => each !== task))
    },
    store: {
      ...createMemoryStore(),
      async changesSince(cursor) {
        world.reads += 1
        world.onRead()
        if (world.store === 'down') throw new Error('connection refused')
        if (world.store === 'silent') await new Promise<void>(resolve => void (world.answer = resolve))
        const from = Number(cursor ?? 0)
        const changes = world.log.slice(from, from + pageSize)
        const end = from + changes.length
        return { changes, cursor: `${end}`, more: end < world.log.length }
      },
    },
    onKeysChanged: async () => undefined,
    onError: error => world.errors.push(error),
  })
  return Object.assign(world, {
    feed,
    revoke: (number: number) => (
      void world.log.push({ kind: 'revoked', handles: [sampleHandle(number)], until: start + 3_600_000 })
    ),
    /** Runs the tasks that wait no longer than this. */
    async elapse(delay: number) {
      world.now += delay
      const due = world.tasks.filter(task => task.delay <= delay)
      world.tasks = world.tasks.filter(task => !due.includes(task))
      for (const task of due) task.run()
      await settle()
    },
  })
}

const MINUTE = 60 * SECOND
const handle = sampleHandle(1)

test('EDGE-02: an isolate that was idle for longer than maxStaleness reads the log before it answers', async () => {
  const world = createWorld()
  const { feed } = world
  await feed.start()
  expect([feed.isFresh(world.now), world.synced]).toEqual([true, 1])
  world.revoke(1)
  world.now += 5 * SECOND + 1
  expect([feed.isFresh(world.now), world.reads]).toEqual([false, 1])
  await feed.catchUp()
  expect([feed.isFresh(world.now), feed.isRevoked(handle), feed.isRevoked(sampleHandle(2))]).toEqual([true, true, false])
})

test('EDGE-02: a list older than pollInterval answers, and one read begins, which the platform keeps', async () => {
  const world = createWorld()
  const { feed } = world
  await feed.start()
  const reads = (): number => world.reads - 1
  world.revoke(1)
  world.now += 2_500
  world.kept.length = 0
  expect([feed.isFresh(world.now), reads(), world.kept.length]).toEqual([true, 0, 0])
  world.now += 1
  world.store = 'silent'
  expect([feed.isFresh(world.now), feed.isFresh(world.now), reads()]).toEqual([true, true, 1])
  expect(world.kept.length).toBeGreaterThan(0)
  world.answer()
  await Promise.all(world.kept)
  expect(feed.isRevoked(handle)).toBe(true)
  // A caller that finds a current list does not wait for the store.
  await feed.catchUp()
  expect(reads()).toBe(1)
})

test('EDGE-02: after a failure nothing is read for one pollInterval, and the list ages', async () => {
  const world = createWorld()
  const { feed } = world
  world.store = 'down'
  await feed.start()
  expect(world.errors).toHaveLength(1)
  expect(feed.status()).toMatchObject({ state: 'following', readAt: null, failure: new Error('connection refused') })
  world.store = 'up'
  world.now += 2_499
  await feed.catchUp()
  expect([world.reads, feed.isFresh(world.now)]).toEqual([1, false])
  world.now += 1
  await feed.catchUp()
  expect([world.reads, feed.isFresh(world.now)]).toEqual([2, true])
  expect(feed.status()).toEqual({ state: 'following', readAt: world.now, failure: null })

  world.store = 'down'
  world.now += 2_501
  feed.isFresh(world.now)
  await settle()
  expect([world.reads, feed.isFresh(world.now), world.reads]).toEqual([3, true, 3])
  // A clock that was set back does not lengthen the pause.
  world.now -= MINUTE
  world.store = 'up'
  await feed.catchUp()
  expect([world.reads, feed.isFresh(world.now)]).toEqual([4, true])
})

test('EDGE-02: a silent store is waited for one second, then not for one pollInterval', async () => {
  const world = createWorld()
  const { feed } = world
  world.store = 'silent'
  let isOver = false
  const first = feed.catchUp().then(() => void (isOver = true))
  await world.elapse(999)
  expect(isOver).toBe(false)
  await world.elapse(1_000)
  await first
  expect(world.errors).toEqual([])
  await feed.catchUp()
  expect(world.reads).toBe(1)
  world.answer()
  await Promise.all(world.kept)
  expect(feed.status().readAt).toBe(start)
})

test('a log of several pages is read to its end, with other work in between', async () => {
  const world = createWorld()
  for (let number = 1; number <= 3; number++) world.revoke(number)
  const started = world.feed.start()
  await settle()
  expect([world.reads, world.tasks.filter(({ delay }) => delay === 0).length]).toEqual([1, 1])
  expect(world.feed.isRevoked(sampleHandle(3))).toBe(false)
  await world.elapse(0)
  await started
  expect([world.reads, world.feed.isRevoked(sampleHandle(3)), world.feed.isFresh(world.now)]).toEqual([2, true, true])
})

test('L-33: close waits for the read that is running, which ends after its page', async () => {
  const world = createWorld()
  const { feed } = world
  for (let number = 1; number <= 3; number++) world.revoke(number)
  void feed.start()
  await settle()
  let isClosed = false
  const closed = feed.close().then(() => void (isClosed = true))
  await settle()
  expect(isClosed).toBe(false)
  await world.elapse(0)
  await closed
  expect([world.reads, feed.status()]).toEqual([1, { state: 'stopped', readAt: null, failure: null }])

  // Whatever is asked later starts no further read.
  await feed.catchUp()
  feed.isFresh(world.now)
  await feed.close()
  expect(world.reads).toBe(1)
})

test('a list that is current when the feed closes still answers, and starts no read', async () => {
  const world = createWorld()
  await world.feed.start()
  await world.feed.close()
  expect([world.feed.status().state, world.reads]).toEqual(['stopped', 1])
  world.now += 5 * SECOND
  expect([world.feed.isFresh(world.now), world.reads]).toEqual([true, 1])
  expect(world.feed.isFresh(world.now + 1)).toBe(false)
})

test('a read during which the clock was corrected does not count, and is made again', async () => {
  const world = createWorld()
  world.onRead = () => void (world.offset = 1)
  await world.feed.start()
  expect([world.reads, world.feed.isFresh(world.now)]).toEqual([2, true])

  // One that failed is left to the next caller.
  world.now += MINUTE
  world.store = 'down'
  world.onRead = () => void (world.offset = 2)
  await world.feed.catchUp()
  expect(world.reads).toBe(3)
})

test('EDGE-02: a listener is called for what the log says, as long as it is registered', async () => {
  const world = createWorld()
  const { feed } = world
  await feed.start()
  const heard: number[] = []
  const listen = (number: number): () => void => feed.onRevoked(sampleHandle(number), () => heard.push(number))
  listen(1)
  const stop = listen(2)
  await settle()
  expect(world.reads).toBe(1)
  stop()
  world.revoke(2)
  await world.elapse(2_500)
  expect([world.reads, heard]).toEqual([2, []])
  // The request that has stopped polls no longer; the other one goes on.
  expect(world.tasks.filter(({ delay }) => delay === 2_500)).toHaveLength(1)
  world.revoke(1)
  await world.elapse(2_500)
  expect([world.reads, heard]).toEqual([3, [1]])
  // The log was just read for another reason, so this round needs no read.
  await feed.read()
  world.now -= 2_500
  await world.elapse(2_500)
  expect(world.reads).toBe(4)
  await feed.close()
  await world.elapse(2_500)
  expect([world.reads, world.tasks.length]).toEqual([4, 0])
})

test('a listener for a session that ended before is called, and so are all when every key was replaced', async () => {
  const world = createWorld()
  const { feed } = world
  world.revoke(1)
  const heard: string[] = []
  feed.onRevoked(handle, () => heard.push('ended before'))
  feed.onRevoked(sampleHandle(2), () => heard.push('all'))
  await settle()
  await settle()
  expect(heard).toEqual(['ended before'])
  feed.endAll()
  await settle()
  expect(heard).toEqual(['ended before', 'all'])
})

test('what this isolate changes itself is known at once', async () => {
  const { feed } = createWorld()
  feed.applyLocally({ kind: 'payload', handle, version: 3, until: start + MINUTE })
  feed.applyLocally({ kind: 'revoked', handles: [handle], until: start + MINUTE })
  expect([feed.payloadVersion(handle), feed.isRevoked(handle)]).toEqual([3, true])
})

test('the feed is stopped before its first read, and asleep when nothing has asked it for maxStaleness', async () => {
  const world = createWorld()
  const { feed } = world
  expect(feed.status()).toEqual({ state: 'stopped', readAt: null, failure: null })
  await feed.start()
  expect(feed.status()).toEqual({ state: 'following', readAt: start, failure: null })
  world.now += 5 * SECOND + 1
  expect(feed.status().state).toBe('asleep')
  world.store = 'down'
  await feed.catchUp()
  expect(feed.status().state).toBe('following')
})
