import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCore } from '../../support/create-core.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { lifeWithin, liveHonestly } from './honest-client.ts'
import type { LifeSpan } from './honest-client.ts'
import { interleaved } from './interleaving.ts'
import { hold, holding, steal, theft } from './thief.ts'
import { closeClocks, R, rollOut, World, wrongClocks } from './world.ts'

const seeds = fc.nat()
const clocks = fc.constantFrom(closeClocks, wrongClocks, rollOut)

/** How many runs there are for each of two seeds. */
export interface Extent {
  /** How many lives and thefts. */
  readonly lives: number
  readonly span: LifeSpan
  /** How many races. */
  readonly races: number
}

/** In milliseconds. */
const TEST_LIMIT = 300_000

/**
 * Checks a property with a pinned seed and with a new one. If it fails, prints the seed and the trace, shrunk as far as
 * the time limit of the test allows.
 */
async function check<Values>(property: fc.IAsyncProperty<Values>, numRuns: number, seed: number): Promise<void> {
  const inTime = { numRuns, interruptAfterTimeLimit: 0.45 * TEST_LIMIT, markInterruptAsFailure: true }
  await fc.assert(property, { ...inTime, seed })
  await fc.assert(property, inTime)
}

/** The anchor of a refresh token. */
function anchorOf(refreshToken: string): string {
  return refreshToken.split('.')[5] ?? ''
}

/** Runs `work` with a new store, then closes it. */
async function using(open: () => Promise<SessionStore>, work: (store: SessionStore) => Promise<void>): Promise<void> {
  const store = await open()
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

/**
 * Tests the laws of rotation over simulated lives. Each test calls `connect` once; the result opens an empty store for
 * each life.
 */
export function lawsOfRotation(
  name: string,
  connect: () => Promise<() => Promise<SessionStore>>,
  { lives, span, races }: Extent,
): void {
  describe(`laws of rotation on ${name}`, () => {
    test('LAW-1: an honest client is never refused, however carelessly it refreshes; LAW-6: even if the store loses rotations', async () => {
      const open = await connect()
      await check(fc.asyncProperty(lifeWithin(span), seeds, clocks, (life, seed, skewed) => using(open, async store => {
        expect(await liveHonestly(createCore, store, life, seed, skewed)).toBeNull()
      })), lives, 1)
    }, TEST_LIMIT)

    test('LAW-2: when owner and thief refresh alternately, the third refresh fails', async () => {
      const open = await connect()
      await check(fc.asyncProperty(theft, seeds, (plan, seed) => using(open, async store => {
        expect(await steal(createCore, store, plan, seed)).toBeNull()
      })), lives, 2)
    }, TEST_LIMIT)

    test('LAW-2: no thief keeps the windows of one token open for longer than 36R (S-05)', async () => {
      const open = await connect()
      await check(fc.asyncProperty(holding, seeds, (plan, seed) => using(open, async store => {
        expect(await hold(createCore, store, plan, seed)).toBeNull()
      })), races, 6)
    }, TEST_LIMIT)

    test('LAW-3 (ROT-02, ROT-04): concurrent refreshes of one token return the same token and rotate once', async () => {
      const open = await connect()
      const racing = fc.integer({ min: 2, max: 8 })
      await check(fc.asyncProperty(fc.scheduler(), racing, seeds, clocks, (scheduler, racers, seed, skewed) => using(open, async store => {
        const world = new World(createCore, interleaved(store, scheduler), seed, skewed)
        const jar = await scheduler.waitFor(world.login())
        world.now += 100_000
        const race = Promise.all(Array.from({ length: racers }, (_, index) => world.refresh(jar, index)))
        const answers = await scheduler.waitFor(race)
        expect(answers.map(answer => answer.kind)).toEqual(answers.map(() => 'refreshed'))
        expect(new Set(answers.map(answer => answer.jar?.refreshToken)).size).toBe(1)
        expect(answers.filter(answer => answer.how === 'rotate')).toHaveLength(1)
        const record = await scheduler.waitFor(world.record(jar))
        expect(record?.generation).toBe(1)
      })), races, 3)
    }, TEST_LIMIT)

    test('LAW-2: of racing re-authentications one succeeds, and no refresh beside it gets into the new lineage', async () => {
      const open = await connect()
      const racing = fc.record({ again: fc.integer({ min: 1, max: 3 }), refreshes: fc.integer({ min: 0, max: 4 }) })
      await check(fc.asyncProperty(fc.scheduler(), racing, seeds, clocks, (
        scheduler, racers, seed, skewed,
      ) => using(open, async store => {
        const world = new World(createCore, interleaved(store, scheduler), seed, skewed)
        const jar = await scheduler.waitFor(world.login())
        world.now += 100_000
        const many = <Answer>(count: number, call: (index: number) => Promise<Answer>): Promise<Answer[]> => (
          Promise.all(Array.from({ length: count }, (_, index) => call(index)))
        )
        const [reauthenticated, refreshed] = await scheduler.waitFor(Promise.all([
          many(racers.again, index => world.reauthenticate(jar, index)),
          many(racers.refreshes, index => world.refresh(jar, index)),
        ]))
        const winners = reauthenticated.filter(({ kind }) => kind === 'reauthenticated')
        expect(winners).toHaveLength(1)
        expect(reauthenticated.filter(({ kind }) => kind === 'busy')).toHaveLength(racers.again - 1)
        for (const answer of refreshed) expect(['refreshed', 'busy']).toContain(answer.kind)
        const [winner] = winners
        const anchors = [jar, ...refreshed.flatMap(answer => answer.jar ?? [])].map(each => anchorOf(each.refreshToken))
        expect(new Set(anchors).size).toBe(1)
        expect(anchors).not.toContain(anchorOf(winner?.jar?.refreshToken ?? ''))
        // After the reuse interval, of all that were answered, only the new lineage goes on, and nobody is a thief.
        world.now += 3 * R
        for (const old of [jar, ...refreshed.flatMap(answer => answer.jar ?? [])]) {
          expect((await scheduler.waitFor(world.refresh(old))).kind).toBe('unauthorized')
        }
        expect((await scheduler.waitFor(world.refresh(winner?.jar ?? jar))).kind).toBe('refreshed')
        expect(world.events.filter(({ name }) => name === 'theft')).toEqual([])
      })), races, 8)
    }, TEST_LIMIT)

    test('LAW-5: after a revocation no token of the lineage works, whatever runs concurrently', async () => {
      const open = await connect()
      const depths = fc.nat({ max: 4 })
      await check(fc.asyncProperty(fc.scheduler(), depths, seeds, clocks, (scheduler, depth, seed, skewed) => using(open, async store => {
        const world = new World(createCore, interleaved(store, scheduler), seed, skewed)
        const jars = [await scheduler.waitFor(world.login())]
        for (let generation = 0; generation < depth; generation++) {
          world.now += 100_000
          const last = jars.at(-1)
          const answer = last === undefined ? null : await scheduler.waitFor(world.refresh(last))
          if (answer?.jar != null) jars.push(answer.jar)
        }
        const newest = jars.at(-1) ?? jars[0]
        if (newest === undefined) return
        const handle = newest.refreshToken.split('.')[2] ?? ''
        const [, ...raced] = await scheduler.waitFor(Promise.all([
          world.core(1).revokeSession(handle), world.refresh(newest, 0), world.refresh(newest, 1),
          world.reauthenticate(newest, 0), world.reauthenticate(newest, 1),
        ]))
        for (const answer of raced) if (answer.jar !== null) jars.push(answer.jar)
        for (const jar of jars) {
          expect((await scheduler.waitFor(world.refresh(jar, 0))).kind).toBe('unauthorized')
          expect((await scheduler.waitFor(Promise.resolve(world.core(1).verify(jar.accessToken)))).kind)
            .not.toBe('active')
        }
      })), races, 5)
    }, TEST_LIMIT)
  })
}
