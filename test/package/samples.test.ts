// Every block of TypeScript and JavaScript in README and docs is compiled, by the newest compiler, against the package
// as it is installed. docs/client.md and docs/writing-a-store.md have tests of their own for theirs;
// test/stores/orms.test.ts runs those of docs/orms.md as they stand.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile, newestCompiler } from '../support/package/compile.ts'
import { consumer } from '../support/package/pack.ts'
import { installSamplePackages, linkSamplePackages, samplePackages } from '../support/sample-packages.ts'
import { blocksOf, pages, readPage, samplesOf } from '../support/samples.ts'
import type { Sample } from '../support/samples.ts'

const folder = join(consumer, 'samples')
const elsewhere: ReadonlySet<string> = new Set(['docs/client.md', 'docs/orms.md', 'docs/writing-a-store.md'])

/** The globals of a page's runtime. */
const runtimeTypes: Readonly<Record<string, string>> = {
  'docs/start/bun.md': 'bun-types', 'docs/start/deno.md': 'deno',
}

installSamplePackages()

const withSamples = pages.filter(page => !elsewhere.has(page))
  .map(page => ({ page, samples: samplesOf(readPage(page)) })).filter(({ samples }) => samples.length > 0)

/** What SvelteKit generates beside each route. */
const generatedTypes = `import type { Actions, RequestHandler, ServerLoad } from '@sveltejs/kit'
export type { Actions, RequestHandler }
export type PageServerLoad = ServerLoad
`
/** The parts of React Native and Expo that samples use, as their documentation describes them. */
const nativeTypes = join(import.meta.dirname, '../types/client-guide/web/native.d.ts')

/** The module of Workers, with the bindings that samples name. */
const workerTypes = join(import.meta.dirname, '../types/cloudflare-workers.d.ts')

const isScript = ({ file }: Sample): boolean => /\.m?jsx?$/.test(file)

/** Writes the modules of a page as an application. Returns its folder. */
function writeApplication(page: string, samples: readonly Sample[]): string {
  const own = join(folder, page.replaceAll(/[^\w]/g, '-'))
  for (const { file, code } of samples) {
    const path = join(own, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code)
    if (code.includes("'./$types'")) writeFileSync(join(dirname(path), '$types.d.ts'), generatedTypes)
  }
  cpSync(nativeTypes, join(own, 'native.d.ts'))
  cpSync(workerTypes, join(own, 'workers.d.ts'))
  const compilerOptions = {
    module: 'esnext', moduleResolution: 'bundler', moduleDetection: 'force', target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'], types: [runtimeTypes[page] ?? 'node'], strict: true, noEmit: true,
    skipLibCheck: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, jsx: 'react-jsx',
    allowImportingTsExtensions: true, experimentalDecorators: true, allowJs: true, esModuleInterop: true,
    paths: { '@/*': ['./*'], '/keyturn/*': [join(consumer, 'node_modules/keyturn/dist/*')] },
  }
  const write = (name: string, options: object, files: readonly Sample[]): void => {
    writeFileSync(join(own, name), JSON.stringify({
      compilerOptions: { ...compilerOptions, ...options },
      files: [...files.map(({ file }) => file), 'native.d.ts', 'workers.d.ts'],
    }))
  }
  write('tsconfig.json', {}, samples.filter(sample => !isScript(sample)))
  write('tsconfig.scripts.json', {
    checkJs: true, strict: false, exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false,
  }, samples.filter(isScript))
  return own
}

beforeAll(() => linkSamplePackages(folder))

test('most pages have samples', () => {
  expect(withSamples.length).toBeGreaterThan(30)
})

describe.skipIf(samplePackages() === null)('the samples compile', () => {
  test.for(withSamples)('$page', ({ page, samples }) => {
    const own = writeApplication(page, samples)
    const complaints = ['tsconfig.json', 'tsconfig.scripts.json'].flatMap(project => {
      const isEmpty = !samples.some(sample => isScript(sample) === (project === 'tsconfig.scripts.json'))
      return isEmpty ? [] : compile(newestCompiler, own, project)
    })
    const lineOf = (file: string): string => {
      const sample = samples.find(each => each.file === file)
      return sample === undefined ? '' : `${page}:${sample.line}: `
    }
    expect(complaints.map(({ file, text }) => lineOf(file) + text)).toEqual([])
  })

  test('a call that does not exist is found', () => {
    const own = writeApplication('wrong', samplesOf([
      '```ts', 'sessions.revoke(1)', '```', '```ts prelude', "import { createSessions } from 'keyturn'", '',
      "const sessions = createSessions({ origin: 'https://app.example.com' })", '```', '',
    ].join('\n')))
    expect(compile(newestCompiler, own, 'tsconfig.json').map(({ text }) => text)).toEqual([
      expect.stringContaining("Property 'revoke' does not exist"),
    ])
  })
})

test('blocks of JSON are JSON', () => {
  for (const page of pages) {
    for (const { language, code, line } of blocksOf(readPage(page))) {
      if (language === 'json') expect(() => JSON.parse(code), `${page}:${line}`).not.toThrow()
    }
  }
})

test('every block says its language', () => {
  const silent = pages.flatMap(page => (
    blocksOf(readPage(page)).filter(({ language }) => language === '').map(({ line }) => `${page}:${line}`)
  ))
  expect(silent).toEqual([])
})

test('the page about Django shows views of the tutorial as they stand there', () => {
  const [, after = ''] = readPage('docs/migrate/django.md').split('## After')
  const [views] = blocksOf(after).filter(({ language }) => language === 'python')
  const tutorial = readPage('docs/django.md')
  const parts = views?.code.trim().split('\n\n\n') ?? []
  expect(parts).toHaveLength(2)
  for (const part of parts) expect(tutorial).toContain(part)
})
