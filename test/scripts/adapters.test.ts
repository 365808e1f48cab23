import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { guidePath, writeGuide, writeTable } from '../../scripts/adapters.ts'

test('L-25: the table in docs/frameworks.md lists the calls that the adapters have', () => {
  const guide = readFileSync(guidePath, 'utf8')
  expect(guide).toContain(writeTable())
  expect(guide).toBe(writeGuide(guide))
})
