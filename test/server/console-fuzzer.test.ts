// The public fuzzer on the console's API, as its document describes it. The console is that of an application, because a
// console session would end while the fuzzer runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import { describeConsole } from '../../src/server/console/openapi.ts'
import { inMemory } from '../../src/testing/index.ts'
import { runProgram } from '../support/api-tools.ts'
import { preparePython } from '../support/python.ts'
import { listen } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'

const ORIGIN = 'https://app.example.com'
const settings = join(import.meta.dirname, 'fuzzer')
/** How many requests it makes of each operation at most, besides those that go through the limits of each schema. */
const examples = process.env['CI'] === 'true' ? 30 : 5
const python = await preparePython(join(import.meta.dirname, '../api-tools/requirements.txt'))
const folder = mkdtempSync(join(tmpdir(), 'keyturn-console-fuzzer-'))
const failures: unknown[] = []
let app: RunningApp

beforeAll(async () => {
  const sessions = nodeSessions(createSessions({
    origin: ORIGIN, ...inMemory(), events: { onBackgroundError: ({ error }) => failures.push(error) },
  }))
  const console = sessions.console({ authorize: () => ({ name: 'ada', role: 'manage' }) })
  app = await listen(createServer((request, response) => void console(request, response)))
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true, force: true })
})

test('CON-21: schemathesis finds nothing in the API of the console', async ({ skip }) => {
  if (python === null) return skip('schemathesis is not installed')
  const url = `http://127.0.0.1:${app.port}/console/api`
  const { changeToken } = await (await fetch(`${url}/me`)).json() as { changeToken: string }
  // An application needs no session of the console.
  const document = { ...describeConsole({ path: '/console', origin: ORIGIN }), security: [] }
  writeFileSync(join(folder, 'console.json'), JSON.stringify(document))
  const { code, output } = await runProgram(python, [
    '-m', 'schemathesis.cli', '--config-file', join(settings, 'schemathesis.toml'), 'run', 'console.json', '--url', url,
    '--header', `origin: ${ORIGIN}`, '--header', `x-console-token: ${changeToken}`,
    // The application decides who may log in, so these two do not exist here.
    '--exclude-operation-id', 'logIn', '--exclude-operation-id', 'logOut',
    // The headers that guard a change are always sent.
    '--exclude-checks', 'missing_required_header',
    '--max-examples', `${examples}`, '--no-color',
  ], { cwd: folder, env: { PYTHONDONTWRITEBYTECODE: '1' } })
  expect([code], output.slice(-20_000)).toEqual([0])
  expect(output).toMatch(/Tested: 16$/m)
  expect(failures).toEqual([])
})
