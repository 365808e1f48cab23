import { afterAll, describe, expect, test } from 'vitest'
import { realRules } from './refresh.ts'
import { explain, inThousands, measured, print } from './report.ts'
import { quickScenarios } from './scenarios.ts'

describe('in every state that can be reached', () => {
  let states = 0

  test.each(Object.values(quickScenarios))('$name', async ({ name, run }) => {
    const { states: found, violation } = await measured(name, () => run(realRules))
    states += found
    expect(violation === null ? null : explain(violation)).toBeNull()
  }, 300_000)

  afterAll(() => print(`${inThousands(states)} states searched in all`))
})
