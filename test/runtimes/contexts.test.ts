import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runtimeProgram } from '../support/runtimes/install.ts'

const app = join(import.meta.dirname, 'apps/contexts.ts')
const condition = '--conditions=keyturn-source'
const node = ['--expose-gc', condition, '--experimental-strip-types', '--disable-warning=ExperimentalWarning']

const runtimes = [
  ['Node 22', runtimeProgram('node'), node],
  ['Bun', runtimeProgram('bun'), [condition]],
  ['Deno', runtimeProgram('deno'), ['run', '-A', '--v8-flags=--expose-gc', condition]],
] as const

describe.each(runtimes)('%s', (_, program, flags) => {
  test.skipIf(program === null)(
    'L-31: what outlives the first requests runs outside of them, and does not keep them',
    () => {
      const { stdout, stderr } = spawnSync(program ?? '', [...flags, app], { encoding: 'utf8', timeout: 120_000 })
      expect(stdout, stderr).not.toBe('')
      expect(JSON.parse(stdout)).toEqual({
        polls: [],
        wakes: [],
        logins: ['first login'],
        isCollected: true,
        hasPolled: true,
      })
    },
  )
})
