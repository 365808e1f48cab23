import type { MeaningName, Overview, SeriesName } from '../../../src/console/api-types.ts'

export type Tone = 'accent' | 'ink' | 'warning' | 'danger'

/** A line of a plot. */
export interface Line {
  readonly name: string
  readonly tone: Tone
  readonly values: readonly (number | null)[]
}

/** A plot: its title is the question that it answers. */
export interface Question {
  readonly id: string
  readonly title: string
  /** Of the vertical axis. */
  readonly unit: string
  readonly meaning: string
  readonly lines: readonly Line[]
}

export const MILLISECONDS = 'milliseconds'

type LineOf = readonly [series: SeriesName, name: string, tone: Tone]

const questions: readonly (Pick<Question, 'id' | 'title' | 'unit'> & {
  readonly meaning: MeaningName
  readonly lines: readonly LineOf[]
})[] = [
  {
    id: 'logins', title: 'How many log in, and how many are logged out?', unit: 'per 15 seconds', meaning: 'logins',
    lines: [['logins', 'Logins', 'accent'], ['revocations', 'Revoked', 'warning']],
  },
  {
    id: 'refreshes', title: 'How many sessions are refreshed?', unit: 'per 15 seconds', meaning: 'refreshes',
    lines: [['refreshes', 'Refreshes', 'accent']],
  },
  {
    id: 'thefts', title: 'Are tokens stolen or refused?', unit: 'per 15 seconds', meaning: 'thefts',
    lines: [['refusals', 'Refused', 'warning'], ['thefts', 'Thefts', 'danger']],
  },
  {
    id: 'verifications', title: 'How many tokens are verified, and how many of them from the cache?',
    unit: 'per 15 seconds', meaning: 'cacheHits',
    lines: [['verified', 'Verified', 'ink'], ['cacheHits', 'Cached', 'accent']],
  },
  {
    id: 'verify', title: 'How long does a verification take?', unit: MILLISECONDS, meaning: 'verifyP99',
    lines: [['verifyP50', 'Half', 'accent'], ['verifyP99', '99 %', 'ink']],
  },
  {
    id: 'store', title: 'How long does the store take?', unit: MILLISECONDS, meaning: 'storeP99',
    lines: [['storeP50', 'Half', 'accent'], ['storeP99', '99 %', 'ink']],
  },
  {
    id: 'feed', title: 'How late does this process learn of a revocation?', unit: MILLISECONDS, meaning: 'feedLag',
    lines: [['feedLag', 'Feed', 'accent']],
  },
  {
    id: 'in-use', title: 'How many sessions are in use in this process?', unit: 'sessions', meaning: 'sessionsInUse',
    lines: [['sessionsInUse', 'In use', 'accent']],
  },
]

/** The plots of an overview. */
export function questionsOf({ series, meanings }: Overview): Question[] {
  return questions.map(({ lines, meaning, ...question }) => ({
    ...question,
    meaning: meanings[meaning],
    lines: lines.map(([name, label, tone]) => ({ name: label, tone, values: series[name] })),
  }))
}

/** The beginnings of the steps, in milliseconds since 1970. */
export function stepsOf({ series: { from, step, logins } }: Overview): number[] {
  return logins.map((_, index) => from + index * step)
}

/** What a series comes to: its sum without the gaps; null if it has only gaps. */
export function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

/** The last value that was measured; null if there is none. */
export function lastOf(values: readonly (number | null)[]): number | null {
  return values.findLast(value => value !== null) ?? null
}
