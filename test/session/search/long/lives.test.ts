import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { liveHonestly } from '../honest-life.ts'
import { R } from '../lives.ts'
import { mutants } from '../mutants.ts'
import { realRules } from '../refresh.ts'
import type { Rules } from '../refresh.ts'
import { print } from '../report.ts'
import { bothGoOn, holdsOn } from '../thief-life.ts'

interface Kind {
  readonly name: string
  /** What went wrong in the life with this seed, or null. */
  readonly live: (rules: Rules, seed: number) => string | null
  /** The beginning of the name of a mutant that a thousand such lives find. */
  readonly finds: string
}

function honest(name: string, spread: number, forgets: boolean, finds: string): Kind {
  return { name, live: (rules, seed) => liveHonestly(rules, seed, { spread, forgets }), finds }
}

function thief(name: string, stays: (rules: Rules, seed: number) => boolean, finds: string): Kind {
  return { name, live: (rules, seed) => (stays(rules, seed) ? 'the thief stays' : null), finds }
}

const kinds: readonly Kind[] = [
  honest('a careful page is never refused', 0, false, 'confirmed at once'),
  honest('a page without a lock is never refused: refreshes over R', R, false, 'no early'),
  honest('a page without a lock is never refused: refreshes over 4R', 4 * R, false, 'no early'),
  honest('a store that forgets: a careful page is never refused', 0, true, 'no adoption'),
  honest('a store that forgets: a page without a lock is never refused', R, true, 'no adoption'),
  thief('no thief stays: both go on at their own pace', bothGoOn, 'never theft'),
  thief('no thief stays: the thief holds the windows open', holdsOn, 'no bounds'),
]

const LIVES = 10_000
const FRESH = Math.floor(Math.random() * 2 ** 31)
print(`lives: this run's seed is ${FRESH}`)

describe.each([['pinned', 1], ['fresh', FRESH]])('10,000 lives from the %s seed %i on', (_, first) => {
  test.each(kinds)('$name', async ({ live }) => {
    for (let seed = first; seed < first + LIVES; seed++) {
      if (seed % 100 === 0) await setImmediate()
      expect(live(realRules, seed), `seed ${seed}`).toBeNull()
    }
  })
})

test.each(kinds)('$name: not so by the rules with "$finds"', ({ live, finds }) => {
  const mutant = mutants.find(({ name }) => name.startsWith(finds))
  const rules = { ...realRules, ...mutant?.rules }
  const problems = Array.from({ length: 1000 }, (_, seed) => live(rules, seed))
  expect(problems.some(problem => problem !== null)).toBe(true)
})
