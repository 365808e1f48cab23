import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

interface Burst {
  readonly words: string
  readonly steps: readonly { readonly isRepeat: boolean; readonly count: number; readonly status: number }[]
}

const file = join(import.meta.dirname, '../../examples/express/public/bursts.js')
const { burstsOf }: { burstsOf(exchanges: readonly object[]): readonly Burst[] } = await import(
  pathToFileURL(file).href
)

const refresh = (at: number, status: number): object => (
  { id: `${at}`, tab: 2, at, took: 5, status, message: '', place: 'token 1', method: 'POST', path: '/auth/session/refresh' }
)

/** Ten requests of one tab at once. */
const ten = (at: number, status: number): readonly object[] => Array.from({ length: 10 }, (_, number) => (
  { id: `${at} ${number}`, tab: 2, at, took: 5, status, message: '', place: null, method: 'GET', path: '/me' }
))

test('the timeline of the example shows a repetition beside its refusal, however long the refresh of another tab took', () => {
  const bursts = burstsOf([...ten(0, 200), ...ten(2000, 401), ...ten(6000, 200), ...ten(8000, 200)])
  expect(
    bursts.map(({ steps }) =>
      steps.map(({ isRepeat, count, status }) => `${isRepeat ? 'again ' : ''}${count} x ${status}`)
    ),
  )
    .toEqual([['10 x 200'], ['10 x 401', 'again 10 x 200'], ['10 x 200']])
  expect(bursts[1]?.words).toBe('Refused with 401. Another tab has refreshed for this one; repeated with its token.')
})

test('the timeline of the example shows a refresh beside the refusal before it, however busy the machine is', () => {
  const statusesOf = (...exchanges: readonly object[]): readonly (readonly number[])[] => (
    burstsOf(exchanges).map(({ steps }) => steps.map(({ status }) => status))
  )
  expect(statusesOf(...ten(0, 401), refresh(3000, 200), ...ten(6000, 200))).toEqual([[401, 200, 200]])
  // The first of them lost its answer; the client tries again by itself.
  expect(statusesOf(...ten(0, 401), refresh(3000, 504), refresh(7000, 200))).toEqual([[401, 504], [200]])
  expect(statusesOf(...ten(0, 200), refresh(3000, 200))).toEqual([[200], [200]])
})
