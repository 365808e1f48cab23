import { join } from 'node:path'
import { describe, test } from 'vitest'
import { driveExample, examples } from '../support/drive-example.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'

const server = join(examples, 'web', 'server.mjs')

describe.for([['bun', [server]], ['deno', ['run', '-A', server]]] as const)('on %s', ([runtime, parameters]) => {
  const program = runtimeProgram(runtime)

  test.skipIf(program === null)('the example "web" serves sessions', () => driveExample(program ?? runtime, parameters))
})
