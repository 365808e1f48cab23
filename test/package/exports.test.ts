import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run, specifiers } from '../support/package/pack.ts'
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

test('only what is exported can be reached', () => {
  const { output } = run(node24, ['--input-type=module', '--eval', "await import('keyturn/dist/session/core.js')"])
  expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
})
