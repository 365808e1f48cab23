// The packed package, bundled in applications that have one of its optional drivers or none.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { bundlers } from '../support/package/bundlers.ts'
import { createApplication, run, specifiers } from '../support/package/pack.ts'

const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')

/** An application for each driver, with the module that connects a client, and one without a driver. */
const applications = [
  {
    driver: 'ioredis',
    client: `
      import { Redis } from 'ioredis'
      export async function connect(url) {
        const client = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 })
        return client.on('error', () => undefined)
      }`,
  },
  {
    driver: 'redis',
    client: `
      import { createClient } from 'redis'
      export async function connect(url) {
        const client = createClient({ url, socket: { reconnectStrategy: false } }).on('error', () => undefined)
        await client.connect().catch(() => undefined)
        return client
      }`,
  },
  {
    driver: null,
    client: "export async function connect() { throw new Error('no driver is installed') }",
  },
].map(({ driver, client }) => {
  const folder = createApplication(['express', ...driver === null ? [] : [driver]])
  cpSync(join(import.meta.dirname, 'applications/server.mjs'), join(folder, 'server.mjs'))
  writeFileSync(join(folder, 'client.mjs'), client)
  return { driver: driver ?? 'neither', folder }
})

afterAll(() => {
  for (const { folder } of applications) rmSync(folder, { recursive: true })
})

test('L-35: every export can be bundled without any driver', async () => {
  // Entries that integrate a library import it, because they cannot work without it.
  const folder = createApplication(['axios', 'react', 'vue'])
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const contents = specifiers().map(name => `export * from '${name}'`).join('\n')
  const { warnings } = await build({
    stdin: { contents, resolveDir: folder }, bundle: true, platform: 'node', write: false, logLevel: 'silent',
  })
  expect(warnings).toEqual([])
})

/** The output of the program, run in its folder or in a copy of it where no package is installed. */
function outcomesOf(program: string, folder: string): unknown {
  const { succeeded, output } = run(node24, [program], folder)
  expect(succeeded, output).toBe(true)
  return JSON.parse(output)
}

const unavailable = expect.stringMatching(/^STORE_UNAVAILABLE: /)
const missing = (driver: string, client: string): unknown => (
  expect.stringMatching(new RegExp(`^MISUSE: .*npm install ${driver}.* pass ${client} instead of the URL$`))
)

describe.for(bundlers)('$name', ({ build: bundle, program }) => {
  test.for(applications)('L-35: bundles an application with $driver, which runs', async ({ driver, folder }) => {
    const warnings = await bundle(folder)
    expect(warnings.filter(text => text.includes('keyturn'))).toEqual([])

    const outcomes = {
      express: '200 alice',
      server: '201 alice',
      client: driver === 'neither' ? 'undefined: no driver is installed' : unavailable,
      redis: missing('ioredis', 'a client of ioredis or redis'),
      postgres: missing('pg', 'a Pool of pg'),
      mysql: missing('mysql2', 'a Pool of mysql2/promise'),
      serverOnPostgres: missing('pg', 'a Pool of pg'),
    }
    const elsewhere = mkdtempSync(join(tmpdir(), 'deployed-'))
    onTestFinished(() => rmSync(elsewhere, { recursive: true }))
    cpSync(join(folder, 'out'), join(elsewhere, 'out'), { recursive: true })
    cpSync(join(folder, 'package.json'), join(elsewhere, 'package.json'))
    expect(outcomesOf(program, elsewhere)).toEqual(outcomes)
    const withDriver = driver === 'neither' ? outcomes : { ...outcomes, redis: unavailable }
    expect(outcomesOf(program, folder)).toEqual(withDriver)
    rmSync(join(folder, 'out'), { recursive: true })
  })
})
