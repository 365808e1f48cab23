import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkComments, findUndescribed, referencePath, writeReference } from '../../scripts/configuration.ts'
import { exportsPath, readExports, writeExports } from '../../scripts/exports.ts'
import { createSessions } from '../../src/create-sessions.ts'
import { inMemory } from '../../src/testing/index.ts'

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

const root = join(import.meta.dirname, '../..')
/** What a user reads to learn how to use the package: not the lists that are generated, and not the requirements. */
const guides = ['README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map(name => `docs/${name}`)]
  .filter(name => name.endsWith('.md') && !/^docs\/(?:api\/|(?:configuration|exports|requirements)\.md$)/.test(name))
  .map(name => readFileSync(join(root, name), 'utf8')).join('\n')
const isInGuides = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(guides)

describe('L-18: what the package has is documented', () => {
  test('docs/exports.md is what scripts/exports.ts generates from the doc comments', () => {
    expect(readFileSync(exportsPath, 'utf8')).toBe(writeExports())
  })

  test('every export has a doc comment', () => {
    const exports = [...readExports()].flatMap(([specifier, all]) => all.map(each => ({ specifier, ...each })))
    expect(exports.length).toBeGreaterThan(300)
    expect(exports.filter(({ meaning }) => meaning === null)).toEqual([])
  })

  test('every option of createSessions, createVerifier and the adapters is in a guide', () => {
    const options = writeReference().split(/^## /m)
      .filter(section => /^`(?:createSessions|createVerifier|\w+Sessions)\(/.test(section))
      .flatMap(section => [...section.matchAll(/^\| `(?:\w+\.)?\[?(\w+)\]?`/gm)].map(([, name = '']) => name))
    expect(new Set(options).size).toBeGreaterThan(50)
    expect([...new Set(options)].filter(name => !isInGuides(name))).toEqual([])
  })

  test('every call that needs no request is in a guide', () => {
    const calls = Object.keys(createSessions({ origin: 'https://app.example.com', ...inMemory() }))
    expect(calls.filter(name => name !== 'http' && !isInGuides(name))).toEqual([])
  })

  test.each(['claimValidators', 'refreshSession', 'allowInsecureCookies', 'onListenerError'])('%s is in a guide',
    name => {
      expect(isInGuides(name)).toBe(true)
  })
})
