import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RuntimeName } from '../support/runtimes/install.ts'

const root = join(import.meta.dirname, '../..')
const app = ['--conditions=keyturn-source', 'test/runtimes/apps/store-contract.ts']

const cases: readonly { runtime: RuntimeName; driver: string; parameters: readonly string[] }[] = [
  { runtime: 'bun', driver: 'bun:sqlite', parameters: app },
  { runtime: 'node', driver: 'node:sqlite', parameters: app },
  { runtime: 'deno', driver: 'node:sqlite', parameters: ['run', '-A', ...app] },
]

for (const { runtime, driver, parameters } of cases) {
  const program = runtimeProgram(runtime)
  describe.skipIf(program === null)(`store contract: ${driver} on ${runtime}`, () => {
    const problems = new Map<string, string | null>()

    beforeAll(async () => {
      const { stdout } = await promisify(execFile)(program ?? runtime, [...parameters, driver], {
        cwd: root, maxBuffer: 2 ** 24,
      })
      for (const line of stdout.split('\n').filter(each => each.startsWith('{'))) {
        const { name, problem }: { name: string; problem: string | null } = JSON.parse(line)
        problems.set(name, problem)
      }
    })

    for (const { name } of storeContract) {
      test(name, () => {
        expect(problems.get(name)).toBeNull()
      })
    }
  })
}
