import { expect, test } from 'vitest'
import {
  type Failure, lastLine, listFailures, type Outcome, outcomeOf, outcomeOfRunner, type TestFile, type TestRun, total,
} from '../../scripts/test-outcome.ts'

type State = TestFile['tests'][number]['state']

const thrown = { name: 'AssertionError', message: 'expected 1 to be 2' }

const file = (project: string, ...states: State[]): TestFile => ({
  project,
  path: 'test/a.test.ts',
  duration: 1,
  errors: [],
  tests: states.map((state, index) => ({ title: `test ${index}`, state, errors: state === 'failed' ? [thrown] : [] })),
})

const runOf = (...files: TestFile[]): TestRun => ({ files, errors: [] })

const failure = (title: string, message = 'why'): Failure => ({ step: 'unit', where: 'test/a.test.ts', title, message })

test('passed, failed and skipped tests are counted, each for its project', () => {
  const run = runOf(file('unit', 'passed', 'failed'), file('unit', 'passed', 'skipped'), file('e2e', 'passed'))
  expect(outcomeOf(run, 'unit')).toEqual({
    passed: 2,
    failures: [failure('test 1', 'AssertionError: expected 1 to be 2')],
    skipped: ['test 1'],
  })
  expect(outcomeOf(run, 'e2e')).toEqual({ passed: 1, failures: [], skipped: [] })
})

test('a file that does not load, and a hook that throws, are failures', () => {
  const { failures } = outcomeOf(runOf({ ...file('unit', 'passed'), errors: [thrown] }), 'unit')
  expect(failures).toEqual([failure('outside of its tests', 'AssertionError: expected 1 to be 2')])
})

test('a run that fails is a failure, whatever its tests report', () => {
  const titles = (run: TestRun, endedWell: boolean): string[] => (
    outcomeOfRunner(run, endedWell).failures.map(({ title }) => title)
  )
  expect(titles(runOf(file('unit', 'passed')), true)).toEqual([])
  expect(titles(runOf(file('unit', 'passed')), false)).toEqual(['failed'])
  expect(titles(runOf(), false)).toEqual(['failed'])
  expect(titles({ ...runOf(), errors: [thrown] }, true)).toEqual(['outside of all tests'])
  // What the projects already count is not counted twice.
  expect(titles(runOf(file('unit', 'failed')), false)).toEqual([])
  expect(titles(runOf({ ...file('unit'), errors: [thrown] }), false)).toEqual([])
})

test('the last line is the sum of all steps', () => {
  const steps: Outcome[] = [
    { passed: 1, failures: [], skipped: [] },
    { passed: 4, failures: [], skipped: ['step e2e'] },
  ]
  expect(lastLine(total(steps.slice(0, 1), true))).toBe('1 passed, 0 failed')
  expect(lastLine(total(steps, false))).toBe('5 passed, 0 failed, 1 skipped')
  expect(lastLine(total(steps, true))).toBe('5 passed, 1 failed')
  expect(listFailures(total(steps, true).failures)).toContain('  step e2e')
})

test('failures are listed with step, file, title, error and location', () => {
  const stack = 'Error\n    at run (/a/node_modules/b.js:1:1)\n    at /a/test/a.test.ts:2:3\n    at node:internal:1'
  const error = { ...thrown, message: '\u001B[31mexpected\u001B[39m 1 to be 2', diff: '- 2\n+ 1', stack }
  const run = runOf({ ...file('unit'), tests: [{ title: 'a > b', state: 'failed', errors: [error] }] })
  expect(listFailures(outcomeOf(run, 'unit').failures)).toEqual([
    'failed: unit  test/a.test.ts',
    '  a > b',
    '    AssertionError: expected 1 to be 2',
    '    - 2',
    '    + 1',
    '        at /a/test/a.test.ts:2:3',
  ])
})

test('of a long message the first lines are listed, and of many failures the first ones', () => {
  const long = listFailures([
    failure('long', Array.from({ length: 100 }, (_, line) => `${line} `.repeat(500)).join('\n')),
  ])
  expect(long).toHaveLength(17)
  expect(Math.max(...long.map(({ length }) => length))).toBeLessThan(320)
  const many = listFailures(Array.from({ length: 100 }, (_, index) => failure(`test ${index}`)))
  expect(many.length).toBeLessThan(100)
  expect(many.at(-1)).toBe('failed: 75 more')
})
