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
