import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCore } from '../support/create-core.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { life, liveHonestly } from './honest-client.ts'
import { interleaved } from './interleaving.ts'
import { hold, holding, steal, theft } from './thief.ts'
import { client, closeClocks, R, rightClocks, rollOut, World, wrongClocks } from './world.ts'

const seeds = fc.nat()
const clocks = fc.constantFrom(closeClocks, wrongClocks, rollOut)

/** Checks a property from a pinned seed and from a fresh one. Of a failure the seed and the shrunk trace are printed. */
async function check<Values>(property: fc.IAsyncProperty<Values>, numRuns: number, seed: number): Promise<void> {
  await fc.assert(property, { numRuns, seed })
  await fc.assert(property, { numRuns })
}

for (const [name, openStore, runs] of [
  ['memory', createMemoryStore, 400],
  ['SQLite', () => openSqliteStore(':memory:'), 40],
] as const) {
  describe(`laws of rotation on the ${name} store`, () => {
    test('LAW-1: an honest client is never refused, however carelessly it refreshes; LAW-6: though the store forgets', async () => {
      await check(fc.asyncProperty(life, seeds, clocks, async (steps, seed, skewed) => {
        const store = openStore()
        expect(await liveHonestly(createCore, store, steps, seed, skewed)).toBeNull()
        await store.close()
      }), runs, 1)
    }, 120_000)

    test('LAW-2: the third refresh in alternation of owner and thief never succeeds', async () => {
      await check(fc.asyncProperty(theft, seeds, async (plan, seed) => {
        const store = openStore()
        expect(await steal(createCore, store, plan, seed)).toBeNull()
        await store.close()
      }), runs, 2)
    }, 120_000)

    test('LAW-2: nobody keeps the windows of one token open for longer than 36R (S-05)', async () => {
      await check(fc.asyncProperty(holding, seeds, async (plan, seed) => {
        const store = openStore()
        expect(await hold(createCore, store, plan, seed)).toBeNull()
        await store.close()
      }), runs / 5, 6)
    }, 120_000)

    test('LAW-3 (ROT-02, ROT-04): racing refreshes of one token return one token and rotate once', async () => {
      const racing = fc.integer({ min: 2, max: 8 })
      await check(fc.asyncProperty(fc.scheduler(), racing, seeds, clocks, async (scheduler, racers, seed, skewed) => {
        const store = openStore()
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
        await store.close()
      }), runs / 5, 3)
    }, 120_000)

    test('LAW-5: after a revocation no token of the lineage works, whatever races it', async () => {
      const depths = fc.nat({ max: 4 })
      await check(fc.asyncProperty(fc.scheduler(), depths, seeds, clocks, async (scheduler, depth, seed, skewed) => {
        const store = openStore()
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
        ]))
        for (const answer of raced) if (answer.jar !== null) jars.push(answer.jar)
        for (const jar of jars) {
          expect((await scheduler.waitFor(world.refresh(jar, 0))).kind).toBe('unauthorized')
          expect((await scheduler.waitFor(Promise.resolve(world.core(1).verify(jar.accessToken)))).kind).not.toBe('active')
        }
        await store.close()
      }), runs / 5, 5)
    }, 120_000)
  })
}

test('LAW-4 (ST-01): no secret of a refresh token is in the record, the access token or an event', async () => {
  const world = new World(createCore, createMemoryStore(), 4)
  const secrets: string[] = []
  let jar = await world.login()
  for (let generation = 0; generation < 4; generation++) {
    secrets.push(...jar.refreshToken.split('.').slice(5))
    await world.advanceTo(world.now + 130_000)
    jar = (await world.refresh(jar)).jar ?? jar
  }
  secrets.push(...jar.refreshToken.split('.').slice(5))
  const atRest = JSON.stringify([
    await world.record(jar),
    Buffer.from(jar.accessToken.split('.')[1] ?? '', 'base64url').toString(),
    world.events,
    await world.store.changesSince(null, 1000),
  ])
  for (const secret of secrets) expect(atRest).not.toContain(secret)
})

test('LAW-4: the hash in the record is no substitute for the secret', async () => {
  const world = new World(createCore, createMemoryStore(), 4)
  const jar = await world.login()
  const record = await world.record(jar)
  const parts = jar.refreshToken.split('.')
  parts[6] = record?.refreshHash ?? ''
  expect(await world.core().refresh(parts.join('.'), 'header', client)).toEqual({ kind: 'unauthorized', ended: false })
})

test('LAW-3 over a key rotation: a retry yields the same bytes although a new refresh key is in force', async () => {
  const world = new World(createCore, createMemoryStore(), 6, rightClocks(2))
  const jar = await world.login()
  await world.rotateKeys(1)
  world.now += 3_600_000 - 1
  const before = await world.refresh(jar, 0)
  world.now += R / 3
  const after = await world.refresh(jar, 1)
  expect(after.how).toBe('retry')
  expect(after.jar?.refreshToken).toBe(before.jar?.refreshToken)
})

test('a session and its access token end at the same moment on all processes, though their clocks are minutes off', async () => {
  const world = new World(createCore, createMemoryStore(), 8, wrongClocks)
  const processes = wrongClocks.skews.map((_, index) => index)
  for (const index of processes) {
    const start = world.now
    const jar = await world.login(index)
    const verdicts = (): Promise<string[]> => Promise.all(processes.map(async process =>
      (await world.core(process).verify(jar.accessToken)).kind))
    await world.advanceTo(jar.expiresAt - 1000)
    expect(await verdicts()).toEqual(processes.map(() => 'active'))
    await world.advanceTo(jar.expiresAt + 1000)
    expect(await verdicts()).toEqual(processes.map(() => 'refresh-required'))
    await world.advanceTo(start + world.core().policy.idleTimeout - 2000)
    for (const process of processes) expect((await world.refresh(jar, process)).kind).toBe('refreshed')
    const other = await world.login(index)
    await world.advanceTo(world.now + world.core().policy.idleTimeout + 2000)
    for (const process of processes) expect((await world.refresh(other, process)).kind).toBe('unauthorized')
  }
})
