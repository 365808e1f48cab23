import { expect, test } from 'vitest'
import { andThen } from './awaitable.ts'
import { lazy } from './lazy.ts'

/** A thing whose first attempts to load fail, and how often that was tried. */
function source(failures: number): { readonly load: () => Promise<{ readonly name: string }>; attempts: number } {
  const source = {
    attempts: 0,
    async load() {
      if (source.attempts++ < failures) throw new Error(`not yet: ${source.attempts}`)
      return { name: 'loaded' }
    },
  }
  return source
}

test('nothing is loaded before the first use', () => {
  const unused = source(0)
  lazy(unused.load)
  expect(unused.attempts).toBe(0)
})

test('all uses share one loading, and one thing', async () => {
  const shared = source(0)
  const use = lazy(shared.load)
  const early = await Promise.all([use(), use(), use()])
  expect(new Set([...early, await use()]).size).toBe(1)
  expect(shared.attempts).toBe(1)
})

test('once it is there, nobody waits for it', async () => {
  const use = lazy(source(0).load)
  expect(use()).toBeInstanceOf(Promise)
  await use()
  expect(use()).toEqual({ name: 'loaded' })
  const order: string[] = []
  const name = andThen(use(), async loaded => {
    order.push('used')
    return loaded.name
  })
  order.push('called')
  expect(order).toEqual(['used', 'called'])
  expect(await name).toBe('loaded')
})

test.each([1, 2, 5])('after %i failures, each for all who waited, the next use loads it', async failures => {
  const late = source(failures)
  const use = lazy(late.load)
  for (let attempt = 1; attempt <= failures; attempt++) {
    const outcomes = await Promise.allSettled([use(), use()])
    const reason = new Error(`not yet: ${attempt}`)
    expect(outcomes).toEqual([{ status: 'rejected', reason }, { status: 'rejected', reason }])
  }
  expect(await use()).toEqual({ name: 'loaded' })
  expect(late.attempts).toBe(failures + 1)
})

test('a loading that throws before it promises anything is a failed one, too', async () => {
  let broken = true
  const use = lazy(() => {
    if (broken) throw new Error('broken')
    return Promise.resolve({ name: 'loaded' })
  })
  await expect(use()).rejects.toThrow('broken')
  broken = false
  expect(await use()).toEqual({ name: 'loaded' })
})
