import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { storeContract } from '../../src/testing/contracts.ts'
import { compile } from '../support/package/compile.ts'
import { consumer, run } from '../support/package/pack.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'

// The store that docs/writing-a-store.md builds, as a reader who has installed the package gets it.

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/writing-a-store.md'), 'utf8')

/** The files of the page: its blocks of code by the name that each begins with, in their order. */
const files = new Map<string, string>()
for (const [, name = '', code = ''] of guide.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)) {
  files.set(name, `${files.get(name) ?? ''}${code}\n`)
}

const folder = join(consumer, 'own-store')
mkdirSync(folder, { recursive: true })
for (const [name, code] of files) writeFileSync(join(folder, name), code)

const options = {
  module: 'nodenext', lib: ['es2023'], types: ['node'], allowImportingTsExtensions: true, noUncheckedIndexedAccess: true,
  noUnusedLocals: true, noUnusedParameters: true, erasableSyntaxOnly: true, verbatimModuleSyntax: true,
}

test('every block of code is part of a file that is tested', () => {
  expect([...files.keys()]).toEqual(['key-value.ts', 'store.ts', 'store.test.ts', 'store.spec.ts'])
  expect(guide.match(/^```\w/gm)).toHaveLength(guide.match(/^```ts \S+\.ts$/gm)?.length ?? 0)
})

test.each([['7', join(root, 'node_modules/.bin/tsc')], ['5.9', runtimeProgram('tsc')]])(
  'TypeScript %s finds nothing wrong with the store and its tests', (_version, compiler) => {
    expect(compile(compiler ?? '', 'own-store/store.test.ts', { ...options, skipLibCheck: false })).toBe('')
    // Vitest's own types are not ours to judge.
    expect(compile(compiler ?? '', 'own-store/store.spec.ts', { ...options, skipLibCheck: true })).toBe('')
  })

test('the store passes the whole contract under node:test', () => {
  const { succeeded, output } = run('node', ['--test', 'store.test.ts'], folder)
  expect(succeeded, output).toBe(true)
  expect(output).toContain(`pass ${storeContract.length}\n`)
  for (const other of ['fail', 'cancelled', 'skipped', 'todo']) expect(output).toContain(`${other} 0\n`)
})

test('the store passes the whole contract under Vitest', () => {
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {}\n')
  const { succeeded, output } = run('vitest', ['run', '--root', folder], folder)
  expect(succeeded, output).toBe(true)
  expect(output).toContain(`${storeContract.length} passed`)
  expect(output).not.toContain('skipped')
})
