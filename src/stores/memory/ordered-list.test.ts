import { expect, test } from 'vitest'
import { createOrderedList } from './ordered-list.ts'

/** Numbers that look random and are the same in every run. */
function createNumbers(): (below: number) => number {
  let state = 1
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

test.each([
  ['at any place', (random: (below: number) => number) => random(100_000)],
  ['at the end', (_: (below: number) => number, count: number) => count],
  ['at the beginning', (_: (below: number) => number, count: number) => 100_000 - count],
])('an ordered list has what was added %s and not removed, in order', (_, next) => {
  const random = createNumbers()
  const list = createOrderedList<number, number>((left, right) => left < right)
  const expected = new Set<number>()
  for (let count = 1; count <= 6000; count++) {
    const item = next(random, count)
    if (!expected.has(item)) list.add(item)
    expected.add(item)
    if (count % 3 === 0) {
      const gone = [...expected][random(expected.size)] ?? 0
      expected.delete(gone)
      list.remove(gone)
      list.remove(gone)
    }
  }
  const sorted = [...expected].sort((left, right) => right - left)
  expect(list.before(Infinity, Infinity)).toEqual(sorted)
  for (const position of [sorted[0], sorted[1000], sorted.at(-1), 50_000.5]) {
    const rest = sorted.filter(item => item < (position ?? 0))
    for (const limit of [0, 1, 600, 10_000]) expect(list.before(position ?? 0, limit)).toEqual(rest.slice(0, limit))
  }
  for (const item of sorted) list.remove(item)
  expect(list.before(Infinity, 10)).toEqual([])
  list.add(5)
  expect(list.before(Infinity, 10)).toEqual([5])
})
