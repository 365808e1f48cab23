import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, onTestFinished, test } from 'vitest'
import { driveExample, examples } from '../support/drive-example.ts'
import { edgePackage, hasEdgePackages } from '../support/edge-packages.ts'
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

test.skipIf(deno === null || !hasEdgePackages())('EDGE-12: the example "deno-libsql" serves sessions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-deno-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  // In place of its deno.json, which installs the packages.
  const map = join(folder, 'import-map.json')
  const client = pathToFileURL(join(edgePackage('@libsql/client'), 'lib-esm/node.js')).href
  writeFileSync(map, JSON.stringify({ imports: { '@libsql/client': client } }))
  return driveExample(deno ?? 'deno', [
    'run', '-A', '--no-config', '--import-map', map, join(examples, 'deno-libsql', 'server.mjs'),
  ])
})
