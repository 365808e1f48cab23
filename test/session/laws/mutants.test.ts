import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type * as Confirmation from '../../../src/session/confirmations.ts'
import type * as Offset from '../../../src/session/decide-offset.ts'
import type * as Decision from '../../../src/session/decide-refresh.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { sampleState } from '../../../src/testing/samples.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { lifeWithin, liveHonestly, longest } from './honest-client.ts'
import { interleaved } from './interleaving.ts'
import { hold, holding, steal, theft } from './thief.ts'
import { closeClocks, rightClocks, World, wrongClocks } from './world.ts'
import type { CreateCore } from './world.ts'

/**
 * Mutations of the rules, each without one rule. Each must break a law in the whole core. (The exhaustive search has a
 * mutant for every rule: test/session/search.)
 */
type Law = 'convergence' | 'no quiet theft' | 'windows have an end' | 'no false alarm'
type Decide = typeof Decision.decideRefresh
type Observe = Confirmation.Confirmations['observe']
type DecideOffset = typeof Offset.decideOffset

interface Mutant {
  readonly name: string
  readonly breaks: Law
  readonly decide?: (rule: Decide) => Decide
  readonly observe?: (rule: Observe) => Observe
  readonly offset?: (rule: DecideOffset) => DecideOffset
  readonly store?: (store: SessionStore) => SessionStore
}

/** A store that rotates unconditionally. */
const blind = (store: SessionStore): SessionStore => ({
  ...store,
  async rotate(rotation) {
    const record = await store.find(rotation.handle)
    return record && store.rotate({ ...rotation, expected: sampleState(record) })
  },
})

const mutants: readonly Mutant[] = [
  { name: 'skip the conditional write', breaks: 'convergence', store: blind },
  {
    name: 'no early: the current token always rotates',
    breaks: 'no false alarm',
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
    breaks: 'no quiet theft',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'theft' ? { kind: 'adopt' } : decision
    },
  },
  {
    name: 'no window: every use of the parent branches',
    breaks: 'convergence',
    decide: rule => (state, ...input) => {
      const decision = rule(state, ...input)
      return decision.kind === 'retry' ? { kind: 'branch', branch: state.branch + 1 } : decision
    },
  },
  {
    name: 'no bound of the windows',
    breaks: 'windows have an end',
    decide: rule => (state, token, now) => rule({ ...state, rotatedAt: state.servedAt, branch: 0 }, token, now),
  },
  {
    name: 'no branch: the same child for ever',
    breaks: 'no quiet theft',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'branch' ? { kind: 'retry', isServed: false } : decision
    },
  },
  {
    name: 'no branch: an alarm instead',
    breaks: 'no false alarm',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'branch' ? { kind: 'theft' } : decision
    },
  },
  {
    name: 'no adoption',
    breaks: 'no false alarm',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'adopt' ? { kind: 'theft' } : decision
    },
  },
  {
    name: 'confirm at once',
    breaks: 'no false alarm',
    observe: rule => (claims, now) => rule(claims, now + 2 * claims.ri + 1000),
  },
  { name: 'the store\'s time is ignored', breaks: 'no false alarm', offset: () => () => ({ kind: 'keep' }) },
  {
    name: 'the store\'s time is applied the wrong way round',
    breaks: 'no false alarm',
    offset: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'adopt' ? { kind: 'adopt', offset: -decision.offset } : decision
    },
  },
  {
    name: 'never an alarm',
    breaks: 'no quiet theft',
    decide: rule => (...input) => {
      const decision = rule(...input)
      return decision.kind === 'theft' ? { kind: 'retry', isServed: false } : decision
    },
  },
]

/** The core with the mutated rule instead of the real one. */
async function mutate({ decide, observe, offset }: Partial<Mutant>): Promise<CreateCore> {
  vi.resetModules()
  if (decide !== undefined) {
    vi.doMock('../../../src/session/decide-refresh.ts', async original => {
      const real = await original<typeof Decision>()
      return { ...real, decideRefresh: decide(real.decideRefresh) }
    })
  }
  if (observe !== undefined) {
    vi.doMock('../../../src/session/confirmations.ts', async original => {
      const real = await original<typeof Confirmation>()
      return {
        ...real,
        createConfirmations(...dependencies: Parameters<typeof real.createConfirmations>) {
          const confirmations = real.createConfirmations(...dependencies)
          return { ...confirmations, observe: observe(confirmations.observe) }
        },
      }
    })
  }
  if (offset !== undefined) {
    vi.doMock('../../../src/session/decide-offset.ts', async original => {
      const real = await original<typeof Offset>()
      return { ...real, decideOffset: offset(real.decideOffset) }
    })
  }
  return (await import('../../support/create-core.ts')).createCore
}

afterEach(() => {
  vi.doUnmock('../../../src/session/decide-refresh.ts')
  vi.doUnmock('../../../src/session/confirmations.ts')
  vi.doUnmock('../../../src/session/decide-offset.ts')
  vi.resetModules()
})

const openStore = (mutant: Mutant): SessionStore => {
  const store = createMemoryStore()
  return mutant.store === undefined ? store : mutant.store(store)
}

const clocks = fc.constantFrom(closeClocks, wrongClocks)

/** For each law, a function that tries to break it with these rules in so many runs. */
const laws: Readonly<Record<Law, (create: CreateCore, openStore: () => SessionStore, numRuns: number) => Attempt>> = {
  'convergence': (create, openStore) =>
    attempt(50, fc.asyncProperty(fc.scheduler(), fc.nat(), async (scheduler, seed) => {
      const world = new World(create, interleaved(openStore(), scheduler), seed, rightClocks(2))
      const jar = await scheduler.waitFor(world.login())
      world.now += 100_000
      const answers = await scheduler.waitFor(Promise.all([0, 1, 2].map(index => world.refresh(jar, index))))
      return answers.every(answer => answer.jar?.refreshToken === answers[0]?.jar?.refreshToken)
        && answers.filter(answer => answer.how === 'rotate').length === 1
  })),
'no quiet theft': (create, openStore, numRuns) =>
  attempt(numRuns, fc.asyncProperty(theft, fc.nat(), async (plan, seed) =>
    await steal(create, openStore(), plan, seed) === null)),
  'windows have an end': (create, openStore) => attempt(50, fc.asyncProperty(holding, fc.nat(), async (plan, seed) =>
    await hold(create, openStore(), plan, seed) === null)),
  'no false alarm': (create, openStore, numRuns) => attempt(numRuns, fc.asyncProperty(
    lifeWithin(longest), fc.nat(), clocks, async (steps, seed, skewed) =>
      await liveHonestly(create, openStore(), steps, seed, skewed) === null)),
}

type Attempt = Promise<{ readonly failed: boolean }>

function attempt<Values>(numRuns: number, property: fc.IAsyncProperty<Values>): Attempt {
  return fc.check(property, { seed: 7, endOnFailure: true, numRuns })
}

test.each(mutants)('the mutation "$name" breaks the law "$breaks"', async mutant => {
  const { failed } = await laws[mutant.breaks](await mutate(mutant), () => openStore(mutant), 2000)
  expect(failed).toBe(true)
})

test('the real rules break no law', async () => {
  const create = await mutate({})
  for (const [name, law] of Object.entries(laws)) {
    expect((await law(create, createMemoryStore, 50)).failed, name).toBe(false)
  }
})
