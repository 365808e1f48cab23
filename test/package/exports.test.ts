import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { installed, readManifest, run, specifiers } from '../support/package/pack.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'

const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')
const node22 = runtimeProgram('node')

const program = `
const failures = []
for (const specifier of ${JSON.stringify(specifiers())}) {
  try {
    const names = Object.keys(LOAD)
    if (names.length === 0) failures.push(specifier + ' is empty')
  } catch (error) {
    failures.push(specifier + ': ' + error.message)
  }
}
console.log(failures.join('\\n'))
`
const esm = program.replace(
  'LOAD', "await import(specifier, specifier.endsWith('.json') ? { with: { type: 'json' } } : {})",
)
const commonJs = program.replace('LOAD', 'require(specifier)')

describe.for([['22', node22], ['24', node24]] as const)('on Node %s', ([, node]) => {
  test.skipIf(node === null)('every export can be imported', () => {
    expect(run(node ?? '', ['--input-type=module', '--eval', esm])).toEqual({ succeeded: true, output: '\n' })
  })

  test.skipIf(node === null)('every export can be required from CommonJS', () => {
    expect(run(node ?? '', ['--input-type=commonjs', '--eval', commonJs])).toEqual({ succeeded: true, output: '\n' })
  })

  test.skipIf(node === null)('CommonJS and ESM get one and the same module', () => {
    const code = `
      const required = require('keyturn')
      import('keyturn').then(imported => console.log(required.UnauthorizedError === imported.UnauthorizedError))
    `
    expect(run(node ?? '', ['--input-type=commonjs', '--eval', code])).toEqual({ succeeded: true, output: 'true\n' })
  })

  test.skipIf(node === null)('a CommonJS application serves sessions', () => {
    const code = `
      const { createSessions } = require('keyturn')
      const { webSessions } = require('keyturn/frameworks/web')
      const { createMemoryStore } = require('keyturn/stores/memory')
      const sessions = webSessions(createSessions({ origin: 'http://localhost', store: createMemoryStore() }))
      const headers = new Headers()
      sessions.createNewSession(new Request('http://localhost/login', { method: 'POST' }), headers, 'alice')
        .then(session => console.log(session.getUserId(), headers.getSetCookie().length))
    `
    expect(run(node ?? '', ['--input-type=commonjs', '--eval', code])).toEqual({ succeeded: true, output: 'alice 2\n' })
  })
})

test('the program of the package starts a server on nothing but the package', () => {
  const code = `
    const { startServer } = await import('keyturn/server')
    const server = await startServer({ store: 'sqlite::memory:', port: 0, logLevel: 'silent' })
    const started = await fetch(server.url + '/v1/sessions', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"userId":"alice"}',
    })
    console.log(started.status, (await started.json()).userId)
    await server.close()
  `
  expect(run(node24, ['--input-type=module', '--eval', code])).toEqual({ succeeded: true, output: '201 alice\n' })
  const { succeeded, output } = run(node24, ['node_modules/.bin/keyturn', '--version'])
  expect([succeeded, output]).toEqual([true, `${readManifest().version}\n`])
})

test('where OpenTelemetry is not installed, traces name the packages to install', () => {
  // Outside of this repository, whose own packages would be found.
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-alone-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(installed, join(folder, 'node_modules/keyturn'), { recursive: true })
  const program = [node24, 'node_modules/keyturn/dist/cli/main.js', 'serve', 'sqlite::memory:']
  const { succeeded, output } = run('env', ['OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1', ...program], folder)
  expect(succeeded).toBe(false)
  expect(output).toContain('npm install @opentelemetry/api @opentelemetry/sdk-node')
})

test('only what is exported can be reached', () => {
  const { output } = run(node24, ['--input-type=module', '--eval', "await import('keyturn/dist/session/core.js')"])
  expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
})
