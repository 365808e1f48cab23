/** How a step of npm test went. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** The names of what did not run. */
  readonly skipped: readonly string[]
}

/** All steps together. */
export interface Total extends Outcome {
  /** What was skipped where nothing may be: counted in `failed`. */
  readonly refusedSkips: readonly string[]
}

/** What is read of a report of Vitest's JSON reporter. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/**
 * Counts the tests of a report. A file that fails without a failed test (it does not load, a hook throws) counts as one
 * failure, and so does a run that ends badly although all its tests passed.
 */
export function outcomeOf({ testResults }: VitestReport, endedWell: boolean): Outcome {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failedTests = tests.filter(({ status }) => status === 'failed').length
  const failedFiles = testResults.filter(({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed')).length
  const failed = failedTests + failedFiles
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: failed === 0 && !endedWell ? 1 : failed,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  }
}

/** Adds the steps up; where nothing may be skipped, what was skipped has failed. */
export function total(outcomes: readonly Outcome[], nothingMaySkip: boolean): Total {
  const skipped = outcomes.flatMap((outcome) => outcome.skipped)
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0)
  return {
    passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
    failed: failed + (nothingMaySkip ? skipped.length : 0),
    skipped: nothingMaySkip ? [] : skipped,
    refusedSkips: nothingMaySkip ? skipped : [],
  }
}

/** `N passed, N failed`, and `, N skipped` if any were. */
export function lastLine({ passed, failed, skipped }: Outcome): string {
  const counts = [`${passed} passed`, `${failed} failed`]
  return [...counts, ...skipped.length === 0 ? [] : [`${skipped.length} skipped`]].join(', ')
}
