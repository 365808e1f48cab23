import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { storeContract } from '../../src/testing/contracts.ts'
import { compile, compilers } from '../support/package/compile.ts'
import { consumer, run } from '../support/package/pack.ts'

// The store that docs/writing-a-store.md builds, compiled and run against the installed package.

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/writing-a-store.md'), 'utf8')

/** The files of the page: its code blocks, joined by the file name that each begins with. */
const files = new Map<string, string>()
for (const [, name = '', code = ''] of guide.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)) {
  files.set(name, `${files.get(name) ?? ''}${code}\n`)
}

const folder = join(consumer, 'own-store')
mkdirSync(folder, { recursive: true })
for (const [name, code] of files) writeFileSync(join(folder, name), code)

writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
  compilerOptions: {
    noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022', module: 'nodenext', lib: ['es2023'],
    types: ['node'], allowImportingTsExtensions: true, noUncheckedIndexedAccess: true, noUnusedLocals: true,
    noUnusedParameters: true, verbatimModuleSyntax: true,
    // Vitest's own types are not ours to judge.
    skipLibCheck: true,
  },
  files: ['store.test.ts', 'store.spec.ts'],
}))

test('every block of code is part of a file that is tested', () => {
  expect([...files.keys()]).toEqual(['key-value.ts', 'store.ts', 'store.test.ts', 'store.spec.ts'])
  expect(guide.match(/^```\w/gm)).toHaveLength(guide.match(/^```ts \S+\.ts$/gm)?.length ?? 0)
})

describe.for(compilers)('TypeScript $version', compiler => {
  test.skipIf(compiler.program === null)('finds nothing wrong with the store and its tests', () => {
    expect(compile(compiler, folder, 'tsconfig.json')).toEqual([])
  })
})

test('the store passes the whole contract under node:test', () => {
  const { succeeded, output } = run('node', ['--test', 'store.test.ts'], folder)
  expect(succeeded, output).toBe(true)
  expect(output).toContain(`pass ${storeContract.length}\n`)
  for (const other of ['fail', 'cancelled', 'skipped', 'todo']) expect(output).toContain(`${other} 0\n`)
})

test('the store passes the whole contract under Vitest', () => {
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {}\n')
  const { succeeded, output } = run('vitest', ['run', '--root', folder, 'store.spec.ts'], folder)
  expect(succeeded, output).toBe(true)
  expect(output).toContain(`${storeContract.length} passed`)
  expect(output).not.toContain('skipped')
})

/** Faulty stores: in each, one part that the page explains is missing. */
const leftOut: readonly (readonly [title: string, code: string, without: string])[] = [
  ['writes that do not check what has changed', 'commit(attempt.read, ', 'commit([], '],
  [
    'logins that do not rely on the not-befores that they have read',
    'attempt.getAll<NotBefore>(notBeforeNames', 'new Attempt(database).getAll<NotBefore>(notBeforeNames',
  ],
  [
    'a removal that looks for sessions before it commits its not-before',
    `if (after === null) await refuseBefore(notBeforeName({ userId, tenantId }), notBefore)
      const listed = present(await new Attempt(database).getAll<SessionRecord>(await keysOfUser(userId)))`,
    `const listed = present(await new Attempt(database).getAll<SessionRecord>(await keysOfUser(userId)))
      if (after === null) await refuseBefore(notBeforeName({ userId, tenantId }), notBefore)`,
  ],
  ['take-overs that keep no claim', 'if (standing === null) attempt.set(claimKey(record.handle), given)', ''],
  ['log numbers that do not increase', '(head?.sequence ?? 0) + 1', '1'],
  ['an unknown cursor that it accepts', "isKnown ? changeKey(place.sequence) : ''", 'changeKey(place?.sequence ?? 0)'],
  ['a change that is kept for too short a time', '=> accessTokenLifetime)', '=> 0)'],
  ['a cleanup that does not check again', 'current === null || !isOver(current)', 'current === null'],
  ['keys that are not swapped', 'apply(await read(attempt))', 'apply(await read(new Attempt(database)))'],
]

test.each(leftOut)('the contract refuses the store with %s', (_title, code, without) => {
  const store = files.get('store.ts') ?? ''
  expect(store.split(code)).toHaveLength(2)
  writeFileSync(join(folder, 'mutant.ts'), store.replace(code, without))
  const program = `
    import { ContractViolation, storeContract } from 'keyturn/testing/contracts'
    import { createKeyValue } from './key-value.ts'
    import { createKeyValueStore } from './mutant.ts'
    for (const { name, run } of storeContract) {
      const database = createKeyValue()
      await run({ open: async () => createKeyValueStore(database) }).catch(error => {
        console.log(error instanceof ContractViolation ? 'refused by' : 'broken in', name)
        process.exit()
      })
    }`
  expect(run('node', ['--input-type=module', '--eval', program], folder).output).toMatch(/^refused by /)
})
