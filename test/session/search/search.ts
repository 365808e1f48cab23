// A breadth-first search of all states that a world can reach. It ends when no new state is left, so it covers lives of
// any length, and the first violation that it meets has the shortest trace.
import { setImmediate } from 'node:timers/promises'
import { createFingerprints, createIntegers } from './fingerprints.ts'
import { sharedPrefix } from './paths.ts'
import type { Path } from './paths.ts'
import { R } from './record.ts'
import { withNames } from './words.ts'

/** The event that time has passed by one step. */
export const TICK = 'time passes'

/** Reports that an event leads to a state, and which law that violates. Tokens in the event are in braces. */
export type Emit<State> = (event: string, state: State, violation?: string) => void

/** The states of a search and their transitions. States are compact: ages instead of times, paths instead of tokens. */
export interface World<State> {
  readonly start: State
  /** Emits whatever can happen next, always in the same order. */
  successors(state: State, emit: Emit<State>): void
  /** Removes what can no longer make a difference. */
  simplify(state: State): State
  /** The tokens in the state. A prefix that all have in common makes no difference. */
  tokensOf(state: State): readonly Path[]
  /** The state with other names for its tokens. */
  rename(state: State, rename: (token: Path) => Path): State
  /** A text that differs for different states. */
  keyOf(state: State): string
}

/** A law that was violated, and the shortest sequence of events that leads there. */
export interface Violation {
  readonly law: string
  /** One event a line, in words. */
  readonly trace: readonly string[]
}

export interface SearchResult {
  readonly states: number
  /** How often a state led to another. */
  readonly steps: number
  /** The number of steps to the state that is furthest away. */
  readonly depth: number
  readonly violation: Violation | null
}

/** Finds every state, or the first violation. Throws if there are more than `limit` states. */
export async function search<State>(world: World<State>, limit = 15_000_000): Promise<SearchResult> {
  const seen = createFingerprints()
  // How each state was reached: from which one, by which of its events.
  const origins = createIntegers()
  const events = createIntegers()
  let steps = 0
  let depth = 0
  const violations: { readonly origin: number; readonly event: number; readonly law: string }[] = []

  const start = normalize(world, world.start).state
  seen.add(world.keyOf(start))
  origins.push(-1)
  events.push(0)
  let level: [id: number, state: State][] = [[0, start]]
  while (level.length > 0) {
    const nextLevel: [id: number, state: State][] = []
    for (const [index, [origin, state]] of level.entries()) {
      if (index % 10_000 === 0) await setImmediate()
      let event = -1
      world.successors(state, (_, successor, law) => {
        event++
        if (law !== undefined) violations.push({ origin, event, law })
        const { state: normal } = normalize(world, successor)
        if (!seen.add(world.keyOf(normal))) return
        nextLevel.push([origins.length(), normal])
        origins.push(origin)
        events.push(event)
      })
      steps += event + 1
      const [violation] = violations
      if (violation !== undefined) return result(explain(violation))
      if (origins.length() > limit) throw new Error(`the search has no end: more than ${limit} states`)
    }
    level = nextLevel
    depth++
  }
  return result(null)

  function result(violation: Violation | null): SearchResult {
    return { states: origins.length(), steps, depth, violation }
  }

  function explain({ origin, event, law }: { origin: number; event: number; law: string }): Violation {
    const path = [event]
    for (let id = origin; id > 0; id = origins.at(id)) path.push(events.at(id))
    return { law, trace: replay(world, path.reverse()) }
  }
}

function normalize<State>(world: World<State>, state: State): { readonly state: State; readonly dropped: number } {
  const simple = world.simplify(state)
  const dropped = sharedPrefix(world.tokensOf(simple))
  return { state: dropped === 0 ? simple : world.rename(simple, token => token.slice(dropped)), dropped }
}

/** Follows the path again, and describes its events. */
function replay<State>(world: World<State>, path: readonly number[]): readonly string[] {
  const trace: string[] = []
  let { state } = normalize(world, world.start)
  let prefix = ''
  let ticks = 0
  for (const wanted of path) {
    let index = 0
    let reached = state
    world.successors(state, (event, successor, law) => {
      if (index++ !== wanted) return
      reached = successor
      if (event === TICK && law === undefined) ticks++
      else trace.push(`at ${ticks / R}R: ${withNames(event, prefix)}${law === undefined ? '' : ` => ${law}`}`)
    })
    const { state: normal, dropped } = normalize(world, reached)
    prefix += world.tokensOf(world.simplify(reached))[0]?.slice(0, dropped) ?? ''
    state = normal
  }
  return trace
}
