import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  findFaults, isRule, readReport, type Results, type StrykerReport, writePage,
} from '../../scripts/mutation-report.ts'
import { explanations } from '../mutation/survivors.ts'

const root = join(import.meta.dirname, '../..')
const committed: Results = JSON.parse(readFileSync(join(root, 'docs/mutation.json'), 'utf8'))

const at = (line: number, column: number, endLine: number, endColumn: number) => (
  { start: { line, column }, end: { line: endLine, column: endColumn } }
)
const mutants: StrykerReport['files'][string]['mutants'] = [
  { mutatorName: 'EqualityOperator', replacement: 'a <= b', status: 'Survived', location: at(2, 10, 2, 15) },
  { mutatorName: 'BlockStatement', replacement: '{}', status: 'NoCoverage', location: at(1, 29, 3, 2) },
  { mutatorName: 'BooleanLiteral', replacement: 'true', status: 'Killed', location: at(2, 10, 2, 15) },
  { mutatorName: 'BooleanLiteral', replacement: 'false', status: 'Timeout', location: at(2, 10, 2, 15) },
  { mutatorName: 'StringLiteral', replacement: '""', status: 'Ignored', location: at(4, 1, 4, 2) },
]
const source = 'function less(a: T, b: T) { {\n  return a < b\n}}\n'
const [rule, other] = ['src/session/decide-order.ts', 'src/session/order.ts']
const results = readReport({ files: { [rule]: { source, mutants }, [other]: { source, mutants } } }, '2026-11-30')

test('readReport counts the mutants of each file, and describes the survivors of rules', () => {
  const counts = { killed: 1, timeout: 1, survived: 1, uncovered: 1, ignored: 1, date: '2026-11-30' }
  expect(results[other]).toEqual({ ...counts, survivors: [] })
  expect(results[rule]).toEqual({
    ...counts,
    survivors: [
      { line: 2, code: 'a < b', mutation: 'a <= b' },
      { line: 1, code: '{ return a < b }', mutation: '{}' },
    ],
  })
})

test('a constant counts in rules only, unless a test found its mutant', () => {
  const constants = mutants.map((mutant) => ({ ...mutant, static: true }))
  const read = readReport({
    files: { [rule]: { source, mutants: constants }, [other]: { source, mutants: constants } },
  }, '2026-11-30')
  expect(read[other]).toMatchObject({ killed: 1, timeout: 1, survived: 0, uncovered: 1, ignored: 2 })
  expect(read[rule]).toMatchObject({ killed: 1, timeout: 1, survived: 1, uncovered: 1, ignored: 1 })
})

test('a rule needs 95 % and an explanation of each survivor; other files need neither', () => {
  const why = { file: rule, code: 'a < b', mutation: 'a <= b', why: 'they differ' }
  expect(findFaults(results, [why])).toEqual([
    `${rule}: 50.0 % of the mutants were found, not 95`,
    `${rule}:1: nothing fails if \`{ return a < b }\` becomes \`{}\``,
  ])
  expect(findFaults({}, [])).toEqual([])
})

test('the page has a row for each file, a sum, and the survivors of rules with their explanations', () => {
  const page = writePage(results, [{ file: rule, code: 'a < b', mutation: 'a <= b', why: 'they differ' }])
  expect(page).toContain('| `session/order.ts` | 4 | 1 | 1 | 1 | 1 | 1 | 50.0 % | 2026-11-30 |')
  expect(page).toContain('| `session/decide-order.ts:2` | `` a < b `` | `` a <= b `` | they differ |')
  expect(page).toContain('| `session/decide-order.ts:1` | `` { return a < b } `` | `` {} `` | not explained |')
  expect(page.match(/^\| together \|.*$/gm)).toHaveLength(2)
})

test('the committed page is what the committed results say', () => {
  expect(readFileSync(join(root, 'docs/mutation.md'), 'utf8')).toBe(writePage(committed, explanations))
  expect(Object.keys(committed).filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('of each rule at least 95 % of the mutants were killed, and each survivor is explained', () => {
  expect(Object.keys(committed).filter(isRule).length).toBeGreaterThanOrEqual(8)
  expect(findFaults(committed, explanations)).toEqual([])
})

test('every explanation is of a mutant that survives', () => {
  const known = Object.entries(committed).flatMap(([file, { survivors }]) => (
    survivors.map(({ code, mutation }) => [file, code, mutation].join('\n'))
  ))
  const stale = explanations.filter(({ file, code, mutation }) => !known.includes([file, code, mutation].join('\n')))
  expect(stale).toEqual([])
})
