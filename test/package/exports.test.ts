import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createApplication, neutralSpecifiers, readManifest, run, specifiers } from '../support/package/pack.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'

const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')
const workerd = runtimeProgram('workerd')

// Without any driver. Entries that integrate a library import it, because they cannot work without it.
const application = createApplication(['axios', 'react', 'vue'])

afterAll(() => rmSync(application, { recursive: true }))

/** Writes a program into the application and runs it. Returns its output and whether it succeeded. */
function runFile(runtime: readonly string[], name: string, code: string): ReturnType<typeof run> {
  writeFileSync(join(application, name), code)
  const [command = '', ...parameters] = runtime
  return run(command, [...parameters, name], application)
}

const loadAll = `
async function main() {
  const failures = []
  for (const specifier of ${JSON.stringify(specifiers())}) {
    try {
      const names = Object.keys(LOAD)
      if (names.length === 0) failures.push(specifier + ' is empty')
    } catch (error) {
      failures.push(specifier + ': ' + error.message)
    }
  }
  console.log(JSON.stringify(failures))
}
void main()
`
const esm = loadAll.replace(
  'LOAD', "await import(specifier, specifier.endsWith('.json') ? { with: { type: 'json' } } : {})",
)
const commonJs = loadAll.replace('LOAD', 'require(specifier)')

/** Creates a session and finds it again, with web requests. */
const useSession = `
  async function useSession() {
    const sessions = webSessions(createSessions({ origin: 'http://localhost', store: createMemoryStore() }))
    sessions.sessionRoutes()
    const headers = new Headers()
    await sessions.createNewSession(new Request('http://localhost/login', { method: 'POST' }), headers, 'alice')
    const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
    const session = await sessions.getSession(new Request('http://localhost/', { headers: { cookie } }), new Headers())
    return session.getUserId()
  }
`

describe.for([
  ['Node 22', runtimeProgram('node'), []],
  ['Node 24', node24, []],
  ['Bun', runtimeProgram('bun'), []],
  ['Deno', runtimeProgram('deno'), ['run', '-A']],
] as const)('L-35: on %s, without any driver', ([, program, parameters]) => {
  const runtime = [program ?? '', ...parameters]

  test.skipIf(program === null)('every export can be imported', () => {
    expect(runFile(runtime, 'every.mjs', esm)).toEqual({ succeeded: true, output: '[]\n' })
  })

  test.skipIf(program === null)('every export can be required from CommonJS', () => {
    expect(runFile(runtime, 'every.cjs', commonJs)).toEqual({ succeeded: true, output: '[]\n' })
  })

  test.skipIf(program === null)('CommonJS and ESM get one and the same module', () => {
    const code = `
      const required = require('keyturn')
      import('keyturn').then(imported => console.log(required.UnauthorizedError === imported.UnauthorizedError))
    `
    expect(runFile(runtime, 'same.cjs', code)).toEqual({ succeeded: true, output: 'true\n' })
  })

  test.skipIf(program === null)('a CommonJS application serves sessions', () => {
    const code = `
      const { createSessions } = require('keyturn')
      const { webSessions } = require('keyturn/frameworks/web')
      const { createMemoryStore } = require('keyturn/stores/memory')
      ${useSession}
      useSession().then(console.log)
    `
    expect(runFile(runtime, 'serve.cjs', code)).toEqual({ succeeded: true, output: 'alice\n' })
  })

  test.skipIf(program === null)('stores on URLs say what to install, or to pass', () => {
    const code = `
      import { createMysqlStore } from 'keyturn/stores/mysql'
      import { createPostgresStore } from 'keyturn/stores/postgres'
      import { createRedisStore } from 'keyturn/stores/redis'
      for (const store of [
        createMysqlStore('mysql://127.0.0.1:1'), createPostgresStore('postgres://127.0.0.1:1'),
        createRedisStore('redis://127.0.0.1:1'),
      ]) {
        await store.listKeys().catch(({ code, message }) => console.log(code, /npm install [a-z0-9]+/.exec(message)?.[0]))
      }
    `
    const output = 'MISUSE npm install mysql2\nMISUSE npm install pg\nMISUSE npm install ioredis\n'
    expect(runFile(runtime, 'stores.mjs', code)).toEqual({ succeeded: true, output })
  })
})

test.skipIf(workerd === null)('L-35: on workerd, what needs web standards only can be imported, and serves sessions',
  async () => {
    const entry = join(application, 'worker.mjs')
    writeFileSync(entry, `
    ${neutralSpecifiers.map((specifier, index) => `import * as entry${index} from '${specifier}'`).join('\n')}
    import { createSessions } from 'keyturn'
    import { webSessions } from 'keyturn/frameworks/web'
    import { createMemoryStore } from 'keyturn/stores/memory'
    const entries = [${neutralSpecifiers.map((_, index) => `entry${index}`).join(', ')}]
    ${useSession}
    export default {
      async fetch() {
        return Response.json([await useSession(), entries.map(entry => Object.keys(entry).length > 0)])
      },
    }
  `)
    const worker = await serveWorker(workerd ?? '', entry, { worker: {} }, [])
    try {
      const response = await fetch(`http://127.0.0.1:${worker.ports.get('worker')}/`)
      expect(await response.json()).toEqual(['alice', neutralSpecifiers.map(() => true)])
    } finally {
      await worker.close()
    }
  })

test('L-35: if an installed driver is broken, its error is reported and no other driver is used', () => {
  const code = `
    import { mkdirSync, writeFileSync } from 'node:fs'
    import { createRedisStore } from 'keyturn/stores/redis'
    mkdirSync('node_modules/ioredis')
    writeFileSync('node_modules/ioredis/index.js', 'throw new Error("broken")')
    const store = createRedisStore('redis://127.0.0.1:1')
    await store.listKeys().catch(({ code, cause }) => console.log(code, cause.message))
  `
  const folder = createApplication(['redis'])
  try {
    writeFileSync(join(folder, 'broken.mjs'), code)
    expect(run(node24, ['broken.mjs'], folder)).toEqual({ succeeded: true, output: 'MISUSE broken\n' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the program of the package starts a server without other packages', () => {
  const code = `
    import { startServer } from 'keyturn/server'
    const server = await startServer({ store: 'sqlite::memory:', port: 0, logLevel: 'silent' })
    const started = await fetch(server.url + '/v1/sessions', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"userId":"alice"}',
    })
    console.log(started.status, (await started.json()).userId)
    await server.close()
  `
  expect(runFile([node24], 'server.mjs', code)).toEqual({ succeeded: true, output: '201 alice\n' })
  const { succeeded, output } = run(node24, ['node_modules/.bin/keyturn', '--version'])
  expect([succeeded, output]).toEqual([true, `${readManifest().version}\n`])
})

test('if OpenTelemetry is not installed, the error names the packages to install', () => {
  const program = [node24, 'node_modules/keyturn/dist/cli/main.js', 'serve', 'sqlite::memory:']
  const { succeeded, output } = run('env', ['OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1', ...program], application)
  expect(succeeded).toBe(false)
  expect(output).toContain('npm install @opentelemetry/api @opentelemetry/sdk-node')
})

test('only the exported paths can be imported', () => {
  const { output } = run(node24, ['--input-type=module', '--eval', "await import('keyturn/dist/session/core.js')"])
  expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
})
