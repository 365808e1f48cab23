// Two linters, as their authors publish them: the recommended rules of Spectral and of Redocly, without an exception.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findApiTool, installApiTools, runProgram } from '../support/api-tools.ts'
import type { ProgramEnd } from '../support/api-tools.ts'
import { startCoreServer } from '../support/core-server.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const folder = mkdtempSync(join(tmpdir(), 'keyturn-linters-'))
const ruleset = join(folder, 'spectral.json')

beforeAll(async () => {
  installApiTools()
  writeFileSync(ruleset, JSON.stringify({ extends: ['spectral:oas'] }))
  const empty = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: {} }
  writeFileSync(join(folder, 'empty.json'), JSON.stringify(empty))
  for (const [kind, apiKeys] of [['with-key', [API_KEY]], ['without-key', []]] as const) {
    const { call, server } = await startCoreServer({ apiKeys })
    for (const name of ['openapi', 'openapi-cdi']) {
      const { status, text } = await call(`/v1/${name}.json`, { headers: { 'api-key': API_KEY } })
      expect(status).toBe(200)
      writeFileSync(join(folder, `${name}-${kind}.json`), JSON.stringify(JSON.parse(text), null, 2))
    }
    await server.close()
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const files = [
  'openapi-with-key.json', 'openapi-cdi-with-key.json', 'openapi-without-key.json', 'openapi-cdi-without-key.json',
]

/** What Spectral finds in a document, as JSON, at every severity; null if it is not installed. */
async function runSpectral(file: string): Promise<ProgramEnd | null> {
  const spectral = findApiTool('@stoplight/spectral-cli/dist/index.js')
  const args = ['lint', file, '--ruleset', ruleset, '--fail-severity', 'hint', '--format', 'json', '--quiet']
  return spectral === null ? null : runProgram(process.execPath, [spectral, ...args], { cwd: folder })
}

/** The same of Redocly. */
async function runRedocly(file: string): Promise<ProgramEnd | null> {
  const redocly = findApiTool('@redocly/cli/bin/cli.js')
  const args = ['lint', file, '--extends', 'recommended', '--format', 'json']
  const env = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return redocly === null ? null : runProgram(process.execPath, [redocly, ...args], { cwd: folder, env })
}

test.for(files)('V-04: Spectral finds nothing in %s', async (file, { skip }) => {
  const end = await runSpectral(file) ?? skip('Spectral is not installed')
  expect([end.code, end.output.trim()]).toEqual([0, '[]'])
})

test.for(files)('V-04: Redocly finds nothing in %s', async (file, { skip }) => {
  const end = await runRedocly(file) ?? skip('Redocly is not installed')
  const totals = /"totals": \{\s*"errors": (\d+),\s*"warnings": (\d+),\s*"ignored": (\d+)/.exec(end.output)
  expect([end.code, totals?.slice(1)], end.output).toEqual([0, ['0', '0', '0']])
})

test('both linters find that an empty document names no licence and no server', async ({ skip }) => {
  const spectral = await runSpectral('empty.json') ?? skip('Spectral is not installed')
  expect([spectral.code, spectral.output]).toEqual([1, expect.stringContaining('"oas3-api-servers"')])
  const redocly = await runRedocly('empty.json') ?? skip('Redocly is not installed')
  expect([redocly.code, redocly.output]).toEqual([1, expect.stringContaining('"info-license"')])
})
