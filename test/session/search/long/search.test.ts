import { afterAll, describe, expect, test } from 'vitest'
import { realRules } from '../refresh.ts'
import { explain, inThousands, measured, print } from '../report.ts'
import { longScenarios } from '../scenarios.ts'

describe('in every state that can be reached', () => {
  let states = 0

  test.each(longScenarios)('$name', async ({ name, run }) => {
    const { states: found, violation } = await measured(name, () => run(realRules))
    states += found
    expect(violation === null ? null : explain(violation)).toBeNull()
  })

  afterAll(() => print(`${inThousands(states)} states searched in all`))
})
