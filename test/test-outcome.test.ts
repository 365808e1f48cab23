import { expect, test } from 'vitest'
import { lastLine, outcomeOf, total, type VitestReport } from '../scripts/test-outcome.ts'

const file = (status: string, ...tests: string[]): VitestReport['testResults'][number] => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((test, index) => ({ fullName: `test ${index}`, status: test })),
})

test('passed, failed and skipped tests are counted', () => {
  const report = { testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed', 'skipped', 'todo')] }
  expect(outcomeOf(report, false)).toEqual({ passed: 2, failed: 1, skipped: ['test 1', 'test 2'] })
})

test('a file that does not load, and a run that ends badly, are failures', () => {
  expect(outcomeOf({ testResults: [file('failed')] }, false).failed).toBe(1)
  expect(outcomeOf({ testResults: [file('failed', 'passed')] }, false).failed).toBe(1)
  expect(outcomeOf({ testResults: [file('passed', 'passed')] }, false).failed).toBe(1)
  expect(outcomeOf({ testResults: [] }, false).failed).toBe(1)
})

test('the last line is the sum of all steps', () => {
  const steps = [{ passed: 1, failed: 0, skipped: [] }, { passed: 4, failed: 0, skipped: ['step e2e'] }]
  expect(lastLine(total(steps.slice(0, 1), true))).toBe('1 passed, 0 failed')
  expect(lastLine(total(steps, false))).toBe('5 passed, 0 failed, 1 skipped')
  expect(lastLine(total(steps, true))).toBe('5 passed, 1 failed')
  expect(total(steps, true).refusedSkips).toEqual(['step e2e'])
})
