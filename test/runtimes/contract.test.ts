import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frameworkContract } from '../../src/testing/framework-contract.ts'
import type { Send, WireReply } from '../../src/testing/framework-contract.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RuntimeName } from '../support/runtimes/install.ts'
import { startProgram } from '../support/runtimes/start-program.ts'
import type { RunningProgram } from '../support/runtimes/start-program.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { wireClient } from '../support/wire-client.ts'

const root = join(import.meta.dirname, '../..')
const serve = 'test/runtimes/apps/serve.ts'
const variants = ['plain', 'token', 'mounted', 'proxied', 'pages', 'no-cors']
const source = '--conditions=keyturn-source'

/**
 * workerd joins the lines of a split `Cookie` header with commas before a worker sees them, and the worker cannot know
 * that it did. Splitting at commas would undo CK-08: a cookie's value may contain a comma, so anyone who can set a
 * cookie for the domain could write a `__Host-` cookie into its value. HTTP/1.1 does not allow clients to send several
 * lines. A server of HTTP/2 must join the lines that HTTP/2 splits with semicolons.
 */
const notOnWorkerd = 'verify: cookies split over several lines are one list'

/** workerd ends the work of a request with its response, so that a call that is not awaited never settles. */
const endsWithResponse = /^L-03: .* that is not awaited/

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
      if (runtime === 'workerd' && promise === notOnWorkerd) {
        test('CK-08: cookies split over several lines are ignored, and no cookie is changed', async () => {
          await refuseSplitCookies(wireClient(running.ports.get('plain') ?? 0))
        })
        continue
      }
      if (runtime === 'workerd' && endsWithResponse.test(promise)) continue
      test(promise, () => keep({ open: async variant => wireClient(running.ports.get(variant) ?? 0) }))
    }
  })
}

async function refuseSplitCookies(send: Send): Promise<void> {
  const login = await send({
    method: 'POST',
    path: '/login',
    headers: [['origin', 'https://app.example.com'], ['content-type', 'application/json']],
    body: JSON.stringify({ userId: 'alice', payload: {} }),
  })
  const [token] = login.headers.flatMap(([name, value]) => (
    name.toLowerCase() === 'set-cookie' && value.startsWith('__Host-sAccessToken=') ? value.split(';', 1) : []
  ))
  const cookies = (...lines: readonly string[]): Promise<WireReply> => (
    send({ method: 'GET', path: '/me', headers: lines.map(line => ['cookie', line]), body: null })
  )
  expect((await cookies(`a=1; ${token}`)).status).toBe(200)
  const split = await cookies('a=1', token ?? '', 'b=2')
  expect(split.status).toBe(401)
  expect(split.headers.map(([name]) => name.toLowerCase())).not.toContain('set-cookie')
}
