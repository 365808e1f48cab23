// The public fuzzer for OpenAPI, with all its checks, against a real server: it makes valid and invalid requests of the
// documents, and sequences of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../support/api-tools.ts'
import { preparePython } from '../support/python.ts'
import { serveProcess } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const settings = join(import.meta.dirname, 'fuzzer')
/** How many requests it makes of each operation at most, besides those that go through the limits of each schema. */
const examples = process.env['CI'] === 'true' ? 30 : 5
const python = await preparePython(join(import.meta.dirname, '../api-tools/requirements.txt'))
const folder = mkdtempSync(join(tmpdir(), 'keyturn-fuzzer-'))
let server: ServeProcess

beforeAll(async () => {
  // The document of CDI has the longest access token lifetime that a server can have.
  const args = ['--port', '0', '--api-key', API_KEY, '--access-token-validity', '24h']
  server = await serveProcess(folder, args, { KEYTURN_LOG_LEVEL: 'error' })
})
afterAll(async () => {
  await server.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test.for(['openapi', 'openapi-cdi'])('V-04: schemathesis finds nothing in the API of %s', async (name, { skip }) => {
  if (python === null) return skip('schemathesis is not installed')
  const document = await fetch(`${server.url}/v1/${name}.json`, { headers: { 'api-key': API_KEY } })
  writeFileSync(join(folder, `${name}.json`), await document.text())
  const { code, output } = await runProgram(python, [
    '-m', 'schemathesis.cli', '--config-file', join(settings, 'schemathesis.toml'), 'run', `${name}.json`,
    '--url', server.url, '--header', `api-key: ${API_KEY}`, '--max-examples', `${examples}`, '--no-color',
  ], { cwd: folder, env: { PYTHONDONTWRITEBYTECODE: '1' } })
  expect([code], output.slice(-20_000)).toEqual([0])
  expect(output).toMatch(name === 'openapi' ? /Tested: 16$/m : /Tested: 22$/m)
  expect(server.output()).not.toContain('"level":"error"')
})
