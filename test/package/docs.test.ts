import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consumer, run } from '../support/package/pack.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'

const root = join(import.meta.dirname, '../..')

/** The samples of docs/testing.md for a test runner, as a user copies them. */
function examplesFor(runner: string): readonly [string, ...string[]] {
  const guide = readFileSync(join(root, 'docs/testing.md'), 'utf8')
  const [first, ...rest] = [...guide.matchAll(new RegExp(`\`\`\`js ${runner}\n(.*?)\`\`\``, 'gs'))]
    .map(([, code = '']) => code)
  return [first ?? expect.fail(`there is no sample for ${runner}`), ...rest]
}

test.each(examplesFor('node:test'))('the example for node:test passes: %#', code => {
  writeFileSync(join(consumer, 'guide.test.mjs'), code)
  const { succeeded, output } = run('node', ['--test', 'guide.test.mjs'])
  expect(succeeded, output).toBe(true)
  expect(output).toContain('pass 1')
})

test('the example for Vitest passes', () => {
  writeFileSync(join(consumer, 'guide.spec.mjs'), examplesFor('vitest')[0])
  writeFileSync(join(consumer, 'none.mjs'), 'export default {}\n')
  const { succeeded, output } = run('vitest', ['run', '--root', consumer, '--config', 'none.mjs', 'guide.spec.mjs'])
  expect(succeeded, output).toBe(true)
  expect(output).toContain('2 passed')
})

const jest = runtimeProgram('jest')

/** The same code as a CommonJS module, which is what Jest runs by default. */
const asCommonJs = (code: string): string => code.replace(/^import (.*) from (.*)$/gm, 'const $1 = require($2)')

test.skipIf(jest === null).each([
  ['jest-guide.test.mjs', (code: string) => code],
  ['jest-guide.test.cjs', asCommonJs],
])('the example for Vitest passes under Jest, as %s', (name, write) => {
  writeFileSync(join(consumer, name), write(examplesFor('vitest')[0].replace("'vitest'", "'@jest/globals'")))
  const { succeeded, output } = run('env', ['NODE_OPTIONS=--experimental-vm-modules', jest ?? 'jest', name])
  expect(succeeded, output).toBe(true)
  expect(output).toContain('2 passed')
})
