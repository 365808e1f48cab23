// The declarations of the package, whatever uses them: test/types uses each name, and no type is `any`.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readDeclarations } from '../support/package/declarations.ts'
import { consumer, specifiers } from '../support/package/pack.ts'

const entries = specifiers().filter(specifier => !specifier.endsWith('.json'))
const types = join(import.meta.dirname, '../types')

/** The names that the type tests import from each entry. */
function testedNames(): ReadonlyMap<string, ReadonlySet<string>> {
  const tested = new Map(entries.map(specifier => [specifier, new Set<string>()]))
  for (const file of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!/\.[cm]?tsx?$/.test(file)) continue
    const code = readFileSync(join(types, file), 'utf8')
    for (const [, names = '', specifier = ''] of code.matchAll(/^import (?:type )?\{([^}]*)\} from '(.*)'$/gm)) {
      for (const name of names.split(',')) tested.get(specifier)?.add(name.trim())
    }
    for (const [, space, specifier = ''] of code.matchAll(/^import (?:type )?\* as (\w+) from '(.*)'$/gm)) {
      const uses = code.matchAll(new RegExp(`\\b${space}\\.(\\w+)`, 'g'))
      for (const [, name = ''] of uses) tested.get(specifier)?.add(name)
    }
  }
  return tested
}

test('each name that the package exports has a type test', () => {
  const tested = testedNames()
  const untested = readDeclarations(consumer, entries, ({ exportsOf }) => entries.flatMap(specifier => (
    exportsOf(specifier).filter(name => tested.get(specifier)?.has(name) !== true).map(name => `${specifier}: ${name}`)
  )))
  expect(untested).toEqual([])
})

test('no declaration is `any`', () => {
  expect(readDeclarations(consumer, entries, ({ findAny }) => findAny())).toEqual([])
})

const copy = join(consumer, '../damaged')

/** Finds `any` in the package with one file of declarations changed; null: without that file. */
function findAnyWith(file: string, change: (text: string) => string | null): readonly string[] {
  const path = join(copy, 'node_modules/keyturn/dist', file)
  const sound = readFileSync(path, 'utf8')
  const changed = change(sound)
  expect(changed).not.toBe(sound)
  if (changed === null) rmSync(path)
  else writeFileSync(path, changed)
  try {
    return readDeclarations(copy, entries, ({ findAny }) => findAny())
  } finally {
    writeFileSync(path, sound)
  }
}

beforeAll(() => {
  // With its package.json: a folder of the repository would import the repository itself.
  for (const path of ['package.json', 'node_modules/keyturn']) {
    cpSync(join(consumer, path), join(copy, path), { recursive: true })
  }
})

test('a declaration that is `any` is found', () => {
  const found = findAnyWith('transport/session.d.ts', text => text.replace('Promise<OutputOf<Info>>', 'Promise<any>'))
  expect(found).toEqual([expect.stringMatching(/^dist\/transport\/session\.d\.ts:\d+: any$/)])
})

test('a file whose declarations are missing is found', () => {
  const found = findAnyWith('transport/session.d.ts', () => null)
  expect(found).toContainEqual(expect.stringMatching(/^dist\/frameworks\/express\.d\.ts:\d+: Session<Payload, Info>$/))
})
