import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { frameworkContract } from '../../src/testing/framework-contract.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RuntimeName } from '../support/runtimes/install.ts'
import { startProgram } from '../support/runtimes/start-program.ts'
import type { RunningProgram } from '../support/runtimes/start-program.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { wireClient } from '../support/wire-client.ts'

const root = join(import.meta.dirname, '../..')
const serve = 'test/runtimes/apps/serve.ts'
const variants = ['plain', 'token', 'mounted', 'proxied']
const source = '--conditions=keyturn-source'

/** workerd joins the lines of a split `Cookie` header by commas, as HTTP/1.1 allows no client to send. */
const notOnWorkerd = 'verify: cookies split over several lines are one list'

interface RuntimeCase {
  readonly name: string
  readonly runtime: RuntimeName
  start(program: string): Promise<RunningProgram>
}

const run = (...parameters: readonly string[]) => (program: string): Promise<RunningProgram> => (
  startProgram(program, parameters, variants, root)
)

const cases: readonly RuntimeCase[] = [
  { name: 'node:http on Node 22', runtime: 'node', start: run(source, serve, 'node') },
  { name: 'web requests on Node 22', runtime: 'node', start: run(source, serve, 'web') },
  { name: 'node:http on Bun', runtime: 'bun', start: run(source, serve, 'node') },
  { name: 'web requests on Bun', runtime: 'bun', start: run(source, serve, 'web') },
  { name: 'node:http on Deno', runtime: 'deno', start: run('run', '-A', source, serve, 'node') },
  { name: 'web requests on Deno', runtime: 'deno', start: run('run', '-A', source, serve, 'web') },
  {
    name: 'web requests on workerd',
    runtime: 'workerd',
    start: program => serveWorker(
      program, 'test/runtimes/apps/worker.ts', Object.fromEntries(variants.map(name => [name, { VARIANT: name }])),
    ),
  },
]

for (const { name, runtime, start } of cases) {
  const program = runtimeProgram(runtime)
  describe.skipIf(program === null)(`framework contract: ${name}`, () => {
    let running: RunningProgram

    beforeAll(async () => {
      running = await start(program ?? runtime)
    })

    afterAll(() => running.close())

    for (const { name: promise, run: keep } of frameworkContract) {
      if (runtime === 'workerd' && promise === notOnWorkerd) continue
      test(promise, () => keep({ open: async variant => wireClient(running.ports.get(variant) ?? 0) }))
    }
  })
}
