import { describe, expect, test } from 'vitest'
import {
  checkDependencies,
  checkCycles,
  checkExports,
  checkLengths,
  checkNeutral,
  checkPackages,
  checkReach,
  checkReferences,
  checkModules,
  checkTargets,
  readModuleTable,
} from '../../scripts/architecture/rules.ts'
import { checkNames } from '../../scripts/architecture/names.ts'
import { readSourceFile, type SourceFile } from '../../scripts/architecture/source-file.ts'

const document = `# Architecture

## Modules and dependencies

| module | may import |
|---|---|
| \`base\` | |
| session | base |
| transport | base, types of session |
| platform | base |

## Something else

| module | may import |
|---|---|
| base | session |
`
const { table } = readModuleTable(document)
const aliases = new Map([['#platform', 'src/platform/node.ts']])
const file = (path: string, text: string): SourceFile => readSourceFile(path, text)

describe('the table', () => {
  test('is read from the table under its heading only', () => {
    expect(readModuleTable(document).problems).toEqual([])
    expect([...table.keys()]).toEqual(['base', 'session', 'transport', 'platform'])
    expect(table.get('base')?.size).toBe(0)
    expect([...table.get('transport') ?? []]).toEqual([['base', 'values'], ['session', 'types']])
  })

  test('is reported when its heading or its table is missing, or a cell cannot be read', () => {
    expect(readModuleTable('# Architecture').problems)
      .toEqual(['docs/architecture.md has no heading "## Modules and dependencies"'])
    expect(readModuleTable('## Modules and dependencies\n').problems)
      .toEqual(['docs/architecture.md has no table under "## Modules and dependencies"'])
    expect(readModuleTable('## Modules and dependencies\n| cli | all but client |').problems)
      .toEqual(['docs/architecture.md: cannot read "all but client" in module cli'])
  })

  test('has every module that exists, and no other', () => {
    expect(checkModules(table, new Set(['base', 'session', 'transport', 'platform']))).toEqual([])
    expect(checkModules(table, new Set(['base', 'session', 'transport', 'cli']))).toEqual([
      'module cli is not in docs/architecture.md',
      'module platform is in docs/architecture.md but does not exist',
    ])
  })
})

test('the references of a module must be its dependencies', () => {
  expect(checkReferences(table, new Map([['session', ['base']], ['base', []]]))).toEqual([])
  expect(checkReferences(table, new Map([['session', ['transport']]]))).toEqual([
    'the tsconfig.json of session references transport, which the table does not allow',
    'the tsconfig.json of session does not reference base, which the table allows',
  ])
})

describe('imports', () => {
  test('may follow the dependencies', () => {
    const files = [
      file('src/index.ts', `export * from './session/core.ts'\nimport { clock } from '#platform'`),
      file('src/session/core.ts', `import { now } from '../base/time.ts'\nimport { other } from './other.ts'`),
      file('src/transport/read.ts', `import type { Session } from '../session/core.ts'`),
    ]
    expect(checkDependencies(table, files, aliases)).toEqual([])
  })

  test.each([
    ['src/base/time.ts', `import type { S } from '../session/core.ts'`,
      'docs/architecture.md does not allow base to import session'],
    ['src/base/time.ts', `export { s } from '../session/core.ts'`,
      'docs/architecture.md does not allow base to import session'],
    ['src/base/time.ts', `export * from '../session/core.ts'`,
      'docs/architecture.md does not allow base to import session'],
    ['src/base/time.ts', `const s = await import('../session/core.ts')`,
      'docs/architecture.md does not allow base to import session'],
    ['src/base/time.ts', `let s: import('../session/core.ts').S`,
      'docs/architecture.md does not allow base to import session'],
    ['src/session/core.ts', `import { clock } from '#platform'`,
      'docs/architecture.md does not allow session to import platform'],
    ['src/transport/read.ts', `import { s } from '../session/core.ts'`, 'transport may only import types of session'],
    ['src/session/core.ts', `import { s } from '../index.ts'`,
      'no module may import the files that assemble the modules'],
    ['src/session/core.ts', `import { s } from '../../test/fake.ts'`, 'which is outside src'],
  ])('in %s of the form %s break them', (path, text, problem) => {
    expect(checkDependencies(table, [file(path, text)], aliases)).toEqual([expect.stringContaining(problem)])
  })

  test('in comments and strings do not count', () => {
    const text = `// import '../session/core.ts'\nconst text = "import '../session/core.ts'"`
    expect(checkDependencies(table, [file('src/base/time.ts', text)], aliases)).toEqual([])
  })

  test('must refer to a file that exists', () => {
    const files = [file('src/base/time.ts', `import './bytes.ts'\nimport './lost.ts'`)]
    expect(checkTargets(files, new Set(['src/base/bytes.ts'])))
      .toEqual(['src/base/time.ts imports ./lost.ts, which does not exist'])
  })

  test('of values come from declared packages only', () => {
    const text = `import type { A } from 'express'\nimport 'pg/lib/x.js'\nimport '@scope/name/sub'\nimport 'node:fs'`
    expect(checkPackages([file('src/stores/postgres.ts', text)], new Set(['@scope/name'])))
      .toEqual(['src/stores/postgres.ts imports pg/lib/x.js, which is not a dependency of the package'])
  })
})

describe('a neutral module', () => {
  test.each([
    [`import { readFileSync } from 'node:fs'`, 'imports node:fs'],
    [`const cwd = process.cwd()`, 'uses process'],
    [`const bytes = globalThis.x ?? Buffer.from('')`, 'uses Buffer'],
    [`const fs = require('fs')`, 'uses require'],
    [`const all = { process }`, 'uses process'],
  ])('does not contain %s', (text, problem) => {
    expect(checkNeutral([file('src/tokens/keys.ts', text)]))
      .toEqual([`src/tokens/keys.ts ${problem}, but tokens is neutral`])
    expect(checkNeutral([file('src/platform/keys.ts', text)])).toEqual([])
  })

  test('may use those words in comments, strings and properties', () => {
    const text = `// process\nconst a = 'Buffer'\nconst b = { require: 1 }\nconst c = b.require`
    expect(checkNeutral([file('src/tokens/keys.ts', text)])).toEqual([])
  })
})

test('import cycles are reported, except for types', () => {
  const files = [
    file('src/base/a.ts', `import { b } from './b.ts'`),
    file('src/base/b.ts', `import { c } from './c.ts'\nimport type { A } from './a.ts'`),
    file('src/base/c.ts', `export const c = 1`),
  ]
  expect(checkCycles(files)).toEqual([])
  expect(checkCycles([...files.slice(0, 2), file('src/base/c.ts', `import { a } from './a.ts'`)]))
    .toEqual(['these files import each other: src/base/a.ts, src/base/b.ts, src/base/c.ts, src/base/a.ts'])
})

test('a file has at most 300 lines', () => {
  expect(checkLengths([file('src/base/a.ts', 'let a\n'.repeat(300))])).toEqual([])
  expect(checkLengths([file('src/base/a.ts', 'let a\n'.repeat(301))]))
    .toEqual(['src/base/a.ts has 301 lines; the limit is 300: move one of its ideas to another file'])
})

test('no chain of imports leads from the root entry to the server', () => {
  const files = [
    file('src/index.ts', `export * from './session/core.ts'`),
    file('src/session/core.ts', `import '#platform'`),
    file('src/platform/node.ts', `const s = await import('../server/http.ts')`),
    file('src/testing/index.ts', `import '../cli/main.ts'`),
  ]
  expect(checkReach('src/index.ts', new Set(['server', 'cli']), files, aliases))
    .toEqual(['src/index.ts reaches src/server/http.ts, through src/platform/node.ts'])
})

test('every export of package.json has a source', () => {
  const exported = {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './client': { node: null, default: './dist/client/index.js' },
    './package.json': './package.json',
  }
  expect(checkExports(exported, new Set(['src/index.ts', 'package.json'])))
    .toEqual(['package.json exports a file whose source src/client/index.ts does not exist'])
})

describe('a name', () => {
  const check = (...files: readonly (readonly [path: string, text: string])[]): string[] => checkNames(new Map(files))

  test('has one meaning', () => {
    expect(check(['src/base/a.ts', 'export function find(): void {}'], ['src/cli/b.ts', 'export type find = 1']))
      .toEqual(['find is exported by src/base/a.ts and src/cli/b.ts'])
    expect(check(['src/base/a.ts', 'export function find(): void {}'], ['src/cli/b.ts', 'function find() {}']))
      .toEqual([])
    expect(check(['src/base/a.ts', 'export function find(a: 1): void\nexport function find(a: 2): void'])).toEqual([])
  })

  test('may be that of one role in parallel folders', () => {
    const text = 'export const createChangeLog = 1'
    expect(check(['src/stores/sqlite/log.ts', text], ['src/stores/redis/log.ts', text])).toEqual([])
    expect(check(['src/stores/sqlite/log.ts', text], ['src/stores/sqlite/other.ts', text])).toHaveLength(1)
    expect(check(['src/stores/sqlite/log.ts', text], ['src/session/log.ts', text])).toHaveLength(1)
  })
})
