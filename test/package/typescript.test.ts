// docs/typescript.md: which options of the compiler find and accept the package's declarations.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { compile, compilers } from '../support/package/compile.ts'
import { consumer, createApplication, installed, readManifest, run, specifiers } from '../support/package/pack.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/typescript.md'), 'utf8')
const node24 = join(import.meta.dirname, '../../node_modules/node/bin/node')

/** A row of the table. */
interface Row {
  readonly module: string
  readonly moduleResolution: string
  readonly commonJs: string
  readonly esModule: string
}

const rows = [...page.matchAll(/^\| `(.+)` \| `(.+)` \| (.+) \| (.+) \|$/gm)].map(
  ([, module = '', moduleResolution = '', commonJs = '', esModule = '']): Row => (
    { module, moduleResolution, commonJs, esModule }
  )).slice(1)

/**
 * Whether a cell of the table says that this version of TypeScript accepts the package: `no`, `from 5.8`, `5.4 to 6.0`.
 */
function says(cell: string, version: string): boolean {
  const [first = Number.POSITIVE_INFINITY, last = Number.POSITIVE_INFINITY] = (cell.match(/\d+\.\d+/g) ?? []).map(
    Number,
  )
  return Number(version) >= first && Number(version) <= last
}

const program = `
import { createSessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import { createMemoryStore } from 'keyturn/stores/memory'
const sessions = createSessions<{ role: string }>({ origin: 'https://app.example.com', store: createMemoryStore() })
webSessions(sessions).requireSession((_request, session) => {
  const role: string = session.getJwtPayload().role
  return new Response(role)
})
// @ts-expect-error: the origin is missing
createSessions({})
`
const folder = join(consumer, 'formats')

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }))
  writeFileSync(join(folder, 'commonjs.ts'), program)
  writeFileSync(join(folder, 'esmodule.mts'), program)
})

test('L-37: the table names every setting that applications use', () => {
  expect(rows.map(({ module }) => module).sort()).toEqual(
    ['commonjs', 'commonjs', 'esnext', 'node16', 'node18', 'node20', 'nodenext', 'preserve'])
})

describe.for(compilers)('TypeScript $version', { timeout: 240_000 }, compiler => {
  const { version } = compiler

  test.skipIf(compiler.program === null).for(rows)('L-37: accepts the package with $module and $moduleResolution as documented', row => {
    const files = row.moduleResolution === 'node10' ? ['commonjs.ts'] : ['commonjs.ts', 'esmodule.mts']
    const compilerOptions = {
      module: row.module, moduleResolution: row.moduleResolution, target: 'es2022', lib: ['es2023', 'dom'], types: [],
      strict: true, noEmit: true, skipLibCheck: true,
      ...version === '6.0' && row.moduleResolution === 'node10' ? { ignoreDeprecations: '6.0' } : {},
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const faulty = compile(compiler, folder, '.').map(({ file }) => file)
    // A complaint about the settings names their file or none.
    const isOfAll = faulty.some(file => file === '' || file.endsWith('.json'))
    const accepted = isOfAll ? [] : files.filter(name => !faulty.some(file => file.endsWith(name)))
    const cells = { 'commonjs.ts': row.commonJs, 'esmodule.mts': row.esModule }
    expect(accepted).toEqual(Object.entries(cells).flatMap(([file, cell]) => says(cell, version) ? [file] : []))
  })
})

test('L-37: compilers that do not know `exports` find each entry', () => {
  const { exports, typesVersions } = readManifest()
  const entries = Object.entries(exports).filter(([path, file]) => path !== '.' && file.endsWith('.js'))
  expect(typesVersions['*']).toEqual(Object.fromEntries(
    entries.map(([path, file]) => [path.slice(2), [file.replace(/\.js$/, '.d.ts')]])))
})

/** The globals of jsdom that matter here: neither WebCrypto nor TextEncoder. Its timers are numbers. */
const browserLike = {
  module: {}, exports: {}, require: createRequire(import.meta.url), process, console, Buffer, URL, btoa, atob,
  performance,
  queueMicrotask, setTimeout: () => 1, clearTimeout: () => undefined,
  crypto: { getRandomValues: (bytes: Uint8Array) => bytes },
}

describe.for(['browser', 'node'])(
  'L-37: in an imitation of a browser inside Node.js, as a bundler with the condition %s loads it',
  condition => {
    const entries = specifiers().filter(name => !/json$|react|vue|axios/.test(name))

  test.for(entries)('L-37: %s can be imported', async name => {
    const { outputFiles } = await build({
      stdin: { contents: `export * from '${name}'`, resolveDir: join(installed, '..') }, bundle: true, format: 'cjs',
      platform: 'neutral', conditions: [condition], external: ['node:*'], write: false, logLevel: 'silent',
    })
    runInNewContext(outputFiles[0]?.text ?? 'throw new Error("nothing was bundled")', { ...browserLike })
  })
})

test('L-37: in an imitation of a browser, cryptography says what to set', async () => {
  const contents = `
    import { createSessions } from 'keyturn'
    import { createMemoryStore } from 'keyturn/stores/memory'
    globalThis.outcome = createSessions({ origin: 'http://localhost', store: createMemoryStore() }).getJwks()`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(installed, '..') }, bundle: true, format: 'cjs', platform: 'neutral',
    write: false,
  })
  const context: typeof browserLike & { outcome?: Promise<unknown> } = { ...browserLike }
  runInNewContext(outputFiles[0]?.text ?? '', context)
  const error: unknown = await context.outcome?.catch((caught: unknown) => caught)
  expect(String(error)).toContain('test environment "node"')
})

test('L-37: bundled for another runtime, a program on Node.js that does not close its sessions ends', async () => {
  const application = createApplication()
  onTestFinished(() => rmSync(application, { recursive: true }))
  const contents = `
    import { createSessions } from 'keyturn'
    import { webSessions } from 'keyturn/frameworks/web'
    import { createMemoryStore } from 'keyturn/stores/memory'
    const sessions = webSessions(createSessions({ origin: 'http://localhost', store: createMemoryStore() }))
    sessions.sessionRoutes()
    const headers = new Headers()
    await sessions.createNewSession(new Request('http://localhost/login', { method: 'POST' }), headers, 'alice')
    const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
    const session = await sessions.getSession(new Request('http://localhost/', { headers: { cookie } }), new Headers())
    console.log(session.getUserId())`
  await build({
    stdin: { contents, resolveDir: application }, bundle: true, format: 'esm', platform: 'neutral', logLevel: 'silent',
    outfile: join(application, 'bundle.mjs'),
  })
  expect(run(node24, ['bundle.mjs'], application)).toEqual({ succeeded: true, output: 'alice\n' })
})
