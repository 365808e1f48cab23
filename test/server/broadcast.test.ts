import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { createStreamWorld, numbers, settle } from '../support/stream-world.ts'
import type { StreamClient, StreamWorld } from '../support/stream-world.ts'

const MIB = 1_048_576

function connectMany(world: StreamWorld, count: number, from: string | null = null): readonly StreamClient[] {
  return numbers(1, count).map(() => world.connect(from))
}

describe('P-09: many streams', () => {
  test('P-09: 1,000 streams that begin together read the log once, and have one follower', async () => {
    const world = createStreamWorld()
    world.append(20)
    const clients = connectMany(world, 1000)
    await settle()
    expect(clients.every(client => client.isSynced() && client.versions().size === 20)).toBe(true)
    expect(world.reads.filter(({ found }) => found)).toHaveLength(1)
    expect(world.followed).toBe(1)
  })

  test('P-09: one change causes one read of the log for 1,000 streams', async () => {
    const world = createStreamWorld()
    const clients = connectMany(world, 1000)
    await world.advance(100)
    for (const number of numbers(1, 20)) {
      const before = world.reads.length
      world.append()
      await settle()
      expect(clients.every(client => client.versions().has(number))).toBe(true)
      expect(world.reads.length - before).toBe(1)
      await world.advance(100)
    }
  })

  test('P-09: clients that come back together after a restart share their reads, however long the log is', async () => {
    const world = createStreamWorld(10)
    world.append(200)
    world.holds = true
    const clients: StreamClient[] = []
    while (clients.length < 1000) {
      clients.push(world.connect())
      await Promise.resolve()
    }
    while (!clients.every(client => client.isSynced())) {
      for (const read of world.open.splice(0)) read.answer()
      await settle()
    }
    expect(clients.every(client => client.versions().size === 200)).toBe(true)
    // 20 pages, each read by the four reads that may run at once and by those that waited meanwhile.
    expect(world.reads.length).toBeLessThan(20 * 6)
  })

  test('P-09: the reader ends with the last stream, and starts again with the next one', async () => {
    const world = createStreamWorld()
    const [one, two] = [world.connect(), world.connect()]
    await world.advance(100)
    one.stop.abort()
    await world.advance(2000)
    expect(world.followers).toBe(1)
    two.stop.abort()
    await settle()
    expect(world.followers).toBe(0)
    const { length } = world.reads
    world.append()
    await world.advance(60_000)
    expect(world.reads).toHaveLength(length)
    const three = world.connect(one.lastId())
    await settle()
    expect(three.versions()).toEqual(new Set([1]))
    expect(world.followers).toBe(1)
  })

  test('P-09: what streams share does not run in the context of the request that started it', async () => {
    const world = createStreamWorld()
    const context = new AsyncLocalStorage<string>()
    const met: unknown[] = []
    world.onRead = () => met.push(context.getStore())
    const client = context.run('a request', () => world.connect())
    await world.advance(100)
    world.append()
    await world.advance(2000)
    expect(client.versions().size).toBe(1)
    expect(met.length).toBeGreaterThan(3)
    expect(new Set(met)).toEqual(new Set([undefined]))
  })

  test('P-09: one timer sends the heartbeats of all streams, and no two intervals are equal', async () => {
    const world = createStreamWorld()
    const clients = connectMany(world, 1000)
    await world.advance(60_000)
    expect(clients.every(client => client.text.match(/^:$/gm)?.length === 4)).toBe(true)
    const beats = world.delays.filter(delay => delay > 1000)
    expect(beats).toHaveLength(5)
    expect(new Set(beats).size).toBe(5)
    expect(beats.every(delay => delay >= 12_000 && delay <= 15_000)).toBe(true)
    const polls = world.delays.filter(delay => delay > 50 && delay <= 1000)
    expect(new Set(polls).size).toBe(polls.length)
    expect(polls.every(delay => delay >= 800)).toBe(true)
  })

  test('P-09: a burst of changes is read at most 20 times a second', async () => {
    const world = createStreamWorld()
    const client = world.connect()
    await world.advance(100)
    const before = world.reads.length
    for (let tick = 0; tick < 1000; tick++) {
      world.append()
      await world.advance(1)
    }
    expect(world.reads.length - before).toBeLessThanOrEqual(21)
    await world.advance(50)
    expect(client.versions().size).toBe(1000)
  })
})

describe('P-09: a log that cannot be read', () => {
  test('P-09: keeps the streams open, and is read again from the cursor that the reader has', async () => {
    const world = createStreamWorld()
    world.append(3)
    const clients = connectMany(world, 10)
    await world.advance(100)
    const cursor = clients[0]?.lastId()
    world.holds = true
    world.append()
    const failed = world.reads.length
    for (let attempt = 0; attempt < 5; attempt++) {
      await world.advance(1100)
      for (const read of world.open.splice(0)) read.fail()
    }
    expect(world.errors.length).toBeGreaterThan(3)
    expect(world.reads.slice(failed).every(read => read.cursor === cursor)).toBe(true)
    world.holds = false
    await world.advance(1100)
    for (const client of clients) {
      expect(client.stop.signal.aborted).toBe(false)
      expect(client.text.match(/"version":\d+/g)).toEqual([1, 2, 3, 4].map(number => `"version":${number}`))
    }
  })

  test('P-09: does not end a stream that begins meanwhile, and causes one error per attempt', async () => {
    const world = createStreamWorld()
    world.append()
    world.holds = true
    const clients = connectMany(world, 1000)
    await settle()
    for (const read of world.open.splice(0)) read.fail()
    await settle()
    expect(world.errors).toHaveLength(1)
    world.holds = false
    await world.advance(1000)
    expect(clients.every(client => client.isSynced() && client.versions().size === 1)).toBe(true)
  })
})

describe('P-09: a client that does not read', () => {
  test('P-09: holds up no other, is ended beyond 1 MiB, and continues with its last id', async () => {
    const world = createStreamWorld()
    const [slow, other] = [world.connect(), world.connect()]
    world.append()
    await world.advance(100)
    slow.isReading = false
    let most = 0
    for (let page = 0; page < 40; page++) {
      world.append(10, 'x'.repeat(5000))
      await world.advance(100)
      most = Math.max(most, slow.writableLength)
      expect(other.versions().size).toBe(world.size())
    }
    expect(slow.destroyed).toBe(true)
    expect(most).toBeGreaterThan(MIB)
    expect(most).toBeLessThan(MIB + 60_000)
    const again = world.connect(slow.lastId())
    await settle()
    expect(slow.versions().size).toBe(1)
    expect(again.versions()).toEqual(new Set(numbers(2, world.size())))
  })

  test('P-09: gets its backlog page by page, as it reads', async () => {
    const world = createStreamWorld(10)
    world.append(1000, 'x'.repeat(5000))
    const client = world.connect()
    client.isReading = false
    await world.advance(60_000)
    expect(client.writableLength).toBeLessThan(60_000)
    expect(client.destroyed).toBe(false)
    // It reads more slowly than changes come, for a while.
    for (let page = 0; page < 300 && !client.isSynced(); page++) {
      client.read()
      client.isReading = page > 150
      if (page < 100) world.append(5, 'x'.repeat(5000))
      await world.advance(100)
    }
    expect(client.versions().size).toBe(1500)
    expect(client.brokenPromises()).toEqual([])
  })
})
