import { expect, test } from 'vitest'
import { seededRandom } from '../session/laws/world.ts'
import { createStreamWorld, numbers, sequenceOf, settle } from '../support/stream-world.ts'
import type { StreamClient, StreamWorld } from '../support/stream-world.ts'

test('P-09: no change is lost for a stream whose backlog was read before another started the reader', async () => {
  const world = createStreamWorld()
  world.append(2)
  const past = world.connect()
  await settle()
  past.stop.abort()
  await settle()
  world.holds = true
  const [slow, quick] = [world.connect(), world.connect(past.lastId())]
  await settle()
  const [ofSlow, ofQuick] = world.open
  ofSlow?.look()
  world.append()
  ofQuick?.answer()
  await settle()
  world.holds = false
  ofSlow?.answer()
  for (const read of world.open.splice(2)) read.answer()
  await world.advance(100)
  expect(quick.versions()).toEqual(new Set([3]))
  expect(slow.versions()).toEqual(new Set([1, 2, 3]))
  expect(slow.isSynced()).toBe(true)
})

test.each([1, 30])('P-09: changes that come while a stream reads its last page follow it: %i pages', async pages => {
  const world = createStreamWorld()
  const live = world.connect()
  await world.advance(100)
  world.append()
  await world.advance(100)
  world.holds = true
  const joining = world.connect()
  await settle()
  const [last, ...polls] = world.open.splice(0)
  last?.look()
  for (const poll of polls) poll.answer()
  for (const _ of numbers(1, pages)) {
    world.append(10, 'x'.repeat(5000))
    await world.advance(100)
    for (const read of world.open.splice(0)) read.answer()
    await settle()
  }
  expect(live.versions().size).toBe(world.size())
  expect(joining.versions().size).toBe(0)
  // 30 pages are more than is kept for a stream: it reads on from the store.
  last?.answer()
  await settle()
  expect(joining.isSynced()).toBe(pages === 1)
  for (const read of world.open.splice(0)) read.answer()
  await settle()
  expect(joining.isSynced()).toBe(true)
  expect(joining.versions()).toEqual(new Set(numbers(1, world.size())))
  expect(joining.brokenPromises()).toEqual([])
})

interface Course {
  readonly world: StreamWorld
  readonly clients: readonly StreamClient[]
}

/** A random course of events: reads are slow or fail, clients come, go, pause and come back. */
async function live(seed: number): Promise<Course> {
  const random = seededRandom(seed)
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)]
  const world = createStreamWorld(3, seed)
  const clients: StreamClient[] = []
  world.holds = true
  for (let step = 0; step < 150; step++) {
    const client = pick(clients)
    const action = Math.floor(random() * 12)
    if (action < 3) world.append(1 + Math.floor(random() * 4))
    else if (action < 5) clients.push(world.connect(random() < 0.3 ? null : client?.lastId() ?? null))
    else if (action === 5) for (const each of random() < 0.3 ? clients : [client]) each?.stop.abort()
    else if (action === 6) await world.advance(random() * 1200)
    else if (action === 7) pick(world.open)?.look()
    else if (action < 11) {
      const [read] = world.open.splice(Math.floor(random() * world.open.length), 1)
      if (random() < 0.15) read?.fail()
      else read?.answer()
    } else if (client?.isReading === true) client.isReading = false
    else client?.read()
    if (random() < 0.7) await settle()
  }
  world.holds = false
  for (let round = 0; round < 30; round++) {
    for (const read of world.open.splice(0)) read.answer()
    for (const client of clients) client.read()
    await world.advance(1000)
  }
  return { world, clients }
}

test('P-09: no change is lost for a stream that begins during a burst, in 300 random courses of events', async () => {
  for (const seed of numbers(1, 300)) {
    const { world, clients } = await live(seed)
    for (const client of clients) {
      expect(client.brokenPromises(), `seed ${seed}`).toEqual([])
      if (client.stop.signal.aborted) continue
      const known = client.versions()
      const wanted = numbers(sequenceOf(client.from) + 1, world.size())
      const missed = wanted.filter(number => !known.has(number))
      expect(missed, `seed ${seed}`).toEqual([])
      expect(client.isSynced()).toBe(true)
    }
    await world.broadcast.close()
    expect(world.followers).toBe(0)
  }
})
