import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { realRules } from './refresh.ts'
import { explain, measured, print } from './report.ts'
import { quickScenarios } from './scenarios.ts'

test.each(mutants)('the search finds the mutant "$name"', async ({ name, rules, scenario, breaks, horizon }) => {
  const { violation } = await measured(`mutant "${name}"`, () => (
    quickScenarios[scenario].run({ ...realRules, ...rules }, horizon)
  ))
  if (violation !== null) print(explain(violation))
  expect(violation?.law).toBe(breaks)
}, 300_000)
