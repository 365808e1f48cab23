import { stripVTControlCharacters } from 'node:util'

/** A failed test or step, and why it failed. */
export interface Failure {
  /** The step: a project of Vitest, or a check of the sources. */
  readonly step: string
  /** The test file, or the command. */
  readonly where: string
  readonly title: string
  readonly message: string
}

/** The result of a step of npm test. */
export interface Outcome {
  readonly passed: number
  readonly failures: readonly Failure[]
  /** The names of the tests and steps that did not run. */
  readonly skipped: readonly string[]
}

/** A thrown error, as Vitest reports it. */
export interface Thrown {
  readonly name?: string
  readonly message: string
  readonly diff?: string
  readonly stack?: string
}

/** The result of a Vitest run, as the reporter writes it. */
export interface TestRun {
  readonly files: readonly TestFile[]
  /** Errors that were thrown outside of all tests. */
  readonly errors: readonly Thrown[]
}

/** A test file of a run. */
export interface TestFile {
  readonly project: string
  readonly path: string
  /** In milliseconds. */
  readonly duration: number
  /** Errors that were thrown outside of its tests: the file did not load, or a hook failed. */
  readonly errors: readonly Thrown[]
  readonly tests: readonly {
    readonly title: string
    readonly state: 'passed' | 'failed' | 'skipped' | 'pending'
    readonly errors: readonly Thrown[]
  }[]
}

const shownLines = 15
const shownFailures = 25
const longestLine = 300

/** The result of one project. An error that is thrown in a file outside of its tests is a failure. */
export function outcomeOf(run: TestRun, project: string): Outcome {
  const files = run.files.filter((file) => file.project === project)
  const failures = files.flatMap(({ path, errors, tests }) => [
    ...errors.map((error) => ({ step: project, where: path, title: 'outside of its tests', message: textOf([error]) })),
    ...tests.filter(({ state }) => state === 'failed')
      .map(({ title, errors }) => ({ step: project, where: path, title, message: textOf(errors) })),
  ])
  const tests = files.flatMap((file) => file.tests)
  return {
    passed: tests.filter(({ state }) => state === 'passed').length,
    failures,
    skipped: tests.filter(({ state }) => state === 'skipped' || state === 'pending').map(({ title }) => title),
  }
}

/** Failures that belong to no project: errors outside of all files, and a run that fails although all tests passed. */
export function outcomeOfRunner(run: TestRun, endedWell: boolean): Outcome {
  const failures = run.errors.map((error) => (
    { step: 'vitest', where: 'the run', title: 'outside of all tests', message: textOf([error]) }
  ))
  const isExplained = failures.length > 0
    || run.files.some(({ errors, tests }) => errors.length > 0 || tests.some(({ state }) => state === 'failed'))
  const bad = { step: 'vitest', where: 'the run', title: 'failed', message: 'although no test failed' }
  return { passed: 0, failures: endedWell || isExplained ? failures : [bad], skipped: [] }
}

/** Adds up the results of the steps. If nothing may be skipped, skipped tests count as failures. */
export function total(outcomes: readonly Outcome[], nothingMaySkip: boolean): Outcome {
  const skipped = outcomes.flatMap((outcome) => outcome.skipped)
  const refused = skipped.map((title) => (
    { step: 'skipped', where: 'what CI=true counts as failed', title, message: 'did not run' }
  ))
  return {
    passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
    failures: [...outcomes.flatMap((outcome) => outcome.failures), ...nothingMaySkip ? refused : []],
    skipped: nothingMaySkip ? [] : skipped,
  }
}

/** The failures, each with the beginning of its message: of a long output only the end may be kept. */
export function listFailures(failures: readonly Failure[]): string[] {
  const lines = failures.slice(0, shownFailures).flatMap(({ step, where, title, message }) => [
    `failed: ${step}  ${where}`,
    `  ${title}`,
    ...message.split('\n').filter((line) => line.trim() !== '').slice(0, shownLines)
      .map((line) => `    ${line.slice(0, longestLine)}`),
  ])
  const more = failures.length - shownFailures
  return more > 0 ? [...lines, `failed: ${more} more`] : lines
}

/** `N passed, N failed`, and `, N skipped` if any were. */
export function lastLine({ passed, failures, skipped }: Outcome): string {
  const counts = [`${passed} passed`, `${failures.length} failed`]
  return [...counts, ...skipped.length === 0 ? [] : [`${skipped.length} skipped`]].join(', ')
}

/** Message and diff, shortened, and where the error was thrown. */
function textOf(errors: readonly Thrown[]): string {
  return errors.map(({ name, message, diff, stack }) => {
    const words = stripVTControlCharacters(
      [`${name ?? 'Error'}: ${message}`, ...diff === undefined ? [] : [diff]].join('\n'),
    )
    const frames = (stack ?? '').split('\n').filter((line) => /^\s*at /.test(line))
    const place = frames.find((line) => !line.includes('node_modules') && !line.includes('node:')) ?? frames[0]
    return [
      ...words.split('\n').filter((line) => line.trim() !== '').slice(0, shownLines - 1),
      ...place === undefined ? [] : [place],
    ].join('\n')
  }).join('\n')
}
