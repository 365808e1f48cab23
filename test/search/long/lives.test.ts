import { describe, expect, test } from 'vitest'
import { setImmediate } from 'node:timers/promises'
import { liveHonestly } from '../honest-life.ts'
import { R } from '../lives.ts'
import { realRules } from '../refresh.ts'
import { print } from '../report.ts'
import { bothGoOn, holdsOn } from '../thief-life.ts'

const LIVES = 10_000
const PINNED = 1
const fresh = Math.floor(Math.random() * 2 ** 31)
print(`lives: the fresh seed is ${fresh}`)

/** What went wrong in the life with this seed, or null. */
type LiveOnce = (seed: number) => string | null

const kinds: readonly (readonly [name: string, live: LiveOnce])[] = [
  ['a careful page is never refused', seed => liveHonestly(realRules, seed, { spread: 0, forgets: false })],
  ['a page without a lock is never refused: refreshes over R', seed => (
    liveHonestly(realRules, seed, { spread: R, forgets: false })
  )],
  ['a page without a lock is never refused: refreshes over 4R', seed => (
    liveHonestly(realRules, seed, { spread: 4 * R, forgets: false })
  )],
  ['a store that forgets refuses nobody: a careful page', seed => (
    liveHonestly(realRules, seed, { spread: 0, forgets: true })
  )],
  ['a store that forgets refuses nobody: a page without a lock', seed => (
    liveHonestly(realRules, seed, { spread: R, forgets: true })
  )],
  ['no thief stays: both go on at their own pace', seed => bothGoOn(realRules, seed) ? 'the thief stays' : null],
  ['no thief stays: one that holds a window open', seed => holdsOn(realRules, seed) ? 'the thief stays' : null],
]

describe.each([['the pinned seed', PINNED], ['the fresh seed', fresh]])('with %s %i', (_, first) => {
  test.each(kinds)('%s', async (_name, live) => {
    for (let seed = first; seed < first + LIVES; seed++) {
      if (seed % 100 === 0) await setImmediate()
      expect(live(seed), `seed ${seed}`).toBeNull()
    }
  })
})
