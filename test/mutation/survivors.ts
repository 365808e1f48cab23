import type { Explanation } from '../../scripts/mutation-report.ts'

/** Mutants of rules that change nothing, as `code` and `mutation` of the report name them. */
export const explanations: readonly Explanation[] = [
  {
    file: 'src/session/decide-shared.ts',
    code: "''",
    mutation: '"Stryker was here!"',
    why: 'split() returns at least one part. The default is there for the compiler.',
  },
  {
    file: 'src/tokens/refresh-token.ts',
    code: 'text.length > MAX_LENGTH',
    mutation: 'text.length >= MAX_LENGTH',
    why: 'The longest token has 198 characters. The limit bounds the time that a longer string takes.',
  },
  {
    file: 'src/tokens/refresh-token.ts',
    code: 'text.length > MAX_LENGTH',
    mutation: 'false',
    why: 'A longer string is rejected by the later checks, in more time.',
  },
  {
    file: 'src/transport/credentials.ts',
    code: 'values.length < 2',
    mutation: 'false',
    why: 'Of one value or none, the distinct ones are the same. The condition saves a Set in every request.',
  },
]
