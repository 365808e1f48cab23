import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type * as Confirmation from '../../src/session/decide-confirmation.ts'
import type * as Offset from '../../src/session/decide-offset.ts'
import type * as Decision from '../../src/session/decide-refresh.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleState } from '../../src/testing/samples.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { lifeWithin, liveHonestly, longest } from './honest-client.ts'
import { interleaved } from './interleaving.ts'
import { hold, holding, steal, theft } from './thief.ts'
import { closeClocks, rightClocks, World, wrongClocks } from './world.ts'
import type { CreateCore } from './world.ts'

/**
 * The laws must be able to fail in the whole core as well: each of these is the rule book with one rule left out, and
 * each must break a law. (The exhaustive search has a mutant for every rule: test/search.)
 */
type Decide = typeof Decision.decideRefresh
type Confirms = typeof Confirmation.confirms
type DecideOffset = typeof Offset.decideOffset

interface Mutant {
  readonly name: string
  readonly decide?: (rule: Decide) => Decide
  readonly confirms?: (rule: Confirms) => Confirms
  readonly offset?: (rule: DecideOffset) => DecideOffset
  readonly store?: (store: SessionStore) => SessionStore
}

/** A store that rotates whatever the state of the session's token is. */
const blind = (store: SessionStore): SessionStore => ({
  ...store,
  async rotate(rotation) {
    const record = await store.find(rotation.handle)
    return record && store.rotate({ ...rotation, expected: sampleState(record) })
  },
})

const mutants: readonly Mutant[] = [
  { name: 'skip the conditional write', store: blind },
  {
    name: 'no early: the current token always rotates',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'early' ? { kind: 'rotate' } : decision
    },
    store: store => ({
      ...store,
      async rotate(rotation) {
        const record = await store.find(rotation.handle)
        const isCurrent = record?.refreshHash === rotation.expected.refreshHash
        return record && isCurrent ? store.rotate({ ...rotation, expected: sampleState(record) }) : null
      },
    }),
  },
  {
    name: 'accept any parent',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'theft' ? { kind: 'adopt' } : decision
    },
  },
  {
    name: 'no window: every use of the parent branches',
    decide: rule => (state, ...input) => {
      const decision = rule(state, ...input)
      return decision.kind === 'retry' ? { kind: 'branch', branch: state.branch + 1 } : decision
    },
  },
  {
    name: 'no bound of the windows',
    decide: rule => (state, token, now) => rule({ ...state, rotatedAt: state.servedAt, branch: 0 }, token, now),
  },
  {
    name: 'no branch: the same child for ever',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'branch' ? { kind: 'retry', isServed: false } : decision
    },
  },
  {
    name: 'no branch: an alarm instead',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'branch' ? { kind: 'theft' } : decision
    },
  },
  {
    name: 'no adoption',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'adopt' ? { kind: 'theft' } : decision
    },
  },
  { name: 'confirm at once', confirms: () => claims => claims.gen > 0 },
  { name: 'the store\'s time is ignored', offset: () => () => ({ kind: 'keep' }) },
  {
    name: 'the store\'s time is applied the wrong way round',
    offset: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'adopt' ? { kind: 'adopt', offset: -decision.offset } : decision
    },
  },
  {
    name: 'never an alarm',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'theft' ? { kind: 'retry', isServed: false } : decision
    },
  },
]

/** The core with the mutated rule in the place of the real one. */
async function mutate(mutant: Mutant): Promise<CreateCore> {
  vi.resetModules()
  const { decide, confirms, offset } = mutant
  if (decide !== undefined) {
    vi.doMock('../../src/session/decide-refresh.ts', async original => {
      const real = await original<typeof Decision>()
      return { ...real, decideRefresh: decide(real.decideRefresh) }
    })
  }
  if (confirms !== undefined) {
    vi.doMock('../../src/session/decide-confirmation.ts', async original => {
      const real = await original<typeof Confirmation>()
      return { ...real, confirms: confirms(real.confirms) }
    })
  }
  if (offset !== undefined) {
    vi.doMock('../../src/session/decide-offset.ts', async original => {
      const real = await original<typeof Offset>()
      return { ...real, decideOffset: offset(real.decideOffset) }
    })
  }
  return (await import('../support/create-core.ts')).createCore
}

afterEach(() => {
  vi.doUnmock('../../src/session/decide-refresh.ts')
  vi.doUnmock('../../src/session/decide-confirmation.ts')
  vi.doUnmock('../../src/session/decide-offset.ts')
  vi.resetModules()
})

const openStore = (mutant: Mutant): SessionStore => {
  const store = createMemoryStore()
  return mutant.store === undefined ? store : mutant.store(store)
}

const clocks = fc.constantFrom(closeClocks, wrongClocks)

/** Which laws the rule book breaks within a number of runs. */
async function brokenLaws(create: CreateCore, mutant: Mutant, numRuns: number): Promise<string[]> {
  const honest = fc.asyncProperty(lifeWithin(longest), fc.nat(), clocks, async (steps, seed, skewed) =>
    await liveHonestly(create, openStore(mutant), steps, seed, skewed) === null)
  const caught = fc.asyncProperty(theft, fc.nat(), async (plan, seed) =>
    await steal(create, openStore(mutant), plan, seed) === null)
  const bounded = fc.asyncProperty(holding, fc.nat(), async (plan, seed) =>
    await hold(create, openStore(mutant), plan, seed) === null)
  const convergent = fc.asyncProperty(fc.scheduler(), fc.nat(), async (scheduler, seed) => {
    const world = new World(create, interleaved(openStore(mutant), scheduler), seed, rightClocks(2))
    const jar = await scheduler.waitFor(world.login())
    world.now += 100_000
    const answers = await scheduler.waitFor(Promise.all([0, 1, 2].map(index => world.refresh(jar, index))))
    return answers.every(answer => answer.jar?.refreshToken === answers[0]?.jar?.refreshToken)
      && answers.filter(answer => answer.how === 'rotate').length === 1
  })
  const options = { seed: 7, endOnFailure: true }
  const laws: readonly [name: string, check: () => Promise<{ readonly failed: boolean }>][] = [
    ['convergence', () => fc.check(convergent, { ...options, numRuns: 50 })],
    ['no quiet theft', () => fc.check(caught, { ...options, numRuns })],
    ['windows have an end', () => fc.check(bounded, { ...options, numRuns: 50 })],
    ['no false alarm', () => fc.check(honest, { ...options, numRuns })],
  ]
  for (const [name, check] of laws) {
    if ((await check()).failed) return [name]
  }
  return []
}

test.each(mutants)('a rule book with the mutation "$name" breaks a law', async mutant => {
  expect(await brokenLaws(await mutate(mutant), mutant, 2000)).not.toEqual([])
}, 120_000)

test('the rule book itself breaks none', async () => {
  expect(await brokenLaws(await mutate({ name: 'none' }), { name: 'none' }, 50)).toEqual([])
}, 120_000)
