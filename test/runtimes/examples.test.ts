import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { driveExample, examples } from '../support/drive-example.ts'
import { edgePackage, hasEdgePackages } from '../support/edge-packages.ts'
import { startLibsqlServer } from '../support/libsql-server.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'

const server = join(examples, 'web', 'server.mjs')

describe.for([['bun', [server]], ['deno', ['run', '-A', server]]] as const)('on %s', ([runtime, parameters]) => {
  const program = runtimeProgram(runtime)

  test.skipIf(program === null)('the example "web" serves sessions', () => driveExample(program ?? runtime, parameters))
})

const bun = runtimeProgram('bun')
const deno = runtimeProgram('deno')

test.skipIf(bun === null)('EDGE-12: the example "bun-sqlite" serves sessions', () => (
  driveExample(bun ?? 'bun', [join(examples, 'bun-sqlite', 'server.ts')])
))

describe.skipIf(deno === null || !hasEdgePackages())('the example "deno-libsql"', () => {
  const secret = '0123456789abcdef0123456789abcdef'

  function drive(variables: Readonly<Record<string, string>>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-deno-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    // What `deno install` would make of its deno.json.
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(examples, '..'), join(folder, 'node_modules/keyturn'))
    symlinkSync(join(edgePackage('@libsql/client'), '..'), join(folder, 'node_modules/@libsql'))
    writeFileSync(join(folder, 'package.json'),
      '{ "type": "module", "dependencies": { "keyturn": "*", "@libsql/client": "*" } }')
    copyFileSync(join(examples, 'deno-libsql/server.mjs'), join(folder, 'server.mjs'))
    const parameters = ['run', '-A', '--node-modules-dir=manual', join(folder, 'server.mjs')]
    return driveExample(deno ?? 'deno', parameters, { SECRET: secret, ...variables })
  }

  test('EDGE-12: it serves sessions from a file', () => drive({}))

  test('EDGE-12: it serves sessions from a database of Turso', async () => {
    const turso = await startLibsqlServer()
    onTestFinished(() => turso.close())
    await drive({ TURSO_URL: turso.url, TURSO_TOKEN: 'token' })
    expect(turso.received).toBeGreaterThan(0)
  })
})
