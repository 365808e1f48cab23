// The type tests in test/types, compiled as applications that have installed the package compile it.
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile, compilers, newestCompiler } from '../support/package/compile.ts'
import type { Compiler, Complaint } from '../support/package/compile.ts'
import { consumer, specifiers } from '../support/package/pack.ts'

const sources = join(import.meta.dirname, '../types')

/**
 * The peers in whose own declarations a compiler finds faults, so that applications need `skipLibCheck` there. What the
 * adapters say is tested with every compiler all the same.
 */
const faults: Readonly<Partial<Record<Compiler['version'], Readonly<Record<string, string>>>>> = {
  5.4: {
    'h3': 'needs the library DOM, `Error.isError`, and the package crossws',
    '@types/koa': 'names a type that content-disposition no longer has',
    'hono': 'says `Uint8Array<ArrayBuffer>`, which is of TypeScript 5.7',
    '@trpc/server': 'says `Uint8Array<ArrayBuffer>`, and `AsyncIterable` as of TypeScript 5.6',
    'engine.io': 'says `Buffer<ArrayBuffer>`, which is of TypeScript 5.7',
    'pg-protocol': 'says `Buffer<ArrayBuffer>`, which is of TypeScript 5.7',
  },
  '7.0': {
    'h3': 'needs the library DOM, `Error.isError`, and the package crossws',
    '@types/koa': 'names a type that content-disposition no longer has',
  },
}

/** The applications, and how they resolve packages. */
const edge = 'types/edge'
const server = 'types/server'
const browser = 'types/browser'
const commonJs = 'types/commonjs'
const schemas = 'types/schemas'
const wrong = 'types/wrong'
const byBundler = ['--module', 'esnext', '--moduleResolution', 'bundler']
const byNode = ['--module', 'nodenext', '--moduleResolution', 'nodenext']

/** A compiler takes seconds for the declarations of all peers: only the oldest and the newest read them critically. */
function compileFor(compiler: Compiler, project: string, options: readonly string[] = []): readonly Complaint[] {
  const isOwn = project === schemas || project === wrong
  const checksAll = !isOwn && (project === edge || compiler.version in faults)
  return compile(compiler, consumer, project, ['--skipLibCheck', String(!checksAll), ...options])
}

/** The peer that a file belongs to; null if it is a file of the package, or of the application. */
function peerOf(file: string): string | null {
  const [, name = null] = /.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
  return name === 'keyturn' ? null : name
}

const ours = (complaints: readonly Complaint[]): readonly string[] => (
  complaints.filter(({ file }) => peerOf(file) === null).map(({ text }) => text)
)

beforeAll(() => {
  cpSync(sources, join(consumer, 'types'), { recursive: true })
})

test('each entry of the package has type tests', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(file => /\.[cm]?tsx?$/.test(file))
  const code = files.map(file => readFileSync(join(sources, file), 'utf8')).join('\n')
  const entries = specifiers().filter(specifier => !specifier.endsWith('.json'))
  expect(entries.filter(specifier => !code.includes(` from '${specifier}'\n`))).toEqual([])
})

describe.for(compilers)('TypeScript $version', { timeout: 240_000 }, compiler => {
  const isMissing = compiler.program === null

  test.skipIf(isMissing)('checks an application at the edge', () => {
    expect(compileFor(compiler, edge)).toEqual([])
  })

  test.skipIf(isMissing)('checks an application on Node, with every framework and store', () => {
    const complaints = compileFor(compiler, server)
    expect(ours(complaints)).toEqual([])
    const peers = new Set(complaints.map(({ file }) => peerOf(file)))
    expect([...peers].sort()).toEqual(Object.keys(faults[compiler.version] ?? {}).sort())
  })

  test.skipIf(isMissing)('checks a page', () => {
    expect(compileFor(compiler, browser)).toEqual([])
  })

  test.skipIf(isMissing)('L-10: a schema has a type where data enters and a type where it is read', () => {
    expect(compileFor(compiler, schemas)).toEqual([])
  })

  test.skipIf(isMissing)('L-11: wrong usages do not compile', () => {
    expect(compileFor(compiler, wrong)).toEqual([])
  })

  test.skipIf(isMissing)('checks a CommonJS module', () => {
    const codes = new Set(compileFor(compiler, commonJs).map(({ text }) => / error (TS\d+): /.exec(text)?.[1]))
    // `require` of an ES module is of TypeScript 5.8.
    expect([...codes]).toEqual(compiler.version === '5.4' ? ['TS1479'] : [])
  })
})

test('L-11: there are 24 wrong usages or more, and each says what is wrong', () => {
  const code = readFileSync(join(sources, 'wrong/usages.ts'), 'utf8')
  const reasons = [...code.matchAll(/^ *\/\/ @ts-expect-error(.*)$/gm)].map(([, reason = '']) => reason)
  expect(reasons.length).toBeGreaterThanOrEqual(24)
  expect(reasons.filter(reason => !/^: \w.{9}/.test(reason))).toEqual([])
})

test('how packages are resolved makes no difference', { timeout: 120_000 }, () => {
  expect(compileFor(newestCompiler, edge, byNode)).toEqual([])
  expect(ours(compileFor(newestCompiler, server, byBundler))).toEqual([])
  expect(compileFor(newestCompiler, browser, byNode)).toEqual([])
})
