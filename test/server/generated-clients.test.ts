// Clients that generators make of the OpenAPI documents: they compile and run the life of a session.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findApiTool, installApiTools, runProgram } from '../support/api-tools.ts'
import { buildGo, go } from '../support/go.ts'
import { preparePython } from '../support/python.ts'
import { serveProcess } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const documents = ['openapi', 'openapi-cdi']
const programs = join(import.meta.dirname, 'clients')
const root = join(import.meta.dirname, '../..')
const python = await preparePython(join(import.meta.dirname, '../api-tools/requirements.txt'))
const folder = mkdtempSync(join(tmpdir(), 'keyturn-clients-'))
let server: ServeProcess

beforeAll(async () => {
  installApiTools()
  server = await serveProcess(folder, ['--port', '0', '--api-key', API_KEY])
  for (const name of documents) {
    const answer = await fetch(`${server.url}/v1/${name}.json`, { headers: { 'api-key': API_KEY } })
    expect(answer.status).toBe(200)
    writeFileSync(join(folder, `${name}.json`), await answer.text())
  }
})
afterAll(async () => {
  await server.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a program that must succeed, and returns what it wrote. */
async function run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, output } = await runProgram(file, args, { cwd: folder, env })
  expect([code], output).toEqual([0])
  return output
}

test('V-04: a client of openapi-typescript compiles and runs the life of a session', async ({ skip }) => {
  const generator = findApiTool('openapi-typescript/bin/cli.js') ?? skip('openapi-typescript is not installed')
  for (const name of documents) await run(process.execPath, [generator, `${name}.json`, '--output', `${name}.ts`])
  symlinkSync(join(dirname(generator), '../..'), join(folder, 'node_modules'))
  copyFileSync(join(programs, 'life.ts'), join(folder, 'life.ts'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      rootDir: '.', noEmit: true, composite: false, incremental: false, declaration: false, emitDeclarationOnly: false,
      isolatedDeclarations: false, allowImportingTsExtensions: true, lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: ['node'], typeRoots: [join(root, 'node_modules/@types')],
    },
    files: ['life.ts'],
  }))
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  await run(process.execPath, [compiler, '--project', '.'])
  expect(await run(process.execPath, ['life.ts', server.url, API_KEY])).toContain('ran the life of a session')
})

test('V-04: a client of openapi-python-client passes mypy and runs the life of a session', async ({ skip }) => {
  if (python === null) return skip('openapi-python-client is not installed')
  // The generator runs `ruff`, which is beside this Python.
  const env = { PATH: `${dirname(python)}${delimiter}${process.env['PATH'] ?? ''}`, PYTHONDONTWRITEBYTECODE: '1' }
  for (const [name, client] of [['openapi', 'native_client'], ['openapi-cdi', 'cdi_client']] as const) {
    const args = ['--path', `${name}.json`, '--output-path', client, '--meta', 'none', '--fail-on-warning']
    await run(python, ['-m', 'openapi_python_client', 'generate', ...args], env)
  }
  copyFileSync(join(programs, 'life.py'), join(folder, 'life.py'))
  // The generator's own code is not strict: only what a program sees of it is checked.
  const strict = ['--strict', '--follow-imports=silent', '--cache-dir', '/dev/null']
  await run(python, ['-m', 'mypy', ...strict, 'life.py'], env)
  expect(await run(python, ['life.py', server.url, API_KEY], env)).toContain('ran the life of a session')
})

// The generator is built first, which takes the time that its modules take to download.
test('V-04: a client of oapi-codegen compiles and runs the life of a session', async ({ skip }) => {
  if (go === null) return skip('there is no Go toolchain')
  for (const name of ['go.mod', 'go.sum', 'life.go']) copyFileSync(join(programs, name), join(folder, name))
  const generator = join(folder, 'oapi-codegen')
  await buildGo(folder, generator, 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen')
  for (const [name, client] of [['openapi', 'native'], ['openapi-cdi', 'cdi']] as const) {
    mkdirSync(join(folder, client))
    const args = ['-generate', 'types,client', '-package', client, '-o', join(client, 'client.go'), `${name}.json`]
    expect(await run(generator, args)).toBe('')
  }
  const program = join(folder, 'life')
  await buildGo(folder, program)
  expect(await run(program, [server.url, API_KEY])).toContain('ran the life of a session')
}, 600_000)
