import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { citedTitles, deviations, guidePath, writeGuide } from '../../scripts/conformance.ts'
import { readTitles, titlesIn } from '../../scripts/test-titles.ts'
import { cdiDescriptions } from '../../src/server/cdi/openapi.ts'
import { cdiEndpoints } from '../../src/server/cdi/route.ts'
import { cdiCalls } from '../support/cdi/calls.ts'
import { refusals } from '../support/cdi/refusals.ts'
import { unservedCalls } from '../support/cdi/unserved.ts'

const rows = new Set(cdiCalls.map(({ method, path }) => `${method} ${path}`))

test('the tables about CDI in docs/server.md are those of its tests', () => {
  const guide = readFileSync(guidePath, 'utf8')
  expect(guide).toBe(writeGuide(guide, readTitles()))
})

test('each test that the tables about CDI name exists, once', () => {
  const titles = readTitles()
  expect(citedTitles.filter(title => !titles.has(title))).toEqual([])
  expect([...cdiCalls, ...refusals, ...deviations].filter(({ tests }) => tests.length === 0)).toEqual([])
})

test('the tables about CDI have a row for each call of the router and of the OpenAPI document, and no other', () => {
  const served = [...cdiEndpoints].flatMap(([path, endpoint]) => (
    endpoint === null ? [] : Object.keys(endpoint.methods).map(method => `${method} ${path}`)
  ))
  const described = Object.entries(cdiDescriptions).flatMap(([path, methods]) => (
    Object.keys(methods).map(method => `${method} ${path}`)
  ))
  expect([...rows].toSorted()).toEqual(served.toSorted())
  expect([...rows].toSorted()).toEqual(described.toSorted())
  expect(unservedCalls.flatMap(({ calls }) => calls).filter(call => rows.has(call))).toEqual([])
})

test('titles are read with their groups from tests in one line and in several, and not from skipped tests', () => {
  expect(titlesIn([
    'test(\'one\', () => {', 'describe(\'group\', () => {', '  test.each([1])(\'two %i\', n => {', '  test.each([',
    '  ])(\'three\', () => {', '})', 'test.each([1])(', '  \'it\\\'s four\',', 'test.skip(\'five\', () => {',
  ].join('\n'))).toEqual([
    ['one', 'one'], ['two %i', 'group › two %i'], ['three', 'group › three'], ['it\'s four', 'it\'s four'],
  ])
})
