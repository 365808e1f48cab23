import { expect, test } from 'vitest'
import { type EngineResult, readResults, readRun, writeTable } from '../../scripts/engine-table.ts'

const results: readonly EngineResult[] = [
  { name: 'redis', title: 'Redis', version: '7.0.15', passed: 300, failed: [], date: '2026-11-29' },
  { name: 'mysql', title: 'MySQL', version: '9.7.4', passed: 1, failed: ['one | of it', 'another'], date: '2026-11-28' },
  { name: 'arrangements', title: 'Other arrangements', version: '', passed: 0, failed: ['third'], date: '2026-11-28' },
]

test('the page of the engines is read as it was written, so that rows of earlier runs stay', () => {
  const page = writeTable(results)
  expect(page).toContain('| `mysql` | MySQL | 9.7.4 | 1 | 2 | 2026-11-28 |')
  expect(readResults(page)).toEqual(results.map((result) => [result.name, result]))
  expect(readResults(writeTable([]))).toEqual([])
})

test('readRun counts what passed and names what failed; a file that did not load has failed', () => {
  const run = readRun({
    testResults: [
      {
        name: '/x/test/stores/a.test.ts',
        status: 'failed',
        assertionResults: [
          { fullName: ' works', status: 'passed' },
          { fullName: 'group breaks', status: 'failed' },
          { fullName: 'waits', status: 'pending' },
        ],
      },
      { name: '/x/test/stores/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    ],
  })
  expect(run).toEqual({ passed: 1, failed: ['group breaks', 'test/stores/b.test.ts did not load'] })
})
