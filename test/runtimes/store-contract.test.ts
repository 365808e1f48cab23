import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RuntimeName } from '../support/runtimes/install.ts'

const root = join(import.meta.dirname, '../..')
const app = (name: string): string[] => ['--conditions=keyturn-source', `test/runtimes/apps/${name}.ts`]

const cases: readonly { runtime: RuntimeName; driver: string; flags: readonly string[] }[] = [
  { runtime: 'bun', driver: 'bun:sqlite', flags: [] },
  { runtime: 'node', driver: 'node:sqlite', flags: [] },
  { runtime: 'deno', driver: 'node:sqlite', flags: ['run', '-A'] },
]

for (const { runtime, driver, flags } of cases) {
  const program = runtimeProgram(runtime)

  async function run(name: string): Promise<string> {
    const { stdout } = await promisify(execFile)(program ?? runtime, [...flags, ...app(name), driver], {
      cwd: root, maxBuffer: 2 ** 24,
    })
    return stdout
  }

  describe.skipIf(program === null)(`store contract: ${driver} on ${runtime}`, () => {
    const problems = new Map<string, string | null>()

    beforeAll(async () => {
      for (const line of (await run('store-contract')).split('\n').filter(each => each.startsWith('{'))) {
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

  test.skipIf(program === null)(`L-30: a lock does not stop the loop: ${driver} on ${runtime}`, async () => {
    expect(JSON.parse(await run('sqlite-lock'))).toEqual({ ticksWhenDone: 20, found: null, isInserted: true })
  })
}
