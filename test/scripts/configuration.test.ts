import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkComments, findUndescribed, referencePath, writeReference } from '../../scripts/configuration.ts'

test('S-10: docs/configuration.md is what scripts/configuration.ts generates from the rules and the doc comments', () => {
  expect(readFileSync(referencePath, 'utf8')).toBe(writeReference())
})

describe('S-10: rules and types agree', () => {
  test('every option has a doc comment with the unit, the bounds and the default of its rule', () => {
    expect(checkComments()).toEqual([])
  })

  test('every exported type of options has a section in the reference', () => {
    expect(findUndescribed()).toEqual([])
  })
})
