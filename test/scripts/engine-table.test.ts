import { expect, test } from 'vitest'
import { type EngineResult, readResults, readRun, writeTable } from '../../scripts/engine-table.ts'

const results: readonly EngineResult[] = [
  { name: 'redis', title: 'Redis', version: '7.0.15', passed: 300, failures: 0, failed: [], date: '2026-11-29' },
  {
    name: 'mysql',
    title: 'MySQL',
    version: '9.7.4',
    passed: 1,
    failures: 2,
    failed: ['one | of it', 'another'],
    date: '2026-11-28',
  },
  {
    name: 'arrangements',
    title: 'Other arrangements',
    version: '',
    passed: 0,
    failures: 1,
    failed: ['third'],
    date: '2026-11-28',
  },
]

test('the page of the engines is read as it was written, so that rows of earlier runs stay', () => {
  const page = writeTable(results)
  expect(page).toContain('| `mysql` | MySQL | 9.7.4 | 1 | 2 | 2026-11-28 |')
  expect(readResults(page)).toEqual(results.map((result) => [result.name, result]))
  expect(readResults(writeTable([]))).toEqual([])
})

test('of many failures the page lists the first and counts all, also when it is written again', () => {
  const titles = Array.from({ length: 30 }, (_, number) => `test ${number}`)
  const page = writeTable([
    { name: 'mysql', title: 'MySQL', version: '9.7.4', passed: 1, failures: 30, failed: titles, date: '2026-11-28' },
  ])
  expect(page).toContain('- test 19\n\nand 10 more.\n')
  expect(writeTable(readResults(page).map(([, result]) => result))).toBe(page)
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
  expect(run).toEqual({ passed: 1, failures: 2, failed: ['group breaks', 'test/stores/b.test.ts did not load'] })
})
